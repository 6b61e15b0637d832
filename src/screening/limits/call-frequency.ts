// The limit call-frequency: attempts of one calling number per minute, and the frequencies of the contract.
import { z } from "zod";
import type { CallAttempt } from "../../domain/attempt.ts";
import type { Deny } from "../../domain/decision.ts";
import type { UsableNumber } from "../../numbering/e164.ts";
import { isToEmergencyParty } from "../emergency-parties.ts";
import { isCounted } from "../identities.ts";
import type { Limit, LimitRule } from "../rule.ts";
import { timeOf, type ScreeningState, type TableFull } from "../state.ts";
import { compileFrequency, explainFrequency } from "./contract-frequency.ts";

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

function compilePerMinute(limit: number): Limit {
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
}

export const callFrequency: LimitRule<z.infer<typeof optionsSchema>> = {
  id: "call-frequency",
  stage: "limit",
  summary:
    "One calling number makes at most attemptsPerCallerPerMinute attempts within any minute; trunk, lessee, caller and called party have no more calls than `frequency` allows.",
  reasons: ["frequency-exceeded"],
  options: optionsSchema,
  compile(_options, { trunk }) {
    const { attemptsPerCallerPerMinute: limit, frequency } = trunk.limits;
    const perMinute = limit === undefined ? undefined : compilePerMinute(limit);
    const byContract = frequency === undefined ? undefined : compileFrequency(frequency);
    if (perMinute === undefined && byContract === undefined) return undefined;
    return {
      check(attempt, state) {
        const above = perMinute?.check(attempt, state) ?? byContract?.check(attempt, state);
        // Who called an emergency service today is reached, whoever calls and whatever was counted.
        return above === undefined || isToEmergencyParty(attempt, state) ? undefined : above;
      },
      spend: (attempt, state) => perMinute?.spend(attempt, state) ?? byContract?.spend(attempt, state),
    };
  },
  explain({ attempt, state, tables }, finding) {
    const { attemptsPerCallerPerMinute: limit, frequency } = tables.trunk.limits;
    const minute = limit === undefined ? undefined : explainPerMinute(limit, attempt, state);
    const contract = frequency === undefined ? undefined : explainFrequency(frequency, attempt, state);
    const saw = [...(minute?.saw ?? []), ...(contract?.saw ?? [])].join("; ") || "no number to count";
    if (finding === undefined) return { saw };
    const wait = Math.ceil(Math.max(minute?.wait ?? 0, contract?.wait ?? 0));
    return { saw, change: `wait ${wait} ms, or raise attemptsPerCallerPerMinute or frequency` };
  },
};

function explainPerMinute(
  limit: number,
  attempt: CallAttempt,
  state: ScreeningState,
): { readonly saw: readonly string[]; readonly wait: number } {
  const keys: string[] = [];
  collectKeys(attempt, keys);
  if (keys.length === 0) return { saw: ["no calling number to count"], wait: 0 };
  const now = timeOf(attempt, state);
  const made = keys.map((key) => state.callerAttempts.count(key, now));
  return {
    saw: [`${made.join(", ")} of ${limit} attempts made within the minute`],
    wait: Math.max(...keys.map((key) => state.callerAttempts.wait(key, limit, now))),
  };
}
