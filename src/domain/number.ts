// Telephone numbers: what was received, and what it means under a dial plan.

/**
 * `raw` is the number as received: kept for evidence, never trusted. The other members say what it means under a dial
 * plan. Only `numbering/` makes these values.
 */
declare const brand: unique symbol;

/** A full international number (ITU-T E.164): digits only, country code first, no "+", at most 15. */
export type E164 = string & { readonly [brand]: "E164" };

/**
 * The class of a number: `foreign`, or a kind of the +86 plan (data column `kind`), or `area+95/96`
 * for a code 95… or 96… behind an area code. Other codes keep their class behind an area code.
 * Nodes tell each other places in this list: new classes come last.
 */
export const numberClasses = [
  "foreign",
  "fixed",
  "mobile",
  "mobile_mvno",
  "mobile_satellite",
  "mobile_emergency_comms",
  "mobile_iot",
  "mobile_reserved",
  "area+95/96",
  "emergency",
  "emergency_sms",
  "fault_or_gsm_emergency",
  "directory",
  "anti_fraud",
  "operator_service",
  "public_service",
  "business_code",
  "info_line",
  "ip_prefix",
  "sms_port",
  "intl_service",
  "enterprise_95",
  "callcentre_95",
  "short_95",
  "short_96",
  "intelligent_400",
  "intelligent_800",
  "intelligent_1010",
] as const;
export type NumberClass = (typeof numberClasses)[number];

/** How a number was written, as bits of {@link PartyNumber}`.flags`. */
export const NumberFlag = {
  /** Read under the national plan without "+", "00" or "86": it looks like a domestic number. */
  domesticForm: 1,
  /** Country code without "+" or "00". */
  noPlus: 2,
  /** International prefix 00. */
  prefix00: 4,
  /** Subscriber number, completed with the trunk's home area. */
  local: 8,
  /** National (significant) number without trunk prefix, on a domestic trunk. */
  nsn: 16,
  /** Completed by a tel URI phone-context (RFC 3966 section 5.1.5). */
  context: 32,
  /** ISUP nature of address "subscriber number". */
  subscriberNature: 64,
  /** ISUP nature of address "unknown". */
  unknownNature: 128,
  /** Bare, from abroad: it reads as a home number, and another country has such a number. */
  ambiguous: 256,
} as const;

/**
 * Why a number can't be used as a caller.
 * `empty`: no digits at all; `token`: a word that stands for a hidden caller ("anonymous");
 * `restricted`, `unavailable`: ISUP presentation indicator; `not-a-number`: a name, also one with digits that are no number (`pbx01`);
 * `invalid`: something like a number that no plan allows.
 * Nodes tell each other places in this list: new ones come last.
 */
export const unusableWhys = [
  "empty",
  "token",
  "restricted",
  "unavailable",
  "not-a-number",
  "invalid",
] as const;
export type UnusableWhy = (typeof unusableWhys)[number];

/** A number of the calling, called or diverting party. */
export type PartyNumber =
  | {
      readonly kind: "e164";
      readonly e164: E164;
      readonly class: NumberClass;
      readonly flags: number;
      /**
       * The digits as a double (E.164 has at most 15 digits, below 2^53): the key of number sets. Of class
       * `area+95/96`: the key of the code, because it is one number however it is written.
       */
      readonly key: number;
      readonly raw: string;
    }
  | {
      readonly kind: "short";
      /** The code as it was written: `95588`; `+8695588` behind +86; `+861012345` behind an area code. */
      readonly code: string;
      readonly class: NumberClass;
      readonly flags: number;
      /**
       * The digits of the code alone, without country code and area code, as a negative double. A code has
       * one key however it is written; codes and E.164 numbers never meet in a set.
       */
      readonly key: number;
      readonly raw: string;
    }
  | {
      readonly kind: "unusable";
      readonly why: UnusableWhy;
      /** Why, in words for people: "cc 95: bad length". */
      readonly detail: string;
      readonly raw: string;
    };

/** The number as people and files write it: `+861087654321`, `95588`; undefined when unusable. */
export function formatNumber(number: PartyNumber): string | undefined {
  if (number.kind === "e164") return `+${number.e164}`;
  return number.kind === "short" ? number.code : undefined;
}

/** The number of a key, as people write it. Codes have negative keys. */
export function formatKey(key: number): string {
  return key < 0 ? String(-key) : `+${key}`;
}

/** The key of a number that {@link formatKey} wrote; undefined for any other text. */
export function readKey(text: string): number | undefined {
  const isGlobal = text.startsWith("+");
  const digits = isGlobal ? text.slice(1) : text;
  const value = Number(digits);
  if (digits.length === 0 || digits.length > 15 || !Number.isSafeInteger(value) || value <= 0)
    return undefined;
  if (String(value) !== digits) return undefined;
  return isGlobal ? value : -value;
}

/** Numbers of a block of callers: they differ in the last two digits. */
export const BLOCK_OF_CALLERS = 100;

/** How bare numbers are read on a trunk. */
export interface DialPlan {
  /** True on a trunk whose other end is abroad: bare numbers are foreign unless they parse as home numbers. */
  readonly international: boolean;
  /** The trunk's own area code without trunk prefix ("10"); undefined: no local numbers. */
  readonly homeArea: string | undefined;
  /** Domains accepted as tel URI phone-context on this trunk, lower case. */
  readonly phoneContexts: ReadonlySet<string>;
  /** Which reading of a bare number is allowed (`auto`: the first that fits). */
  readonly bareForm: "auto" | "national" | "local" | "e164" | "reject";
  /** Accept the trunk prefix kept behind +86 (`+86 0…`). */
  readonly tolerateTrunkZero: boolean;
  /** Accept one trailing F or # on a SIP number. */
  readonly stripTrailingST: boolean;
}
