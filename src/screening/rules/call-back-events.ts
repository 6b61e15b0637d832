// Remembers from the events of calls who has called the numbers of a marketing lessee, so that he may be called back.
import type { CallAttempt } from "../../domain/attempt.ts";
import type { CallEvent } from "../../domain/call.ts";
import { isCounted } from "../identities.ts";
import type { MarketingPolicy } from "../rule.ts";
import { timeOf, type ScreeningState } from "../state.ts";

/**
 * Notes a call that goes on to a number of a marketing lessee, for every number that counts as its caller. A call from
 * that lessee's own trunk proves nothing.
 */
export function noteCallBack(
  attempt: CallAttempt,
  { callBack, ownNumbers, lessees }: MarketingPolicy,
  state: ScreeningState,
): void {
  const { called } = attempt;
  if (callBack === 0 || called.kind === "unusable") return;
  const row = ownNumbers.find(called.key, attempt.at);
  const lessee = row < 0 ? undefined : lessees[ownNumbers.mark(row) - 1];
  if (lessee === undefined || lessee === attempt.trunk.lessee) return;
  for (const identity of attempt.calling)
    if (identity.number.kind !== "unusable" && isCounted(attempt, identity))
      state.callBacks.note(lessee, callBack, identity.number.key, timeOf(attempt, state));
}

/**
 * Creates the listener.
 *
 * @param policy what the policy in force says of marketing; undefined: nothing
 */
export function createCallBackListener(
  state: ScreeningState,
  policy: () => MarketingPolicy | undefined,
): (event: CallEvent) => void {
  return (event) => {
    if (event.kind !== "decided" || event.action.kind !== "forwarded") return;
    const marketing = policy();
    if (marketing !== undefined) noteCallBack(event.decision.attempt, marketing, state);
  };
}
