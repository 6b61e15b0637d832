// Feeds limits and detectors with the events of calls that are not live: captured ones, and recorded ones.
import type { CallEvent } from "../domain/call.ts";
import type { DetectorMode, Finding } from "../domain/finding.ts";
import type { Side, TrunkId } from "../domain/trunk.ts";
import type { Policy } from "../policy/policy.ts";
import { createWatch } from "../screening/detectors/watch.ts";
import { createAnswerNotes } from "../screening/quarantine/answer-notes.ts";
import { bindFinding, joinShields } from "../screening/quarantine/binding.ts";
import { followPolicy } from "../screening/quarantine/enforced.ts";
import { createScreeningListener } from "../screening/limits/call-events.ts";
import { createCallBackListener } from "../screening/rules/call-back-events.ts";
import type { ScreeningState } from "../screening/state.ts";

/** Findings in force at one time. */
const MOST_FINDINGS = 65_536;

/** Takes the events of calls in their order, as the running filter hands them to limits and detectors. */
export interface CallFeed {
  happened(event: CallEvent): void;
  /** Calls, subjects and findings that were not watched because a table was full. */
  full(): number;
}

/** @param tell takes each finding once, during the event that completed it */
export function createCallFeed(
  policy: Policy,
  state: ScreeningState,
  tell: (finding: Finding, mode: DetectorMode) => void,
): CallFeed {
  const { calls, subjects } = policy.tables;
  const sideOf = (trunk: TrunkId): Side | undefined => policy.trunkById(trunk)?.trunk.side;
  const listen = createScreeningListener(state, calls);
  const watch = createWatch({
    sizes: { calls, subjects, findings: MOST_FINDINGS },
    settings: () => policy.detectors,
    ahead: () => state.wall.ahead,
    tell(finding, mode) {
      bindFinding(finding, policy.detectors.get(finding.detector), state.quarantine, sideOf);
      tell(finding, mode);
    },
    join: (finding, participant) => void joinShields(finding, participant, state.quarantine),
    ...createAnswerNotes(state, () => policy.detectors),
  });
  followPolicy(state.quarantine, policy.detectors);
  const noteCallBacks = createCallBackListener(state, () => policy.marketing);
  return {
    happened(event) {
      listen(event);
      noteCallBacks(event);
      watch.happened(event);
    },
    full: () => watch.full(),
  };
}
