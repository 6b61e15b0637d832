// Counts calls that nobody answered, for the limits by contract that count only those.
import { type CallEnded, type CallEvent, wantsCredentials } from "../../domain/call.ts";
import type { CallAttempt } from "../../domain/attempt.ts";
import type { TrunkId } from "../../domain/trunk.ts";
import type { FrequencyLimit } from "../../state/frequency/frequency-counts.ts";
import type { ScreeningState } from "../state.ts";
import { createSubjects, readSubjects } from "./contract-frequency.ts";

interface Pending {
  readonly limits: readonly FrequencyLimit[];
  readonly subjects: readonly number[];
  readonly trunk: TrunkId;
}

/** The calls that stand unanswered, by their id. */
export interface UnansweredCalls {
  readonly size: number;
  /** Takes every event of a call. */
  happened(event: CallEvent): void;
}

/** Tells whether an end says that nobody answered. A lost call has shown no end: it says nothing. */
export function isUnanswered({
  how,
  answeredMs,
  status,
}: Pick<CallEnded, "how" | "answeredMs" | "status">): boolean {
  return how !== "lost" && answeredMs === undefined && !wantsCredentials.has(status ?? 0);
}

/** @param capacity calls at one time; one more is not counted */
export function createUnansweredCalls(state: ScreeningState, capacity: number): UnansweredCalls {
  const pending = new Map<string, Pending>();
  const subjects = createSubjects();
  const { frequency } = state;

  function begin(id: string, attempt: CallAttempt, now: number): void {
    const all = attempt.trunk.limits.frequency;
    if (all === undefined || pending.size >= capacity) return;
    const limits: FrequencyLimit[] = [];
    const keys: number[] = [];
    for (const limit of all) {
      if (!limit.onlyUnanswered) continue;
      const number = frequency.limit(limit.name, limit);
      readSubjects(limit, attempt, subjects);
      for (const key of subjects.keys.slice(0, subjects.count)) {
        if (!frequency.addPending(number, key, 1, now, attempt.trunk.id)) continue;
        limits.push(number);
        keys.push(key);
      }
    }
    if (limits.length > 0) pending.set(id, { limits, subjects: keys, trunk: attempt.trunk.id });
  }

  /** @param counts true: the call counts from now on */
  function end(id: string, counts: boolean, now: number): void {
    const call = pending.get(id);
    if (call === undefined) return;
    pending.delete(id);
    for (const [i, limit] of call.limits.entries()) {
      frequency.addPending(limit, call.subjects[i]!, -1, now, call.trunk);
      if (counts) frequency.add(limit, call.subjects[i]!, now, call.trunk);
    }
  }

  return {
    get size() {
      return pending.size;
    },
    happened(event) {
      if (event.kind === "decided") {
        if (event.action.kind === "forwarded")
          begin(event.call.id, event.decision.attempt, event.at - state.wall.ahead);
      } else if (pending.size > 0) {
        if (event.kind === "answered") end(event.call.id, false, event.at - state.wall.ahead);
        else if (event.kind === "ended") end(event.call.id, isUnanswered(event), event.at - state.wall.ahead);
      }
    },
  };
}
