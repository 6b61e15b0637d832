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

/** The country whose plan is read digit by digit; all others are known by the length of their numbers only. */
const HOME_COUNTRY = 86;
const DIGIT_0 = 0x30;
/** ITU-T E.164 section 6: country code and national number together. */
const MAX_DIGITS = 15;
/** Shorter than any country code with its shortest number. */
const MIN_DIGITS = 4;

/**
 * Whose number is read. A called number is read more generously (an emergency code behind an area code, a kept trunk zero):
 * it decides no permission except the emergency exemption.
 */
export type Party = "calling" | "called";

/** A number that can't be used as a caller, with the reason in words. */
export function unusable(why: UnusableWhy, detail: string, raw: string): PartyNumber {
  return { kind: "unusable", why, detail, raw };
}

/**
 * Digits without a "+", as they stand on the wire: international prefix, trunk prefix, or bare.
 * `flags` are those known so far; `text` holds ASCII digits only.
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

/** An international number: `text` from `start`, beginning with a country code. */
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

/** A national significant number or code without trunk prefix, as ISUP nature of address 3 carries it. */
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

/** A nationwide code, or undefined. */
export function readCode(text: string, flags: number, raw: string): PartyNumber | undefined {
  const numberClass = classifyNational(text, 0);
  if (numberClass === undefined || !isCodeClass(numberClass)) return undefined;
  return mintCode(text, numberClass, flags, raw);
}

/** A subscriber number of a domestic trunk's own area, or undefined when its length or first digit doesn't fit. */
export function readLocal(text: string, flags: number, raw: string, plan: DialPlan): PartyNumber | undefined {
  if (plan.homeArea === undefined) return undefined;
  const national = plan.homeArea + text;
  if (classifyNational(national, 0) !== "fixed") return undefined;
  return mintNumber(`86${national}`, "fixed", flags | NumberFlag.local, raw);
}

/** Digits behind +86, 0086 or 86: `text` from `start`. */
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
  // Some codes are spelled like an area code and an emergency code (951 110, 10 110). Written with the country code the
  // area is meant: a call to the police must get through.
  if (party === "called" && isEmergencyBehindArea(text, from))
    return mintCode(`+86${text.slice(from)}`, "emergency", flags, raw);
  const numberClass = classifyNational(text, from);
  if (numberClass === undefined) return undefined;
  if (!isCodeClass(numberClass))
    return mintNumber(zero ? `86${text.slice(from)}` : text.slice(start - 2), numberClass, flags, raw);
  return zero ? undefined : mintCode(`+86${text.slice(from)}`, numberClass, flags, raw);
}

/** National with trunk prefix 0. Codes are never dialled behind it. */
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

/** Codes, then national numbers, then local ones; an area code before 95xxx last, for it may look like a local number. */
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

/** Whatever reads as a home number looks like one to the called party, so that reading comes first. */
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

/** The only place where an E164 is made; the plans have let through nothing shorter or longer. */
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

/** At most 15 digits: exact as a double. */
function valueOf(digits: string, start: number): number {
  let value = 0;
  for (let at = start; at < digits.length; at++) value = value * 10 + digits.charCodeAt(at) - DIGIT_0;
  return value;
}
