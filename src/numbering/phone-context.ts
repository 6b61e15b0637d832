// Reads a calling number that has a phone-context parameter.
import { type DialPlan, NumberFlag, type PartyNumber } from "../domain/number.ts";
import { isAreaCode } from "./cn.ts";
import { countryCodeLength, findCountryCode } from "./country-code.ts";
import { readDialled, readGlobal, unusable } from "./interpretation.ts";

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
  switch (bare.kind) {
    case "unusable":
      return false;
    case "e164":
      return inContext.kind !== "e164" || inContext.e164 !== bare.e164;
    case "short":
      return inContext.kind !== "short" || nationalCode(inContext.code) !== nationalCode(bare.code);
  }
}

/** Returns a code without the country code in front of it. */
function nationalCode(code: string): string {
  return code.startsWith("+") ? code.slice(3) : code;
}
