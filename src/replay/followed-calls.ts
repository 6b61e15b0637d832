// The calls of captures as limits and detectors see them: from the decision to the end, each once.
import type { SignallingPath } from "../domain/attempt.ts";
import type { Action, CallEnded, CallRef } from "../domain/call.ts";
import type { DetectorMode, Finding } from "../domain/finding.ts";
import type { Trunk } from "../domain/trunk.ts";
import type { Millis } from "../domain/time.ts";
import type { Judged } from "../judging/decide.ts";
import type { Policy } from "../policy/policy.ts";
import type { ScreeningState } from "../screening/state.ts";
import type { SipMessage } from "../sip/message.ts";
import type { IsupMessage } from "../ss7/isup.ts";
import type { Msu } from "../ss7/mtp3.ts";
import { createCallFeed } from "./call-feed.ts";
import { createCapturedCalls } from "./captured-calls.ts";
import { followIsup } from "./isup-progress.ts";
import { createRelayedCopies } from "./relayed-copies.ts";
import { followSip } from "./sip-progress.ts";

/** Takes what is told of calls that are followed. */
export interface FollowSink {
  /** Takes each finding once, during the message that completed it. */
  readonly finding: (finding: Finding, mode: DetectorMode) => void;
  /** Takes the end of each attempt that a message shows. Undefined: nobody asks; then refused calls are not followed. */
  readonly ended: ((event: CallEnded, lessee: string | undefined) => void) | undefined;
}

/** The calls of captures, from the decision to the end. `now` never goes back. */
export interface FollowedCalls {
  /** @returns true for an INVITE or IAM of a call that was seen on another hop: it counts once */
  isCopy(key: string, path: SignallingPath, now: Millis): boolean;
  /**
   * Takes what was decided on an attempt that is no copy.
   *
   * @param id names the call in lines
   * @param keys what its messages are found by
   */
  begin(judged: Judged, id: string, keys: readonly string[], now: Millis): void;
  sip(message: SipMessage, now: Millis): void;
  isup(msu: Msu, message: IsupMessage, now: Millis): void;
  pass(now: Millis): void;
  full(): number;
}

/**
 * Makes an empty table, whose channels `state` counts from now on. `toEnd`: false where attempts alone matter, each once.
 */
export function createFollowedCalls(
  policy: Policy,
  state: ScreeningState,
  { finding, ended, toEnd }: FollowSink & { readonly toEnd: boolean },
): FollowedCalls {
  const feed = createCallFeed(policy, state, finding);
  const copies = createRelayedCopies();
  const calls = createCapturedCalls({
    capacity: policy.tables.calls,
    longestCall: (trunk) => policy.trunkById(trunk)?.trunk.longestCall ?? LONGEST_REFUSED,
    tell({ isPassed, lessee }, event) {
      if (isPassed) feed.happened(event);
      if (event.kind === "ended" && event.how !== "lost") ended?.(event, lessee);
    },
  });
  state.channels.of = (trunk) => calls.channels(trunk);

  return {
    isCopy: (key, path, now) => copies.isCopy(key, path, now),
    begin({ decision, status }, id, keys, now) {
      const { trunk } = decision.attempt;
      const ref: CallRef = { id, trunk: trunk.id };
      const action = actionOf(decision.verdict.kind, status, trunk);
      feed.happened({ kind: "decided", call: ref, at: now, decision, action });
      const isPassed = action.kind === "forwarded";
      // RFC 3261's own answers are no verdict on a call: what became of it is not asked.
      const isAttempt = decision.verdict.reason !== "protocol";
      if (!toEnd) return;
      if (isPassed || (ended !== undefined && isAttempt))
        calls.begin({ ref, lessee: trunk.lessee, isPassed, keys }, now);
    },
    sip: (message, now) => followSip(calls, message, now),
    isup: (msu, message, now) => followIsup(calls, copies, msu, message, now),
    pass: (now) => calls.pass(now),
    full: () => calls.full + feed.full(),
  };
}

/** Longest time that a call which the policy refuses is followed. Milliseconds. */
const LONGEST_REFUSED: Millis = 12 * 3_600_000;

/** What the filter would have done. */
function actionOf(verdict: string, status: number, { mode }: Trunk): Action {
  if (verdict === "drop" && status === 0) return { kind: "silent" };
  if (status !== 0) return { kind: "answered", status };
  return mode === "redirect" ? { kind: "redirected", hop: "" } : { kind: "forwarded", hop: "" };
}
