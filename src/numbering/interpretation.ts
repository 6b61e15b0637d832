// Decides what the digits of a number mean under the dial plan of the trunk.
import {
  type DialPlan,
  type E164,
  type NumberClass,
  NumberFlag,
  type PartyNumber,
  type UnusableWhy,
} from "../domain/number.ts";
import { classifyNational, findCodeBehindArea, isCodeClass } from "./cn.ts";
import { countryCodeLength, findCountryCode, findForeignFault } from "./country-code.ts";
import { mayBeSubscriber, readsAsHome } from "./home-form.ts";

/**
 * The country whose plan is read digit by digit. Of all others only the possible lengths are known.
 */
const HOME_COUNTRY = 86;
const DIGIT_0 = 0x30;
/** At most this many digits in country code and national number together (ITU-T E.164 section 6). */
const MAX_DIGITS = 15;
/** Shorter than any country code with its shortest number. */
const MIN_DIGITS = 4;

/**
 * The classes whose codes form the class `area+95/96` behind an area code. Every other code keeps
 * its class there.
 */
const servicesBehindArea: ReadonlySet<NumberClass> = new Set<NumberClass>([
  "enterprise_95",
  "callcentre_95",
  "short_95",
  "short_96",
]);

/**
 * The party whose number is read. A called number is read more generously, for example with a kept
 * trunk zero. It decides no permission except the emergency exemption, and for that it is read
 * exactly.
 */
export type Party = "calling" | "called";

/** Makes a number that cannot be used as a calling number. `detail` gives the reason in words. */
export function unusable(why: UnusableWhy, detail: string, raw: string): PartyNumber {
  return { kind: "unusable", why, detail, raw };
}

/**
 * Reads digits without "+" as they stand on the wire: with an international prefix, with a trunk
 * prefix, or bare.
 * @param text ASCII digits only
 * @param flags the bits of {@link NumberFlag} known so far
 * @param raw the number as received, kept for evidence
 * @param plan the dial plan of the trunk
 * @param party the party whose number it is
 */
export function readDialled(
  text: string,
  flags: number,
  raw: string,
  plan: DialPlan,
  party: Party,
): PartyNumber {
  if (text.charCodeAt(0) !== DIGIT_0) return readBare(text, flags, raw, plan, party);
  if (text.charCodeAt(1) !== DIGIT_0) return readTrunkPrefixed(text, flags, raw);
  if (text.charCodeAt(2) === DIGIT_0) return unusable("invalid", "000 prefix", raw);
  return readGlobal(text, 2, flags | NumberFlag.prefix00, raw, plan, party);
}

/**
 * Reads an international number: `text` from `start`, which begins with a country code. The other
 * parameters are those of {@link readDialled}.
 */
export function readGlobal(
  text: string,
  start: number,
  flags: number,
  raw: string,
  plan: DialPlan,
  party: Party,
): PartyNumber {
  if (text.charCodeAt(start) === DIGIT_0) return unusable("invalid", "cc starts with 0", raw);
  const length = text.length - start;
  if (length > MAX_DIGITS) return unusable("invalid", ">15 digits", raw);
  const country = findCountryCode(text, start);
  if (country === 0) return unusable("invalid", "unassigned country code", raw);
  if (country === HOME_COUNTRY) {
    const tolerant = plan.tolerateTrunkZero || party === "called";
    return readHome(text, start + 2, flags, raw, tolerant) ?? unusable("invalid", "86 + unallocated", raw);
  }
  const fault = findForeignFault(country, text, start + countryCodeLength(country));
  if (fault !== undefined) return unusable("invalid", fault, raw);
  return mintNumber(text.slice(start), "foreign", flags, raw);
}

/**
 * Reads a national significant number or code without trunk prefix, as in nature of address 3 of
 * ISUP.
 */
export function readSignificant(
  text: string,
  flags: number,
  raw: string,
  plan: DialPlan,
  party: Party,
): PartyNumber {
  if (text.charCodeAt(0) === DIGIT_0 && !plan.tolerateTrunkZero && party === "calling")
    return unusable("invalid", "national with leading 0", raw);
  const start = text.charCodeAt(0) === DIGIT_0 ? 1 : 0;
  const codeAt = findCodeBehindArea(text, start);
  if (codeAt >= 0) return mintBehindArea(text, start, codeAt, flags, raw);
  const numberClass = classifyNational(text, start);
  if (numberClass === undefined) return unusable("invalid", "86 + unallocated", raw);
  if (!isCodeClass(numberClass)) return mintNumber(`86${text.slice(start)}`, numberClass, flags, raw);
  if (start === 1) return unusable("invalid", "national with leading 0", raw);
  return mintCode(text, numberClass, flags, raw);
}

/**
 * Reads a nationwide code.
 * @returns undefined when `text` is none
 */
export function readCode(text: string, flags: number, raw: string): PartyNumber | undefined {
  const numberClass = classifyNational(text, 0);
  if (numberClass === undefined || !isCodeClass(numberClass)) return undefined;
  return mintCode(text, numberClass, flags, raw);
}

/**
 * Reads a subscriber number in the area of a domestic trunk.
 * @returns undefined when its length or first digit does not fit, or when the trunk has no area
 */
export function readLocal(text: string, flags: number, raw: string, plan: DialPlan): PartyNumber | undefined {
  if (plan.homeArea === undefined) return undefined;
  const national = plan.homeArea + text;
  if (classifyNational(national, 0) !== "fixed") return undefined;
  return mintNumber(`86${national}`, "fixed", flags | NumberFlag.local, raw);
}

/** Reads the digits after +86, 0086 or 86: `text` from `start`. */
function readHome(
  text: string,
  start: number,
  flags: number,
  raw: string,
  toleratesZero: boolean,
): PartyNumber | undefined {
  const zero = toleratesZero && text.charCodeAt(start) === DIGIT_0;
  const from = zero ? start + 1 : start;
  // Some codes have the digits of an area code and an emergency code (951 110, 10 110). Behind the
  // country code the area is meant: a call to the police must get through.
  const codeAt = findCodeBehindArea(text, from);
  if (codeAt >= 0) return mintBehindArea(text, from, codeAt, flags, raw);
  const numberClass = classifyNational(text, from);
  if (numberClass === undefined) return undefined;
  if (!isCodeClass(numberClass))
    return mintNumber(zero ? `86${text.slice(from)}` : text.slice(start - 2), numberClass, flags, raw);
  return zero ? undefined : mintCode(`+86${text.slice(from)}`, numberClass, flags, raw);
}

/**
 * Reads a national number with trunk prefix 0. Codes are dialled after it only behind an area code.
 */
function readTrunkPrefixed(text: string, flags: number, raw: string): PartyNumber {
  const known = flags | NumberFlag.domesticForm;
  const codeAt = findCodeBehindArea(text, 1);
  if (codeAt >= 0) return mintBehindArea(text, 1, codeAt, known, raw);
  const numberClass = classifyNational(text, 1);
  if (numberClass === undefined || isCodeClass(numberClass))
    return unusable("invalid", "0 + unallocated", raw);
  return mintNumber(`86${text.slice(1)}`, numberClass, known, raw);
}

function readBare(text: string, flags: number, raw: string, plan: DialPlan, party: Party): PartyNumber {
  if (party === "calling") return readBareBy(plan.bareForm, text, flags, raw, plan, party);
  const number = readBareBy("auto", text, flags, raw, plan, party);
  // The next network may complete such digits to a subscriber number: 8612395, and 8610110.
  return isEmergencyCode(number) && (number.flags & NumberFlag.noPlus) !== 0 && mayBeSubscriber(text)
    ? unusable("invalid", "no rule", raw)
    : number;
}

function readBareBy(
  form: DialPlan["bareForm"],
  text: string,
  flags: number,
  raw: string,
  plan: DialPlan,
  party: Party,
): PartyNumber {
  if (plan.international) return readBareFromAbroad(text, flags, raw, plan, party, form);
  if (form === "e164") return readGlobal(text, 0, flags | NumberFlag.noPlus, raw, plan, party);
  return (
    readBareAtHome(text, flags, raw, plan, party, form) ??
    (text.startsWith("86") && text.length <= MAX_DIGITS
      ? readHome(text, 2, flags | NumberFlag.noPlus, raw, plan.tolerateTrunkZero || party === "called")
      : undefined) ??
    unusable("invalid", "no rule", raw)
  );
}

/**
 * Tries codes, then national numbers, then local ones. A code behind an area code comes last,
 * because it may look like a local number.
 */
function readBareAtHome(
  text: string,
  flags: number,
  raw: string,
  plan: DialPlan,
  party: Party,
  form: DialPlan["bareForm"],
): PartyNumber | undefined {
  if (form === "reject") return undefined;
  const numberClass = classifyNational(text, 0);
  if (numberClass !== undefined && isCodeClass(numberClass)) return mintCode(text, numberClass, flags, raw);
  if (numberClass !== undefined && form !== "local")
    return mintNumber(`86${text}`, numberClass, flags | NumberFlag.nsn, raw);
  const local = form === "national" ? undefined : readLocal(text, flags, raw, plan);
  if (local !== undefined || form === "local") return local;
  return readBareBehindArea(text, flags | NumberFlag.nsn, raw, party);
}

/**
 * Reads an area code and a code without trunk prefix. Such a called number is no emergency call:
 * nobody dials one so, and the next network may read a subscriber number (755 12395).
 * @returns undefined when `text` is no area code and code
 */
function readBareBehindArea(text: string, flags: number, raw: string, party: Party): PartyNumber | undefined {
  const codeAt = findCodeBehindArea(text, 0);
  if (codeAt < 0) return undefined;
  const number = mintBehindArea(text, 0, codeAt, flags, raw);
  return party === "called" && isEmergencyCode(number) ? undefined : number;
}

/**
 * The home reading comes first: a number that reads as a home number looks like one to the called
 * party.
 */
function readBareFromAbroad(
  text: string,
  flags: number,
  raw: string,
  plan: DialPlan,
  party: Party,
  form: DialPlan["bareForm"],
): PartyNumber {
  const mayBeForeign = form === "auto" || form === "e164";
  const ambiguity = mayBeForeign && isForeignNumber(text) && readsAsHome(text) ? NumberFlag.ambiguous : 0;
  if (form === "auto" || form === "national") {
    const numberClass = classifyNational(text, 0);
    const known = flags | NumberFlag.domesticForm | ambiguity;
    if (numberClass !== undefined)
      return isCodeClass(numberClass)
        ? mintCode(text, numberClass, known, raw)
        : mintNumber(`86${text}`, numberClass, known, raw);
    const behindArea = readBareBehindArea(text, known, raw, party);
    if (behindArea !== undefined) return behindArea;
  }
  if (form === "auto" || form === "e164" || text.startsWith("86"))
    return readGlobal(text, 0, flags | NumberFlag.noPlus | ambiguity, raw, plan, party);
  return unusable("invalid", "no rule", raw);
}

/** Tells whether the plan of another country than the home country allows these digits. */
function isForeignNumber(text: string): boolean {
  const country = findCountryCode(text, 0);
  if (country === 0 || country === HOME_COUNTRY || text.length > MAX_DIGITS) return false;
  return findForeignFault(country, text, countryCodeLength(country)) === undefined;
}

/** @returns true for the code of an emergency service, however it is written */
export function isEmergencyCode(number: PartyNumber): number is PartyNumber & { readonly kind: "short" } {
  return number.kind === "short" && number.class === "emergency";
}

function mintNumber(
  digits: string,
  numberClass: NumberClass,
  flags: number,
  raw: string,
  key = valueOf(digits, 0),
): PartyNumber {
  if (!isE164(digits)) return unusable("invalid", "length", raw);
  return { kind: "e164", e164: digits, class: numberClass, flags, key, raw };
}

/** Makes the number of a code that begins at `codeAt` behind the area code at `start`. */
function mintBehindArea(
  text: string,
  start: number,
  codeAt: number,
  flags: number,
  raw: string,
): PartyNumber {
  const numberClass = classifyNational(text, codeAt);
  if (numberClass === undefined) return unusable("invalid", "86 + unallocated", raw);
  const written = `86${text.slice(start)}`;
  const key = -valueOf(text, codeAt);
  if (servicesBehindArea.has(numberClass)) return mintNumber(written, "area+95/96", flags, raw, key);
  return { kind: "short", code: `+${written}`, class: numberClass, flags, key, raw };
}

/**
 * Invariant: this is the only place where an E164 is made. The plans let through nothing shorter or
 * longer.
 */
function isE164(digits: string): digits is E164 {
  return digits.length >= MIN_DIGITS && digits.length <= MAX_DIGITS;
}

function mintCode(code: string, numberClass: NumberClass, flags: number, raw: string): PartyNumber {
  return {
    kind: "short",
    code,
    class: numberClass,
    flags,
    key: -valueOf(code, code.startsWith("+86") ? 3 : 0),
    raw,
  };
}

/** Returns the digits as a number. At most 15 digits, so the double is exact. */
function valueOf(digits: string, start: number): number {
  let value = 0;
  for (let at = start; at < digits.length; at++) value = value * 10 + digits.charCodeAt(at) - DIGIT_0;
  return value;
}

/**
 * A number of which only the key is known, as another node tells it: good for counting, without what was received.
 *
 * @param key as in {@link PartyNumber}
 */
export function numberOfKey(kind: "e164" | "short", key: number, numberClass: NumberClass): PartyNumber {
  const digits = String(Math.abs(key));
  if (kind === "short") return { kind, code: digits, class: numberClass, flags: 0, key, raw: "" };
  return mintNumber(key < 0 ? `86${digits}` : digits, numberClass, 0, "", key);
}
