import type { CallAttempt } from "../domain/attempt.ts";
import type { UsableNumber } from "../numbering/e164.ts";
import type { NumberList } from "./rule.ts";

/**
 * The last diverting number when the lessee's list, at the time of the call, says that it may forward. With it the call is
 * one of that number, and the original caller's number need not be listed. Only the last one counts: those before
 * it are what the last one says about others.
 */
export function licensedForwarder(
  attempt: CallAttempt,
  list: NumberList | undefined,
): UsableNumber | undefined {
  const number = attempt.diversion[0]?.number;
  if (number === undefined || number.kind === "unusable" || list === undefined) return undefined;
  const row = list.numbers.find(number.key, attempt.at);
  return row >= 0 && list.numbers.mayForward(row) ? number : undefined;
}
