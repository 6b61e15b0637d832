// Notes who answered whom, which a shield asks: as answers come, and surer when the talk has ended.
import type { Millis } from "../../domain/time.ts";
import { isShortTalk } from "../detectors/call-bombing.ts";
import type { DetectorSettings, SeenCall } from "../detectors/detector.ts";
import type { ScreeningState } from "../state.ts";

/** What the watch tells of calls. `at` is the wall clock. */
export interface AnswerNotes {
  readonly answered: (call: SeenCall, at: Millis) => void;
  readonly ended: (call: SeenCall, at: Millis) => void;
}

/** @param settings what the policy in force says of detectors: nothing is noted where no call can be found to be a bombing */
export function createAnswerNotes(state: ScreeningState, settings: () => DetectorSettings): AnswerNotes {
  const isAsked = (): boolean => settings().get("call-bombing")?.mode !== "off";
  return {
    // Should the end never be seen, the answer counts some hours later.
    answered({ caller, called }, at) {
      if (isAsked()) state.answered.note(caller, called, at, true);
    },
    ended({ caller, called, end }, at) {
      if (end.talked >= 0 && !isShortTalk(end) && isAsked()) state.answered.note(caller, called, at, false);
    },
  };
}
