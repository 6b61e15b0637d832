// Reads a number that has a phone-context parameter.
import { type DialPlan, NumberFlag, type PartyNumber } from "../domain/number.ts";
import { isAreaCode } from "./cn.ts";
import { countryCodeLength, findCountryCode } from "./country-code.ts";
import { isEmergencyCode, readDialled, readGlobal, unusable } from "./interpretation.ts";

const HOME_COUNTRY = 86;

/**
 * Reads a calling party's local number under `phone-context=+…` (RFC 3966 section 5.1.5). Many
 * elements ignore the context and show the bare digits. So the context may only say what the bare
 * digits mean anyway. It is a country code, or +86 with an area code; on an international trunk
 * only +86 is allowed.
 * @param bare the digits as they stand before the parameters
 * @param context the digits of the context
 * @param local `bare` without a trunk prefix
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
  const area = context.slice(countryCodeLength(country));
  if (country === 0 || (area !== "" && !(country === HOME_COUNTRY && isAreaCode(area))))
    return unusable("invalid", "bad phone-context", raw);
  if (plan.international && country !== HOME_COUNTRY)
    return unusable("invalid", "foreign phone-context", raw);
  const flags = plan.international ? NumberFlag.context | NumberFlag.domesticForm : NumberFlag.context;
  const number = readGlobal(context + local, 0, flags, raw, plan, "calling");
  if (number.kind === "unusable") return number;
  const dialledAtHome = country !== HOME_COUNTRY && (bare.startsWith("0") || bare.startsWith("86"));
  // The bare digits are read as generously as a called number, so that any element's reading
  // counts.
  return dialledAtHome || isOtherNumber(readDialled(bare, 0, raw, plan, "called"), number)
    ? unusable("invalid", "phone-context changes the number", raw)
    : number;
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
  const isHome = context === "86" || (context.startsWith("86") && isAreaCode(context.slice(2)));
  return isHome && isEmergencyCode(readDialled(bare, 0, raw, plan, "called"))
    ? number
    : unusable("invalid", "foreign phone-context", raw);
}
