// Reads the numbers of a call, from SIP, ISUP or a list, into values that rules can compare.
import { type DialPlan, NumberFlag, type PartyNumber } from "../domain/number.ts";
import { isAccountName } from "./account-name.ts";
import { createDialPlan } from "./dial-plan.ts";
import {
  isEmergencyCode,
  type Party,
  readCode,
  readDialled,
  readGlobal,
  readLocal,
  readSignificant,
  unusable,
} from "./interpretation.ts";
import { readCalledInContext, readCallerInContext } from "./phone-context.ts";
import {
  decodeOnce,
  inContextBehindHost,
  isPlainNumber,
  type NumberParameters,
  readParameters,
  routesElsewhere,
  type SpelledNumber,
  spellNumber,
} from "./sip-user.ts";

/**
 * Words, in lower case, that stand for a hidden calling party: those of RFC 3323 section 4.1.1.3
 * and those that gateways write.
 */
export const hiddenTokens: ReadonlySet<string> = new Set([
  "anonymous",
  "unavailable",
  "restricted",
  "unknown",
  "private",
  "withheld",
  "blocked",
  "hidden",
  "null",
  "none",
]);

/** A number that can be used as a calling number: an E.164 number or a code of the plan. */
export type UsableNumber = Exclude<PartyNumber, { readonly kind: "unusable" }>;

/** A calling, generic or redirecting number of ISUP as decoded (Q.763 section 3.10). */
export interface IsupNumber {
  /**
   * One character for each address signal, `0`–`9` and `A`–`F`. A final `F` is the end-of-number
   * signal.
   */
  readonly digits: string;
  /** Nature of address indicator, 0–127. */
  readonly nature: number;
  /** Numbering plan indicator: 1 is E.164. */
  readonly plan: number;
  /** Number incomplete indicator. */
  readonly incomplete: boolean;
  /** Address presentation restricted indicator, 0–3. */
  readonly presentation: number;
  /**
   * The filler in the last half octet of an odd number of digits. It must be 0 (Q.763 section 3.9
   * h).
   */
  readonly filler?: number;
}

/** A called party number of ISUP (Q.763 section 3.9). */
export type IsupCalledNumber = Pick<IsupNumber, "digits" | "nature" | "plan">;

const noParameters: NumberParameters = { count: 0, phoneContext: undefined, routes: false };
const listPlan = createDialPlan();

/**
 * Reads a calling number as received, with parameters and escapes: the user part of a SIP URI, or
 * what follows `tel:` (RFC 3966). Hidden callers and numbers that no plan allows become values of
 * kind `unusable`.
 * @param hiddenWords words in lower case that mean "hidden", besides {@link hiddenTokens}
 */
export function readSipNumber(user: string, plan: DialPlan, hiddenWords?: ReadonlySet<string>): PartyNumber {
  if (isPlainNumber(user) && hiddenWords?.has(user) !== true) return readPlain(user, plan, "calling");
  return readSpelled(user, plan, "calling", hiddenWords);
}

/**
 * Reads a called number from the same input as {@link readSipNumber}. It accepts more: a kept trunk
 * zero, a final #, any phone-context domain. No call is refused for its called number: it serves
 * the emergency exemption, counting and display. An emergency code is `unusable` with routing
 * parameters or a foreign phone-context, because they could route the call to another party, and
 * behind an area code without trunk prefix or country code, because that may be another number.
 * @param uriParameters the parameters after the host, from the first ";"
 */
export function readCalledNumber(user: string, plan: DialPlan, uriParameters = ""): PartyNumber {
  const number = isPlainNumber(user)
    ? readPlain(user, plan, "called")
    : readSpelled(user, plan, "called", undefined);
  if (!isEmergencyCalled(number) || uriParameters === "") return number;
  if (routesElsewhere(uriParameters)) return reroutedEmergency(number.raw);
  const inContext = inContextBehindHost(user, uriParameters);
  return inContext === undefined || isEmergencyCalled(readSpelled(inContext, plan, "called", undefined))
    ? number
    : unusable("invalid", "foreign phone-context", number.raw);
}

/**
 * For numbers from {@link readCalledNumber} and {@link readIsupCalledNumber}.
 * @returns true for 110, 119, 120, 122, 12395 and 95110: bare, after +86, or after 0 or +86 and an
 *   area code
 */
export function isEmergencyCalled(number: PartyNumber): boolean {
  return isEmergencyCode(number);
}

/**
 * Reads a calling, generic or redirecting number of ISUP. `raw` of the result leaves out a final F.
 */
export function readIsupNumber(number: IsupNumber, dialPlan: DialPlan): PartyNumber {
  const raw = withoutFinalF(number.digits);
  // "Address not available": the rest of the parameter has no meaning (Q.763 section 3.10 e).
  if (number.presentation === 2) return unusable("unavailable", "APRI=2", raw);
  if (number.plan !== 1) return unusable("invalid", "NPI", raw);
  if (number.incomplete) return unusable("invalid", "incomplete", raw);
  if (number.presentation === 1) return unusable("restricted", "APRI=1", raw);
  if (number.presentation !== 0) return unusable("invalid", "APRI reserved", raw);
  // A reader that ignores the odd/even indicator takes the filler for a digit.
  if (number.filler !== undefined && number.filler !== 0) return unusable("invalid", "filler", raw);
  return readIsupDigits(raw, number.nature, dialPlan, "calling");
}

/** Reads a called party number of ISUP. It accepts as much as {@link readCalledNumber}. */
export function readIsupCalledNumber(number: IsupCalledNumber, dialPlan: DialPlan): PartyNumber {
  const raw = withoutFinalF(number.digits);
  if (number.plan !== 1) return unusable("invalid", "NPI", raw);
  return readIsupDigits(raw, number.nature, dialPlan, "called");
}

/**
 * Reads one number as operators write it in lists: `+861087654321`, national `01087654321` or
 * `13912345678`, or a code like `95588`. Visual separators and spaces are ignored.
 * @param homeCountry the country whose national numbers may stand without "+"; only 86 is known
 * @returns the number, or an error text for the operator
 */
export function readListNumber(text: string, homeCountry = "86"): UsableNumber | string {
  const spelled = spellNumber(text.replaceAll(" ", ""));
  if (spelled.digits === "" || spelled.strangers > 0) return `not a number: "${text}"`;
  if (!spelled.plus && !spelled.digits.startsWith("00") && homeCountry !== "86")
    return `"${text}" needs its country code: national numbers are known for country 86 only`;
  const number = readDigits(spelled, 0, text, listPlan, "calling");
  return number.kind === "unusable" ? `"${text}" is not a valid number (${number.detail})` : number;
}

function reroutedEmergency(raw: string): PartyNumber {
  return unusable("invalid", "emergency code with routing parameters", raw);
}

function readPlain(user: string, plan: DialPlan, party: Party): PartyNumber {
  return user.startsWith("+")
    ? readGlobal(user, 1, 0, user, plan, party)
    : readDialled(user, 0, user, plan, party);
}

/** Reads a number that has parameters, escapes, separators or words. */
function readSpelled(
  user: string,
  plan: DialPlan,
  party: Party,
  hiddenWords: ReadonlySet<string> | undefined,
): PartyNumber {
  const semicolon = user.indexOf(";");
  const raw = semicolon < 0 ? user : user.slice(0, semicolon);
  if (raw === "") return readNothing(user, raw);
  if (raw.includes(":")) return unusable("invalid", "password", raw);
  if (raw.includes("@")) return unusable("invalid", "unescaped @", raw);
  const text = decodeOnce(raw);
  if (typeof text !== "string") return unusable("invalid", text.fault, raw);
  const word = withoutMarks(text.toLowerCase());
  if (hiddenTokens.has(word) || hiddenWords?.has(word) === true) return unusable("token", "token", raw);

  const spelled = spellNumber(text);
  if (spelled.digits === "")
    return spelled.strangers === 0
      ? readNothing(user.slice(raw.length), raw)
      : unusable("not-a-number", "no digits", raw);
  const toleratesST = plan.stripTrailingST || party === "called";
  if (spelled.strangers > 0 && !(toleratesST && spelled.endsWithST))
    return !spelled.endsWithST && isAccountName(text, plan)
      ? unusable("not-a-number", "account name", raw)
      : unusable("invalid", "non-digit", raw);

  const parameters = semicolon < 0 ? noParameters : readParameters(user.slice(semicolon + 1));
  if ("fault" in parameters) return unusable("invalid", parameters.fault, raw);
  const number = readInContext(spelled, parameters.phoneContext, raw, plan, party);
  if (parameters.routes && party === "called" && isEmergencyCalled(number)) return reroutedEmergency(raw);
  return number;
}

const MARKS = "-. _()";

/** Returns a word without spaces, dots and the like around it: `anonymous.`, `-private-`. */
function withoutMarks(word: string): string {
  let start = 0;
  let end = word.length;
  while (start < end && MARKS.includes(word.charAt(start))) start++;
  while (end > start && MARKS.includes(word.charAt(end - 1))) end--;
  return word.slice(start, end);
}

/**
 * Reads a user part without digits before `parameters`. Readers that drop the ";" show what follows
 * it, so this is invalid. A phone-context alone belongs to a `tel:` without digits, so this is
 * empty.
 */
function readNothing(parameters: string, raw: string): PartyNumber {
  if (parameters === "") return unusable("empty", raw === "" ? "empty user" : "no digits", raw);
  const read = readParameters(parameters.slice(1));
  if ("fault" in read) return unusable("invalid", read.fault, raw);
  return read.count === 1 && read.phoneContext !== undefined
    ? unusable("empty", raw === "" ? "empty user" : "no digits", raw)
    : unusable("invalid", "parameters without a number", raw);
}

function readInContext(
  spelled: SpelledNumber,
  phoneContext: string | undefined,
  raw: string,
  plan: DialPlan,
  party: Party,
): PartyNumber {
  if (phoneContext === undefined) return readDigits(spelled, 0, raw, plan, party);
  if (spelled.plus)
    return isWithin(spelled, phoneContext)
      ? readDigits(spelled, 0, raw, plan, party)
      : unusable("invalid", "phone-context on global number", raw);
  if (!phoneContext.startsWith("+")) {
    // A domain gives the number a meaning only where that domain is known (RFC 3966 section 5.1.5).
    const domain = phoneContext.toLowerCase();
    const isKnown = plan.phoneContexts.has(domain);
    if (party === "calling" && !isKnown) return unusable("invalid", "foreign phone-context", raw);
    const number = readDigits(spelled, 0, raw, plan, party);
    return isEmergencyCode(number) && !isKnown && !isHomeNetwork(domain)
      ? unusable("invalid", "foreign phone-context", raw)
      : number;
  }
  const context = spellNumber(phoneContext);
  if (context.digits === "" || context.strangers > 0) return unusable("invalid", "bad phone-context", raw);
  const local =
    context.digits === "86" && spelled.digits.startsWith("0") ? spelled.digits.slice(1) : spelled.digits;
  if (party === "called") return readCalledInContext(spelled.digits, context.digits, local, raw, plan);
  return readCallerInContext(spelled.digits, context.digits, local, raw, plan);
}

/**
 * Tells whether a global number lies within a context of digits. Then the context says nothing that the number doesn't
 * say: some exchanges add it to every number, though RFC 3966 section 3 has it for local numbers alone.
 */
function isWithin({ digits }: SpelledNumber, phoneContext: string): boolean {
  const context = spellNumber(phoneContext);
  return (
    context.plus && context.strangers === 0 && context.digits !== "" && digits.startsWith(context.digits)
  );
}

/** The mobile networks of China: MCC 460 and 461 (ITU-T E.212). */
const homeNetworks: readonly string[] = [".mcc460.3gppnetwork.org", ".mcc461.3gppnetwork.org"];

/** True for the domain of a mobile network of the home country, in lower case (3GPP TS 23.003 section 13.2). */
function isHomeNetwork(domain: string): boolean {
  return homeNetworks.some((network) => domain.endsWith(network));
}

function readDigits(
  spelled: SpelledNumber,
  flags: number,
  raw: string,
  plan: DialPlan,
  party: Party,
): PartyNumber {
  return spelled.plus
    ? readGlobal(spelled.digits, 0, flags, raw, plan, party)
    : readDialled(spelled.digits, flags, raw, plan, party);
}

/**
 * Reads address signals by their nature of address: 1 subscriber, 2 unknown, 3 national
 * significant, 4 international (Q.763 section 3.10 b).
 */
function readIsupDigits(digits: string, nature: number, plan: DialPlan, party: Party): PartyNumber {
  if (digits === "") return unusable("invalid", "no digits", digits);
  if (!isPlainNumber(digits) || digits.startsWith("+"))
    return unusable("invalid", "code 10-15 digit", digits);
  switch (nature) {
    case 1:
      return readSubscriber(digits, plan);
    case 2:
      return readDialled(digits, NumberFlag.unknownNature, digits, plan, party);
    case 3:
      return readSignificant(digits, plan.international ? NumberFlag.domesticForm : 0, digits, plan, party);
    case 4:
      return readGlobal(digits, 0, 0, digits, plan, party);
    default:
      return unusable("invalid", `NoA ${nature}`, digits);
  }
}

function readSubscriber(digits: string, plan: DialPlan): PartyNumber {
  if (plan.international) return unusable("invalid", "subscriber NoA on intl", digits);
  const flags = NumberFlag.subscriberNature;
  return (
    readCode(digits, flags, digits) ??
    readLocal(digits, flags, digits, plan) ??
    unusable("invalid", "no rule", digits)
  );
}

function withoutFinalF(digits: string): string {
  return digits.endsWith("F") ? digits.slice(0, -1) : digits;
}
