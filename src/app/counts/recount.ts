// Counts the calls of record lines for the limits by contract: those that no snapshot holds.
import type { CallAttempt } from "../../domain/attempt.ts";
import type { Trunk } from "../../domain/trunk.ts";
import type { Policy } from "../../policy/policy.ts";
import type { RecordLine } from "./lines-since.ts";
import { isFields } from "../../records/lines/line-fields.ts";
import { readRecordedEvent } from "../../replay/recorded-calls.ts";
import { makesEmergencyParty, noteEmergencyCall } from "../../screening/emergency-parties.ts";
import { noteCallBack } from "../../screening/rules/call-back-events.ts";
import { createSubjects, readSubjects } from "../../screening/limits/contract-frequency.ts";
import { isUnanswered } from "../../screening/limits/unanswered-calls.ts";
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
  const { marketing } = policy;
  const trunkOf = (id: string): Trunk | undefined => policy.trunkById(id)?.trunk;
  for (const line of lines) {
    if (line["record"] === "decided" && !matters(line, policy)) continue;
    const event = readRecordedEvent(line, trunkOf);
    if (event?.kind === "decided") {
      const { attempt, rule } = event.decision;
      if (marketing !== undefined) noteCallBack(attempt, marketing, state);
      // The record has no From tag: a repeat is told by everything else.
      if (makesEmergencyParty(attempt)) noteEmergencyCall(attempt, state);
      if (
        rule !== "emergency" &&
        attempt.trunk.limits.frequency !== undefined &&
        !state.recentCalls.takeFree(attempt)
      ) {
        state.recentCalls.remember(attempt);
        count(attempt, state, false);
        counted++;
        if (standing.size < MOST_STANDING) standing.set(event.call.id, attempt);
      }
    } else if (event !== undefined) {
      const attempt = standing.get(event.call.id);
      if (attempt === undefined) continue;
      standing.delete(event.call.id);
      if (isUnanswered(event)) count({ ...attempt, at: event.at }, state, true);
    }
  }
  return counted;
}

/** Codes of emergency services, also behind an area code, are no longer; neither is what is no number, such as a URN. */
const LONGEST_CODE = "+8675512395".length;

/** True for a called party that may be an emergency service: other lines need not be read for that. */
function isShortCalled(called: unknown): boolean {
  const number: unknown = isFields(called) ? called["number"] : undefined;
  return typeof number !== "string" || number.length <= LONGEST_CODE;
}

/** Reading an attempt takes time: it is done where something may follow from it. */
function matters(line: RecordLine, policy: Policy): boolean {
  if (line["action"] !== "forwarded") return false;
  if (policy.marketing !== undefined || isShortCalled(line["called"])) return true;
  return policy.trunkById(String(line["trunk"]))?.trunk.limits.frequency !== undefined;
}

const subjects = createSubjects();

function count(attempt: CallAttempt, { frequency, wall }: ScreeningState, onlyUnanswered: boolean): void {
  for (const limit of attempt.trunk.limits.frequency ?? []) {
    if (limit.onlyUnanswered !== onlyUnanswered) continue;
    const number = frequency.limit(limit.name, limit);
    readSubjects(limit, attempt, subjects);
    for (let i = 0; i < subjects.count; i++)
      frequency.add(number, subjects.keys[i]!, attempt.at - wall.ahead, attempt.trunk.id);
  }
}
