// Makes the call attempt of a SIP request together with the ISUP part of its body.
import type { CallAttempt, SignallingSource } from "../domain/attempt.ts";
import type { AssertedIdentity } from "../domain/identity.ts";
import type { PartyNumber } from "../domain/number.ts";
import type { Millis } from "../domain/time.ts";
import type { Trunk } from "../domain/trunk.ts";
import { isEmergencyCalled } from "../numbering/e164.ts";
import { createIsupMessage, IsupType, isIsupType, readIsup, type IsupVariant } from "../ss7/isup.ts";
import { countsDoubtful, readParties, type IsupParties } from "../ss7/isup-identity.ts";
import { isDiverted, readDiversion } from "../sip/attempt/diversion.ts";
import { readAttempt, type KnownParts } from "../sip/attempt/sip-attempt.ts";
import { claimsIsup } from "../sip/bodies/body.ts";
import { readIsupBody } from "../sip/bodies/sip-i-body.ts";
import type { SipMessage } from "../sip/message.ts";

/**
 * Values of `version` and `base` whose layout is known (IANA media type application/ISUP, RFC 3204 section 3.1), lower
 * case.
 */
const knownVersions: ReadonlyMap<string, IsupVariant> = new Map([
  ["itu-t88", "itu"],
  ["itu-t92+", "itu"],
  ["etsi121", "itu"],
  ["etsi356", "itu"],
  ["ansi88", "ansi"],
  ["ansi00", "ansi"],
  ["gr317", "ansi"],
]);

/** Requests of a dialog that may carry other ISUP messages (RFC 3372 section 4.2). */
const carriers: ReadonlySet<string> = new Set(["UPDATE", "INFO", "PRACK", "ACK", "BYE"]);

/** True for an identity that an ISUP part asserts. */
export function isOfIsup({ source }: AssertedIdentity): boolean {
  return source.startsWith("isup-");
}

/** Reused: a body is read to its end before the next one begins. */
const view = createIsupMessage();

/**
 * Makes the call attempt of a SIP request together with its ISUP body (SIP-I: ITU-T Q.1912.5; SIP-T: RFC 3372). Never
 * throws: `undecodable` says why an ISUP body can't be judged. Bodies of the core are not read.
 */
export function readCall(
  message: SipMessage,
  trunk: Trunk,
  at: Millis,
  origin: SignallingSource,
  known?: KnownParts,
): CallAttempt {
  const attempt = readAttempt(message, trunk, at, origin, known);
  if (trunk.side === "core" || message.fault !== undefined || !claimsIsup(message)) return attempt;
  const parties = readBody(message, trunk);
  const seen: SignallingSource = { ...origin, signalling: "sip-i" };
  return typeof parties === "string"
    ? { ...attempt, origin: seen, undecodable: parties }
    : { ...join(withoutTarget(attempt, parties, message), parties), origin: seen };
}

/**
 * Returns the attempt with every diverting party of SIP, where the ISUP part leads the call to another party than the
 * Request-URI: then the party of the Request-URI is no called party, and diverts like every other.
 */
function withoutTarget(attempt: CallAttempt, { called }: IsupParties, message: SipMessage): CallAttempt {
  if (called === undefined || !isDiverted(message) || isSame(called, attempt.called)) return attempt;
  return { ...attempt, diversion: readDiversion(message, attempt.trunk.dialPlan, undefined) };
}

/** Returns the parties that the ISUP body names, or in words why they can't be read. */
function readBody(message: SipMessage, trunk: Trunk): IsupParties | string {
  const body = readIsupBody(message);
  if (typeof body === "string") return body;
  const variant =
    trunk.isupVersions.get(body.version) ?? knownVersions.get(body.version) ?? knownVersions.get(body.base);
  if (variant === undefined) return `ISUP version ${JSON.stringify(body.version)} is not known`;
  if (!readIsup(view, variant, body.bytes, body.start, body.end)) return view.fault ?? "not ISUP";
  if (!isIsupType(view.type)) return `ISUP message type ${view.type}`;
  // Only an IAM begins a call, as an INVITE does.
  const { method } = message;
  if (view.type === IsupType.iam ? method !== "INVITE" : !carriers.has(method))
    return `ISUP message type ${view.type} in ${method}`;
  return readParties(view, trunk.dialPlan, countsDoubtful(trunk));
}

function join(attempt: CallAttempt, parties: IsupParties): CallAttempt {
  const { calling, names, called, diversion, privilege } = parties;
  const isElsewhere = called !== undefined && !isEmergencyCalled(called);
  return {
    ...attempt,
    calling: [...attempt.calling, ...calling],
    ...(names.length === 0 ? {} : { names }),
    // A gateway that obeys the ISUP part connects to its called party, so an emergency code must stand in both.
    called:
      isElsewhere && (attempt.emergencyUrn || isEmergencyCalled(attempt.called)) ? called : attempt.called,
    emergencyUrn: attempt.emergencyUrn && !isElsewhere,
    diversion: joinDiversion(attempt.diversion, diversion),
    // Only an IAM names the called party.
    ...(called === undefined ? {} : { isIam: true as const }),
    ...(privilege === undefined ? {} : { privilege }),
  };
}

const contradicted: AssertedIdentity = {
  source: "isup-redirecting-number",
  number: {
    kind: "unusable",
    why: "invalid",
    detail: "SIP and ISUP name different diverting parties",
    raw: "",
  },
  presentation: "allowed",
};

/**
 * Joins the diverting parties, those of the ISUP part first. When both name different last diverting parties, no
 * licence to forward counts.
 */
function joinDiversion(
  sip: readonly AssertedIdentity[],
  isup: readonly AssertedIdentity[],
): readonly AssertedIdentity[] {
  const [last] = isup;
  const [other] = sip;
  if (last === undefined) return sip;
  if (other === undefined || isSame(last.number, other.number)) return [...isup, ...sip];
  return [contradicted, ...isup, ...sip];
}

function isSame(left: PartyNumber, right: PartyNumber): boolean {
  return left.kind !== "unusable" && right.kind !== "unusable" && left.key === right.key;
}
