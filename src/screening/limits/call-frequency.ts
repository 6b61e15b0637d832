// The limit call-frequency: attempts of one calling number per minute.
import { z } from "zod";
import type { CallAttempt } from "../../domain/attempt.ts";
import type { Deny } from "../../domain/decision.ts";
import type { UsableNumber } from "../../numbering/e164.ts";
import { isCounted } from "../identities.ts";
import type { LimitRule } from "../rule.ts";
import { timeOf, type TableFull } from "../state.ts";

const optionsSchema = z.strictObject({});

const callersFull: TableFull = { kind: "table-full", table: "callers" };

/**
 * Returns the number at `index` when it counts and no earlier identity asserts the same number. So
 * each calling number pays once a call.
 */
function callerAt(attempt: CallAttempt, index: number): UsableNumber | undefined {
  const identity = attempt.calling[index];
  if (identity === undefined || identity.number.kind === "unusable" || !isCounted(attempt, identity))
    return undefined;
  const { number } = identity;
  for (let before = 0; before < index; before++) {
    const other = attempt.calling[before];
    if (other === undefined || other.number.kind === "unusable") continue;
    if (other.number.key === number.key && isCounted(attempt, other)) return undefined;
  }
  return number;
}

/**
 * Writes every calling number once into `keys`, as a key of the window, from index 0 on. Keys hold
 * the trunk, because the same number on two trunks belongs to two contracts.
 * @returns how many keys there are
 */
function collectKeys(attempt: CallAttempt, keys: string[]): number {
  let count = 0;
  for (let i = 0; i < attempt.calling.length; i++) {
    const number = callerAt(attempt, i);
    if (number === undefined) continue;
    // Codes are negative keys, so a code never meets an E.164 number.
    const isCode = number.kind === "short" || number.key < 0;
    keys[count++] = `${attempt.trunk.id} ${isCode ? number.key : number.e164}`;
  }
  return count;
}

// An attempt is checked, then spent: its keys are built once. One memory serves every trunk, so that no more than one
// attempt is kept for it. The array is never shortened, because that costs a call of the engine.
const keysRead: string[] = [];
let keysCount = 0;
let keyed: CallAttempt | undefined;

/** Collects the keys of an attempt into `keysRead`, and returns how many there are. */
function readKeys(attempt: CallAttempt): number {
  if (attempt === keyed) return keysCount;
  keyed = attempt;
  keysCount = collectKeys(attempt, keysRead);
  return keysCount;
}

export const callFrequency: LimitRule<z.infer<typeof optionsSchema>> = {
  id: "call-frequency",
  stage: "limit",
  summary: "One calling number makes at most attemptsPerCallerPerMinute attempts within any minute.",
  reasons: ["frequency-exceeded"],
  options: optionsSchema,
  compile(_options, { trunk }) {
    const limit = trunk.limits.attemptsPerCallerPerMinute;
    if (limit === undefined) return undefined;
    return {
      check(attempt, state): Deny | undefined {
        const count = readKeys(attempt);
        for (let i = 0; i < count; i++) {
          const made = state.callerAttempts.count(keysRead[i]!, timeOf(attempt, state));
          if (made >= limit) return { kind: "reject", reason: "frequency-exceeded", facts: { made, limit } };
        }
        return undefined;
      },
      spend(attempt, state) {
        const count = readKeys(attempt);
        for (let i = 0; i < count; i++)
          if (!state.callerAttempts.add(keysRead[i]!, timeOf(attempt, state))) return callersFull;
        return undefined;
      },
    };
  },
  explain({ attempt, state, tables }, finding) {
    const limit = tables.trunk.limits.attemptsPerCallerPerMinute ?? Infinity;
    const keys: string[] = [];
    collectKeys(attempt, keys);
    if (keys.length === 0) return { saw: "no calling number to count" };
    const made = keys.map((key) => state.callerAttempts.count(key, timeOf(attempt, state)));
    const saw = `${made.join(", ")} of ${limit} attempts made within the minute`;
    if (finding === undefined) return { saw };
    const wait = Math.max(
      ...keys.map((key) => state.callerAttempts.wait(key, limit, timeOf(attempt, state))),
    );
    return { saw, change: `wait ${Math.ceil(wait)} ms, or raise attemptsPerCallerPerMinute` };
  },
};
