// Counts the calls of record lines for the limits by contract: those that no snapshot holds.
import type { CallAttempt } from "../../domain/attempt.ts";
import { wantsCredentials } from "../../domain/call.ts";
import type { Policy } from "../../policy/policy.ts";
import type { RecordLine } from "./lines-since.ts";
import { readRecordedAttempt } from "../../replay/recorded-attempts.ts";
import { noteEmergencyCall } from "../../screening/emergency-parties.ts";
import { noteCallBack } from "../../screening/rules/call-back-events.ts";
import { createSubjects, readSubjects } from "../../screening/limits/contract-frequency.ts";
import type { ScreeningState } from "../../screening/state.ts";

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
  const standing = new Map<string, CallAttempt>();
  let counted = 0;
  for (const line of lines) {
    const { record, id, time } = line;
    const at = Date.parse(String(time));
    if (record === "decided" && line["action"] === "forwarded") {
      const trunk = policy.trunkById(String(line["trunk"]))?.trunk;
      if (trunk === undefined) continue;
      const isEmergency = line["rule"] === "emergency";
      const { marketing } = policy;
      if (trunk.limits.frequency === undefined && !isEmergency && marketing === undefined) continue;
      const { attempt } = readRecordedAttempt({ ...line, time: String(time) }, trunk, at);
      if (marketing !== undefined) noteCallBack(attempt, marketing, state);
      // The record has no From tag: a repeat is told by everything else.
      if (isEmergency) noteEmergencyCall(attempt, state);
      else if (trunk.limits.frequency !== undefined && !state.recentCalls.takeFree(attempt)) {
        state.recentCalls.remember(attempt);
        count(attempt, state, false);
        counted++;
        if (standing.size < MOST_STANDING) standing.set(String(id), attempt);
      }
    } else if (record === "ended") {
      const attempt = standing.get(String(id));
      if (attempt === undefined) continue;
      standing.delete(String(id));
      const isUnanswered =
        line["answeredMs"] === undefined && !wantsCredentials.has(Number(line["status"] ?? 0));
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
