// The findings and ends of a replay, from the judge that makes them to the lines of the capture that shows them.
import { createCaptureJudge, type CaptureJudge, type Judgement } from "../../replay/judge-capture.ts";
import { describeEnd, describeFinding } from "../../records/lines/record-line.ts";
import type { CallNote } from "./capture-files.ts";

/** One judge for captures that are read one after the other. */
export interface FollowedReplay {
  readonly judge: CaptureJudge;
  /** Returns what the last message has completed, once. */
  readonly take: () => readonly CallNote[];
}

const none: readonly CallNote[] = [];

/** @param wantsEnds true: the end of each attempt is told too */
export function createFollowedReplay(judgement: Judgement, wantsEnds: boolean): FollowedReplay {
  let notes: CallNote[] = [];
  const judge = createCaptureJudge(judgement, {
    finding: (finding, mode) => void notes.push(describeFinding(finding, mode)),
    ended: wantsEnds ? (event, lessee) => void notes.push(describeEnd(event, lessee)) : undefined,
  });
  return {
    judge,
    take() {
      if (notes.length === 0) return none;
      const taken = notes;
      notes = [];
      return taken;
    },
  };
}
