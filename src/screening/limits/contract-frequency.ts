// Limits by contract: calls of a trunk, a lessee, a caller, a block of callers or to a called party within a window.
import { BLOCK_OF_CALLERS } from "../../domain/number.ts";
import type { CallAttempt } from "../../domain/attempt.ts";
import type { Deny } from "../../domain/decision.ts";
import type { FrequencyLimit as ContractLimit } from "../../domain/trunk.ts";
import type { FrequencyCounts, FrequencyLimit } from "../../state/frequency/frequency-counts.ts";
import { isCounted } from "../identities.ts";
import type { Limit } from "../rule.ts";
import { timeOf, type ScreeningState, type TableFull } from "../state.ts";

const subjectsFull: TableFull = { kind: "table-full", table: "subjects" };

/** The one subject of a limit per trunk or lessee: its name says whose it is. */
const WHOLE = 0;

/** The numbers that a limit counts a call for. Reused. */
export interface Subjects {
  readonly keys: number[];
  count: number;
}

export function createSubjects(): Subjects {
  return { keys: [], count: 0 };
}

/** Writes the subjects of a call for one limit, each once. A number that can't be read is none. */
export function readSubjects({ per }: ContractLimit, attempt: CallAttempt, into: Subjects): void {
  into.count = 0;
  if (per === "trunk" || per === "lessee") put(into, WHOLE);
  else if (per === "called") {
    if (attempt.called.kind !== "unusable") put(into, attempt.called.key);
  } else
    for (const identity of attempt.calling) {
      if (identity.number.kind === "unusable" || !isCounted(attempt, identity)) continue;
      const { key } = identity.number;
      // Codes have negative keys. A code is a block of its own.
      put(into, per === "caller" || key < 0 ? key : Math.floor(key / BLOCK_OF_CALLERS));
    }
}

function put(into: Subjects, key: number): void {
  for (let i = 0; i < into.count; i++) if (into.keys[i] === key) return;
  into.keys[into.count++] = key;
}

/** Gives each limit its number in the counts of a state, once. */
export function numberLimits(
  limits: readonly ContractLimit[],
): (counts: FrequencyCounts) => readonly FrequencyLimit[] {
  let known: FrequencyCounts | undefined;
  let numbers: readonly FrequencyLimit[] = [];
  return (counts) => {
    if (counts !== known) {
      known = counts;
      numbers = limits.map(({ name, calls, within }) => counts.limit(name, { calls, within }));
    }
    return numbers;
  };
}

/** Calls that count for a subject now: those of the window, and those that stand unanswered where only such count. */
export function countOf(
  counts: FrequencyCounts,
  number: FrequencyLimit,
  limit: ContractLimit,
  subject: number,
  now: number,
): number {
  const counted = counts.count(number, subject, now);
  return limit.onlyUnanswered ? counted + counts.pending(number, subject) : counted;
}

/** Compiles the limits of a trunk. */
export function compileFrequency(limits: readonly ContractLimit[]): Limit {
  const numbersIn = numberLimits(limits);
  const subjects = createSubjects();
  return {
    check(attempt, state): Deny | undefined {
      const counts = state.frequency;
      const numbers = numbersIn(counts);
      const now = timeOf(attempt, state);
      for (let i = 0; i < limits.length; i++) {
        const limit = limits[i]!;
        readSubjects(limit, attempt, subjects);
        for (let each = 0; each < subjects.count; each++) {
          const made = countOf(counts, numbers[i]!, limit, subjects.keys[each]!, now);
          if (made >= limit.calls)
            return {
              kind: "reject",
              reason: "frequency-exceeded",
              facts: { per: limit.per, made, limit: limit.calls, within: limit.written },
            };
        }
      }
      return undefined;
    },
    spend(attempt, state) {
      const counts = state.frequency;
      const numbers = numbersIn(counts);
      const now = timeOf(attempt, state);
      for (let i = 0; i < limits.length; i++) {
        const limit = limits[i]!;
        // What nobody answers is known at the end: `unanswered-calls.ts` counts it.
        if (limit.onlyUnanswered) continue;
        readSubjects(limit, attempt, subjects);
        for (let each = 0; each < subjects.count; each++)
          if (!counts.add(numbers[i]!, subjects.keys[each]!, now, attempt.trunk.id)) return subjectsFull;
      }
      return undefined;
    },
  };
}

/** Says how far each limit is used by a call, and how long the strictest asks to wait. */
export function explainFrequency(
  limits: readonly ContractLimit[],
  attempt: CallAttempt,
  state: ScreeningState,
): { readonly saw: readonly string[]; readonly wait: number } {
  const numbers = numberLimits(limits)(state.frequency);
  const subjects = createSubjects();
  const now = timeOf(attempt, state);
  const saw: string[] = [];
  let wait = 0;
  for (const [i, limit] of limits.entries()) {
    const number = numbers[i]!;
    readSubjects(limit, attempt, subjects);
    for (const subject of subjects.keys.slice(0, subjects.count)) {
      const made = countOf(state.frequency, number, limit, subject, now);
      const which = limit.onlyUnanswered ? "unanswered calls" : "calls";
      saw.push(`${made} of ${limit.calls} ${which} per ${limit.per} within ${limit.written}`);
      wait = Math.max(wait, state.frequency.wait(number, subject, now));
    }
  }
  return { saw, wait };
}
