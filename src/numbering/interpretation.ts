// Decides what the digits of a number mean under the dial plan of the trunk.
import {
  type DialPlan,
  type E164,
  type NumberClass,
  NumberFlag,
  type PartyNumber,
  type UnusableWhy,
} from "../domain/number.ts";
import { classifyNational, isCodeClass, isEmergencyBehindArea } from "./cn.ts";
import { countryCodeLength, findCountryCode, fitsCountry } from "./country-code.ts";

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
 * The party whose number is read. A called number is read more generously, for example with an
 * emergency code after an area code or a kept trunk zero. It decides no permission except the
 * emergency exemption.
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
  if (text.charCodeAt(1) !== DIGIT_0) return readTrunkPrefixed(text, flags, raw, party);
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
    return (
      readHome(text, start + 2, flags, raw, tolerant, party) ?? unusable("invalid", "86 + unallocated", raw)
    );
  }
  if (!fitsCountry(country, length - countryCodeLength(country)))
    return unusable("invalid", `cc ${country}: bad length`, raw);
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
  if (party === "called" && isEmergencyBehindArea(text, start))
    return mintCode(`+86${text.slice(start)}`, "emergency", flags, raw);
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
  party: Party,
): PartyNumber | undefined {
  const zero = toleratesZero && text.charCodeAt(start) === DIGIT_0;
  const from = zero ? start + 1 : start;
  // Some codes have the digits of an area code and an emergency code (951 110, 10 110). Behind the
  // country code the area is meant: a call to the police must get through.
  if (party === "called" && isEmergencyBehindArea(text, from))
    return mintCode(`+86${text.slice(from)}`, "emergency", flags, raw);
  const numberClass = classifyNational(text, from);
  if (numberClass === undefined) return undefined;
  if (!isCodeClass(numberClass))
    return mintNumber(zero ? `86${text.slice(from)}` : text.slice(start - 2), numberClass, flags, raw);
  return zero ? undefined : mintCode(`+86${text.slice(from)}`, numberClass, flags, raw);
}

/** Reads a national number with trunk prefix 0. Codes are never dialled after it. */
function readTrunkPrefixed(text: string, flags: number, raw: string, party: Party): PartyNumber {
  const known = flags | NumberFlag.domesticForm;
  if (party === "called" && isEmergencyBehindArea(text, 1))
    return mintCode(`+86${text.slice(1)}`, "emergency", known, raw);
  const numberClass = classifyNational(text, 1);
  if (numberClass === undefined || isCodeClass(numberClass))
    return unusable("invalid", "0 + unallocated", raw);
  return mintNumber(`86${text.slice(1)}`, numberClass, known, raw);
}

function readBare(text: string, flags: number, raw: string, plan: DialPlan, party: Party): PartyNumber {
  const form = party === "called" ? "auto" : plan.bareForm;
  if (plan.international) return readBareFromAbroad(text, flags, raw, plan, party, form);
  if (form === "e164") return readGlobal(text, 0, flags | NumberFlag.noPlus, raw, plan, party);
  return (
    readBareAtHome(text, flags, raw, plan, party, form) ??
    (text.startsWith("86") && text.length <= MAX_DIGITS
      ? readHome(text, 2, flags | NumberFlag.noPlus, raw, plan.tolerateTrunkZero || party === "called", party)
      : undefined) ??
    unusable("invalid", "no rule", raw)
  );
}

/**
 * Tries codes, then national numbers, then local ones. An area code before 95xxx comes last,
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
  const significant = form === "local" ? undefined : numberClass;
  if (significant !== undefined && significant !== "area+95/96")
    return mintNumber(`86${text}`, significant, flags | NumberFlag.nsn, raw);
  const local = form === "national" ? undefined : readLocal(text, flags, raw, plan);
  if (local !== undefined) return local;
  if (significant !== undefined) return mintNumber(`86${text}`, significant, flags | NumberFlag.nsn, raw);
  if (party === "called" && isEmergencyBehindArea(text, 0))
    return mintCode(`+86${text}`, "emergency", flags | NumberFlag.nsn, raw);
  return undefined;
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
  if (form === "auto" || form === "national") {
    const numberClass = classifyNational(text, 0);
    const known = flags | NumberFlag.domesticForm;
    if (numberClass !== undefined)
      return isCodeClass(numberClass)
        ? mintCode(text, numberClass, known, raw)
        : mintNumber(`86${text}`, numberClass, known, raw);
    if (party === "called" && isEmergencyBehindArea(text, 0))
      return mintCode(`+86${text}`, "emergency", known, raw);
  }
  if (form === "auto" || form === "e164" || text.startsWith("86"))
    return readGlobal(text, 0, flags | NumberFlag.noPlus, raw, plan, party);
  return unusable("invalid", "no rule", raw);
}

function mintNumber(digits: string, numberClass: NumberClass, flags: number, raw: string): PartyNumber {
  if (!isE164(digits)) return unusable("invalid", "length", raw);
  return { kind: "e164", e164: digits, class: numberClass, flags, key: valueOf(digits, 0), raw };
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
    key: -valueOf(code, code.startsWith("+") ? 1 : 0),
    raw,
  };
}

/** Returns the digits as a number. At most 15 digits, so the double is exact. */
function valueOf(digits: string, start: number): number {
  let value = 0;
  for (let at = start; at < digits.length; at++) value = value * 10 + digits.charCodeAt(at) - DIGIT_0;
  return value;
}
