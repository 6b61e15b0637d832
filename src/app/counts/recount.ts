// Counts the calls of record lines for the limits by contract: those that no snapshot holds.
import type { CallAttempt } from "../../domain/attempt.ts";
import type { Millis } from "../../domain/time.ts";
import type { Policy } from "../../policy/policy.ts";
import type { FoundLine } from "../../records/lines/read-lines.ts";
import { readRecordedAttempt } from "../../replay/recorded-attempts.ts";
import { isCounted } from "../../screening/identities.ts";
import { createSubjects, readSubjects } from "../../screening/limits/contract-frequency.ts";
import { toBeTriedAgain } from "../../screening/limits/unanswered-calls.ts";
import type { ScreeningState } from "../../screening/state.ts";

/** As in `recent-calls.ts`: so long, and so often, a repeat of a call is free. */
const LIFETIME: Millis = 32_000;
const FREE_REPEATS = 4;
/** Calls that stand while they are counted, at most: those above it are not seen to be answered. */
const MOST_STANDING = 262_144;

/**
 * Counts the accepted calls of the lines. Lines of other kinds, of trunks without such limits and of nobody are passed
 * over.
 *
 * @returns how many calls were counted
 */
export function recountCalls(lines: Iterable<FoundLine>, policy: Policy, state: ScreeningState): number {
  const recent = new Map<string, { until: Millis; free: number }>();
  const standing = new Map<string, CallAttempt>();
  let counted = 0;
  for (const { line } of lines) {
    if (line === undefined) continue;
    const { record, id, time } = line;
    const at = Date.parse(String(time));
    if (record === "decided" && line["action"] === "forwarded") {
      const trunk = policy.trunkById(String(line["trunk"]))?.trunk;
      if (trunk === undefined) continue;
      const isEmergency = line["rule"] === "emergency";
      if (trunk.limits.frequency === undefined && !isEmergency) continue;
      const { attempt } = readRecordedAttempt({ ...line, time: String(time) }, trunk, at);
      if (isEmergency) noteEmergency(attempt, state);
      else if (!isRepeat(recent, attempt)) {
        count(attempt, state, false);
        counted++;
        if (standing.size < MOST_STANDING) standing.set(String(id), attempt);
      }
    } else if (record === "ended") {
      const attempt = standing.get(String(id));
      if (attempt === undefined) continue;
      standing.delete(String(id));
      const isUnanswered =
        line["answeredMs"] === undefined && !toBeTriedAgain.has(Number(line["status"] ?? 0));
      if (isUnanswered) count({ ...attempt, at }, state, true);
    }
  }
  return counted;
}

const subjects = createSubjects();

function count(attempt: CallAttempt, { frequency, wall }: ScreeningState, onlyUnanswered: boolean): void {
  for (const limit of attempt.trunk.limits.frequency ?? []) {
    if (limit.onlyUnanswered !== onlyUnanswered) continue;
    const number = frequency.limit(limit.name, limit);
    readSubjects(limit, attempt, subjects);
    for (let i = 0; i < subjects.count; i++)
      frequency.add(number, subjects.keys[i]!, attempt.at - wall.ahead);
  }
}

function noteEmergency(attempt: CallAttempt, { emergencyParties, wall }: ScreeningState): void {
  for (const identity of attempt.calling)
    if (identity.number.kind !== "unusable" && isCounted(attempt, identity))
      emergencyParties.note(identity.number.key, attempt.at - wall.ahead);
}

/** True for another attempt at a call that has paid, as `recent-calls.ts` tells it; the record has no From tag. */
function isRepeat(recent: Map<string, { until: Millis; free: number }>, attempt: CallAttempt): boolean {
  if (attempt.callId === "") return false;
  const called = attempt.called.kind === "unusable" ? "" : attempt.called.key;
  const calling = attempt.calling
    .map(({ number }) => (number.kind === "unusable" ? "" : number.key))
    .join(" ");
  const key = `${attempt.trunk.id} ${attempt.callId} ${called} ${calling}`;
  const known = recent.get(key);
  if (known !== undefined && attempt.at < known.until && known.free > 0) {
    known.free--;
    return true;
  }
  // The oldest are at the front.
  for (const [old, { until }] of recent) {
    if (until > attempt.at) break;
    recent.delete(old);
  }
  recent.delete(key);
  recent.set(key, { until: attempt.at + LIFETIME, free: FREE_REPEATS });
  return false;
}
