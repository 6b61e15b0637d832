// The priority of the records thread: that of the calls while any trunk has answers that wait for evidence, else below it.
import type { EvidenceConfig } from "../../config/sigwall/evidence-schema.ts";
import type { TrunkFacts } from "../../records/lines/recording.ts";
import { keepUpWithCalls, yieldToCalls } from "../threads/thread-priority.ts";

/**
 * Makes the function that sets the priority of the calling thread by the trunks of a policy. A refusal that waits for its
 * evidence is a call that waits: its thread must not come last on a busy machine. Without trunks nothing changes.
 *
 * @param trouble told once, in words, when the priority can't be raised again
 */
export function createRecordsPriority(
  evidence: EvidenceConfig | undefined,
  trouble: (what: string) => void,
): (trunks: readonly TrunkFacts[]) => void {
  let isLow = false;
  let isTold = false;
  const isAwaited = (trunk: TrunkFacts): boolean =>
    (trunk.evidence ?? evidence?.durability) === "before-reject";
  return (trunks) => {
    if (trunks.length === 0) return;
    if (evidence === undefined || !trunks.some(isAwaited)) {
      yieldToCalls();
      isLow = true;
    } else if (isLow && keepUpWithCalls()) isLow = false;
    else if (isLow && !isTold) {
      isTold = true;
      trouble(
        "its thread keeps its low priority, because the system lets no thread raise it: on a busy machine refusals wait longer; restart the filter, or set LimitNICE=+0",
      );
    }
  };
}
