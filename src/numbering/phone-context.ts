// Reads a number that has a phone-context parameter.
import { type DialPlan, NumberFlag, type PartyNumber } from "../domain/number.ts";
import { isAreaCode } from "./cn.ts";
import { countryCodeLength, findCountryCode } from "./country-code.ts";
import { createDialPlan } from "./dial-plan.ts";
import { isEmergencyCode, readDialled, readGlobal, unusable } from "./interpretation.ts";

/** A number of kind e164 or short. */
type UsableNumber = Exclude<PartyNumber, { readonly kind: "unusable" }>;

const HOME_COUNTRY = 86;
/** No country has longer area codes. */
const LONGEST_AREA = 5;

/** Countries whose national numbers begin with 0: there it is no trunk prefix. Italy, San Marino and four in Africa. */
const keepsZero: ReadonlySet<number> = new Set([39, 225, 229, 241, 242, 378]);

/** How a subscriber in China takes bare digits from abroad, without knowing an area. */
const atHome = createDialPlan();

/**
 * Reads a calling party's local number under `phone-context=+…` (RFC 3966 section 5.1.5): the form in
 * which IMS networks assert national numbers. Many elements ignore the context and show the bare
 * digits. So the context may not turn what looks like a home number into another number.
 *
 * - Under +86, with or without an area code, the bare digits must be the same number or none.
 * - Under another country, with or without an area code, they must not look like a number or code of
 *   the home plan. A local number of 7 or 8 digits does not: every country has such numbers. A
 *   fixed number without its trunk prefix is `NumberFlag.ambiguous`.
 *
 * @param bare the digits as they stand before the parameters
 * @param context the digits of the context
 * @param local `bare` without a trunk prefix of +86
 * @param raw the number as received, kept for evidence
 * @param plan the dial plan of the trunk
 */
export function readCallerInContext(
  bare: string,
  context: string,
  local: string,
  raw: string,
  plan: DialPlan,
): PartyNumber {
  const country = findCountryCode(context, 0);
  if (country === 0) return unusable("invalid", "bad phone-context", raw);
  return country === HOME_COUNTRY
    ? readAtHome(bare, context, local, raw, plan)
    : readAbroad(bare, context, country, raw, plan);
}

function readAtHome(bare: string, context: string, local: string, raw: string, plan: DialPlan): PartyNumber {
  const area = context.slice(2);
  if (area !== "" && !isAreaCode(area)) return unusable("invalid", "bad phone-context", raw);
  const flags = plan.international ? NumberFlag.context | NumberFlag.domesticForm : NumberFlag.context;
  const number = readGlobal(context + local, 0, flags, raw, plan, "calling");
  if (number.kind === "unusable") return number;
  // The bare digits are read as generously as a called number, so that any element's reading
  // counts.
  return isOtherNumber(readDialled(bare, 0, raw, plan, "called"), number)
    ? unusable("invalid", "phone-context changes the number", raw)
    : number;
}

function readAbroad(
  bare: string,
  context: string,
  country: number,
  raw: string,
  plan: DialPlan,
): PartyNumber {
  // A longer context holds digits of the number itself, which an element that ignores it would not show.
  if (context.length - countryCodeLength(country) > LONGEST_AREA)
    return unusable("invalid", "bad phone-context", raw);
  const look = lookAtHome(bare, raw, plan);
  if (look === "home") return unusable("invalid", "phone-context changes the number", raw);
  const flags = look === "ambiguous" ? NumberFlag.context | NumberFlag.ambiguous : NumberFlag.context;
  const hasTrunkPrefix = bare.startsWith("0") && !keepsZero.has(country);
  return readGlobal(context + (hasTrunkPrefix ? bare.slice(1) : bare), 0, flags, raw, plan, "calling");
}

/**
 * Tells what the called side takes bare digits for, with or without the zero in front of them. On an
 * international trunk, `ambiguous` is a fixed number of home without its trunk prefix: 2125551234 is
 * one of Shanghai and one of New York. Behind 00, digits are a number of no context.
 */
function lookAtHome(bare: string, raw: string, plan: DialPlan): "home" | "ambiguous" | "foreign" {
  if (bare.startsWith("00")) return "home";
  const reader = plan.international ? atHome : plan;
  const whole = readDialled(bare, 0, raw, reader, "called");
  if (bare.startsWith("0") && isHome(readDialled(bare.slice(1), 0, raw, reader, "called"))) return "home";
  if (!isHome(whole)) return "foreign";
  const isSignificant = whole.class === "fixed" && (whole.flags & NumberFlag.nsn) !== 0;
  return plan.international && isSignificant ? "ambiguous" : "home";
}

function isHome(number: PartyNumber): number is UsableNumber {
  return number.kind !== "unusable" && number.class !== "foreign";
}

/** Tells whether the bare digits are a number or code other than the one read in context. */
function isOtherNumber(bare: PartyNumber, inContext: PartyNumber): boolean {
  return bare.kind !== "unusable" && (inContext.kind === "unusable" || inContext.key !== bare.key);
}

/**
 * Reads a called party's local number under `phone-context=+…`. It is an emergency number only
 * under +86 or +86 with an area code, and only when it is one without the context too: an element
 * that ignores the context must not route an ordinary call. The parameters are those of
 * {@link readCallerInContext}.
 */
export function readCalledInContext(
  bare: string,
  context: string,
  local: string,
  raw: string,
  plan: DialPlan,
): PartyNumber {
  const number = readGlobal(context + local, 0, NumberFlag.context, raw, plan, "called");
  if (!isEmergencyCode(number)) return number;
  const isAtHome = context === "86" || (context.startsWith("86") && isAreaCode(context.slice(2)));
  return isAtHome && isEmergencyCode(readDialled(bare, 0, raw, plan, "called"))
    ? number
    : unusable("invalid", "foreign phone-context", raw);
}
