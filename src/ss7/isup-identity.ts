// Reads the calling, called and diverting parties out of an ISUP message.
import type { AssertedIdentity, IdentitySource, Presentation, ShownName } from "../domain/identity.ts";
import type { DialPlan, PartyNumber } from "../domain/number.ts";
import { readIsupCalledNumber, readIsupNumber } from "../numbering/e164.ts";
import type { Trunk } from "../domain/trunk.ts";
import { privilegeOf } from "./isup-category.ts";
import { findParameter, IsupParameter, IsupType, type IsupMessage } from "./isup.ts";
import { readNames } from "./isup-name.ts";
import { readCalled, readNumber, type DecodedNumber, type NumberFault } from "./isup-number.ts";

/** At most this many generic numbers are read; no network sends more. */
const MOST_GENERIC = 8;

/**
 * The number qualifiers of a generic number that name the calling party. 6 is today's, the others
 * are earlier and ANSI ones (Q.763 section 3.26 a).
 */
const callerQualifiers: ReadonlySet<number> = new Set([2, 3, 6, 10]);
/** The number qualifiers of additional numbers of diverting parties: the original called, and the redirecting one. */
const divertingQualifiers: ReadonlyMap<number, IdentitySource> = new Map([
  [7, "isup-original-called-number"],
  [8, "isup-redirecting-number"],
]);
/**
 * The number qualifiers that name another party: dialled digits, additional called, redirection terminating, additional
 * connected and additional redirection number; and those of diverting parties. All that are left are spare, or the secret
 * of one network.
 */
const otherQualifiers: ReadonlySet<number> = new Set([0, 1, 4, 5, 9, ...divertingQualifiers.keys()]);

/** The parties that an ISUP message names. */
export interface IsupParties {
  readonly calling: readonly AssertedIdentity[];
  /** Names of the calling party; they belong to no number. */
  readonly names: readonly ShownName[];
  /** The called party of an IAM; undefined for other messages. */
  readonly called: PartyNumber | undefined;
  /** The diverting parties, the last one first. */
  readonly diversion: readonly AssertedIdentity[];
  /** The category of the caller, as {@link privilegeOf} names it. */
  readonly privilege: string | undefined;
  /** The nature of address and the screening indicator of the calling party number. */
  readonly natureOfAddress: number | undefined;
  readonly screening: number | undefined;
}

const nobody: readonly AssertedIdentity[] = [];

/**
 * @returns true on a trunk whose generic numbers count as callers unless their qualifier says otherwise: nobody has
 *   agreed with that peer on qualifiers of its own
 */
export function countsDoubtful({ side }: Pick<Trunk, "side">): boolean {
  return side === "lessee" || side === "international";
}

/**
 * Reads the parties that a message names. `message` was read without fault.
 * @param doubtful true: a generic number whose qualifier no standard knows names a caller, and so does a generic name
 *   whose type no standard knows
 * @returns the parties, or in words why they cannot be read
 */
export function readParties(message: IsupMessage, plan: DialPlan, doubtful = false): IsupParties | string {
  const calling: AssertedIdentity[] = [];
  let natureOfAddress: number | undefined;
  let screening: number | undefined;
  const own = findParameter(message, IsupParameter.callingPartyNumber);
  if (own >= 0) {
    const number = numberOf(message, own, 0);
    if (typeof number === "string") return `the calling party number ${number}`;
    natureOfAddress = number.nature;
    screening = number.screening;
    calling.push(identify(number, "isup-calling-party", plan));
  }
  const diversion: AssertedIdentity[] = [];
  const fault =
    readGeneric(message, plan, doubtful, calling, diversion) ?? readDiversion(message, plan, diversion);
  if (fault !== undefined) return fault;
  const names = readNames(message, doubtful);
  if (typeof names === "string") return names;
  let called: PartyNumber | undefined;
  if (message.type === IsupType.iam) {
    const number = readCalled(message.bytes, message.variableStart, message.variableEnd);
    if (typeof number === "string") return `the called party number ${number}`;
    called = readIsupCalledNumber(number, plan);
  }
  return {
    calling,
    names,
    called,
    diversion: diversion.length === 0 ? nobody : diversion,
    privilege: privilegeOf(message),
    natureOfAddress,
    screening,
  };
}

function numberOf(message: IsupMessage, index: number, skip: number): DecodedNumber | NumberFault {
  return readNumber(message.bytes, message.optionalStart[index]! + skip, message.optionalEnd[index]!);
}

/**
 * Reads a number as an identity. A withheld number is read too: its presentation says that it is
 * withheld.
 */
function identify(number: DecodedNumber, source: IdentitySource, plan: DialPlan): AssertedIdentity {
  const known = number.presentation === 1 && number.digits !== "" ? { ...number, presentation: 0 } : number;
  const read = readIsupNumber(known, plan);
  return {
    source,
    // "User provided, verified and failed": the network itself says that the number is not the
    // caller's (Q.763 section 3.26 f).
    number:
      number.screening === 2 && read.kind !== "unusable"
        ? { kind: "unusable", why: "invalid", detail: "screening failed", raw: read.raw }
        : read,
    presentation: presentationOf(number),
    screening: number.screening,
  };
}

function presentationOf({ presentation }: DecodedNumber): Presentation {
  if (presentation === 1) return "restricted";
  return presentation === 2 ? "unavailable" : "allowed";
}

/**
 * Adds the calling and diverting parties among the generic numbers.
 * @returns in words why they cannot be read, or undefined
 */
function readGeneric(
  message: IsupMessage,
  plan: DialPlan,
  doubtful: boolean,
  calling: AssertedIdentity[],
  diversion: AssertedIdentity[],
): string | undefined {
  const code = IsupParameter.genericNumber;
  let left = MOST_GENERIC;
  for (let i = findParameter(message, code); i >= 0; i = findParameter(message, code, i)) {
    if (--left < 0) return `more than ${MOST_GENERIC} generic numbers`;
    const number = numberOf(message, i, 1);
    if (typeof number === "string") return `a generic number ${number}`;
    const qualifier = message.bytes[message.optionalStart[i]!]!;
    const isCaller = callerQualifiers.has(qualifier) || (doubtful && !otherQualifiers.has(qualifier));
    const diverting = divertingQualifiers.get(qualifier);
    if (isCaller) calling.push(identify(number, "isup-generic-number", plan));
    else if (diverting !== undefined) diversion.push(identify(number, diverting, plan));
  }
  return undefined;
}

/**
 * Puts the last diverting party in front, and the first one at the end. A call that was diverted,
 * but does not say by which number, was diverted by a party without number.
 * @returns in words why they cannot be read, or undefined
 */
function readDiversion(
  message: IsupMessage,
  plan: DialPlan,
  diversion: AssertedIdentity[],
): string | undefined {
  const last = findParameter(message, IsupParameter.redirectingNumber);
  const first = findParameter(message, IsupParameter.originalCalledNumber);
  if (last >= 0) {
    const number = numberOf(message, last, 0);
    if (typeof number === "string") return `the redirecting number ${number}`;
    diversion.unshift(identifyDiverting(number, "isup-redirecting-number", plan));
  } else if (first >= 0 || saysDiverted(message) || namesOriginal(diversion)) {
    diversion.unshift(unnamed);
  }
  if (first >= 0) {
    const number = numberOf(message, first, 0);
    if (typeof number === "string") return `the original called number ${number}`;
    diversion.push(identifyDiverting(number, "isup-original-called-number", plan));
  }
  return undefined;
}

/** Tells whether a generic number names the first diverting party: then the last one has no number. */
function namesOriginal(diversion: readonly AssertedIdentity[]): boolean {
  return diversion.some(({ source }) => source === "isup-original-called-number");
}

const unnamed: AssertedIdentity = {
  source: "isup-redirecting-number",
  number: { kind: "unusable", why: "empty", detail: "no redirecting number", raw: "" },
  presentation: "unavailable",
};

/**
 * Reads a number of a diverting party. Bits 1, 2 and 8 of its second octet are spare, so there is
 * no screening (Q.763 section 3.44).
 */
function identifyDiverting(number: DecodedNumber, source: IdentitySource, plan: DialPlan): AssertedIdentity {
  const {
    source: name,
    number: read,
    presentation,
  } = identify({ ...number, incomplete: false, screening: 0 }, source, plan);
  return { source: name, number: read, presentation };
}

/**
 * Tells whether the redirection information has a redirecting indicator other than 0 (no
 * redirection), or a counter (Q.763 section 3.45).
 */
function saysDiverted(message: IsupMessage): boolean {
  const i = findParameter(message, IsupParameter.redirectionInformation);
  if (i < 0) return false;
  const at = message.optionalStart[i]!;
  const end = message.optionalEnd[i]!;
  return (at < end && (message.bytes[at]! & 7) !== 0) || (at + 1 < end && (message.bytes[at + 1]! & 7) !== 0);
}
