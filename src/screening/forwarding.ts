// Finds the diverting number that a lessee's list lets forward calls.
import type { CallAttempt } from "../domain/attempt.ts";
import type { UsableNumber } from "../numbering/e164.ts";
import { findListed } from "./listed-row.ts";
import type { LesseeList } from "./rule.ts";

/**
 * Returns the last diverting number when the lessee's list says, at the time of the call, that it
 * may forward. The call then counts as one of that number, and the original calling number need not
 * be listed. Earlier diverting numbers do not count: only the last diverting party vouches for
 * them.
 * @returns undefined when there is no such number
 */
export function licensedForwarder(
  attempt: CallAttempt,
  list: LesseeList | undefined,
): UsableNumber | undefined {
  const number = attempt.diversion[0]?.number;
  if (number === undefined || number.kind === "unusable" || list === undefined) return undefined;
  const row = findListed(list, number.key, attempt.at);
  return row >= 0 && list.numbers.mayForward(row) ? number : undefined;
}
