// Counts the calls of record lines for the limits by contract: those that no snapshot holds.
import type { CallAttempt } from "../../domain/attempt.ts";
import type { Millis } from "../../domain/time.ts";
import type { Policy } from "../../policy/policy.ts";
import type { RecordLine } from "./lines-since.ts";
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

/** The kinds of lines that tell of calls which count. Ends matter only where a limit counts unanswered calls. */
export function kindsToCount({ trunks }: Policy): readonly string[] {
  const needsEnds = trunks.some(({ trunk }) =>
    trunk.limits.frequency?.some(({ onlyUnanswered }) => onlyUnanswered),
  );
  return needsEnds ? ["decided", "ended"] : ["decided"];
}

/**
 * Counts the accepted calls of the lines. Lines of other kinds, of trunks without such limits and of nobody are passed
 * over.
 *
 * @returns how many calls were counted
 */
export function recountCalls(lines: Iterable<RecordLine>, policy: Policy, state: ScreeningState): number {
  const paid: PaidCalls = { newer: new Map(), older: new Map(), turn: 0 };
  const standing = new Map<string, CallAttempt>();
  let counted = 0;
  for (const line of lines) {
    const { record, id, time } = line;
    const at = Date.parse(String(time));
    if (record === "decided" && line["action"] === "forwarded") {
      const trunk = policy.trunkById(String(line["trunk"]))?.trunk;
      if (trunk === undefined) continue;
      const isEmergency = line["rule"] === "emergency";
      if (trunk.limits.frequency === undefined && !isEmergency) continue;
      const { attempt } = readRecordedAttempt({ ...line, time: String(time) }, trunk, at);
      if (isEmergency) noteEmergency(attempt, state);
      else if (!isRepeat(paid, attempt)) {
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

interface PaidCall {
  readonly until: Millis;
  free: number;
}

/** The calls that have paid within the last lifetime, in two generations: the older one is let go as a whole. */
interface PaidCalls {
  newer: Map<string, PaidCall>;
  older: Map<string, PaidCall>;
  /** When the newer generation becomes the older one. */
  turn: Millis;
}

/** True for another attempt at a call that has paid, as `recent-calls.ts` tells it; the record has no From tag. */
function isRepeat(paid: PaidCalls, attempt: CallAttempt): boolean {
  if (attempt.callId === "") return false;
  if (attempt.at >= paid.turn) {
    paid.older = paid.newer;
    paid.newer = new Map();
    paid.turn = attempt.at + LIFETIME;
  }
  const called = attempt.called.kind === "unusable" ? "" : attempt.called.key;
  let key = `${attempt.trunk.id} ${attempt.callId} ${called}`;
  for (const { number } of attempt.calling) key += ` ${number.kind === "unusable" ? "" : number.key}`;
  const known = paid.newer.get(key) ?? paid.older.get(key);
  if (known !== undefined && attempt.at < known.until && known.free > 0) {
    known.free--;
    return true;
  }
  paid.newer.set(key, { until: attempt.at + LIFETIME, free: FREE_REPEATS });
  return false;
}
