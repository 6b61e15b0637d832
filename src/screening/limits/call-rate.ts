// The limit call-rate: calls per second of one trunk, and of a lessee over all of its trunks.
import { z } from "zod";
import type { CallAttempt } from "../../domain/attempt.ts";
import type { Deny } from "../../domain/decision.ts";
import type { Trunk } from "../../domain/trunk.ts";
import type { LimitRule } from "../rule.ts";
import { timeOf, type ScreeningState } from "../state.ts";

const optionsSchema = z.strictObject({});

const exceeded: Deny = { kind: "reject", reason: "call-rate-exceeded" };

/** A bucket of the trunk. */
interface Rate {
  /** What calls are counted under. No id of a trunk has a space. */
  readonly name: string;
  readonly perSecond: number;
}

/** The name of a lessee's bucket. */
export function lesseeBucket(lessee: string): string {
  return `lessee ${lessee}`;
}

function ratesOf({ id, lessee, limits }: Trunk): readonly Rate[] {
  const own = limits.callsPerSecond;
  const shared = limits.lessee?.callsPerSecond;
  return [
    ...(own === undefined ? [] : [{ name: id, perSecond: own }]),
    ...(shared === undefined ? [] : [{ name: lesseeBucket(lessee ?? ""), perSecond: shared }]),
  ];
}

/** Milliseconds until each bucket has a token. */
function waitOf(rates: readonly Rate[], attempt: CallAttempt, state: ScreeningState): number {
  const now = timeOf(attempt, state);
  let wait = 0;
  for (const { name, perSecond } of rates) wait = Math.max(wait, state.callRate.wait(name, perSecond, now));
  return wait;
}

export const callRate: LimitRule<z.infer<typeof optionsSchema>> = {
  id: "call-rate",
  stage: "limit",
  summary:
    "A trunk makes at most callsPerSecond calls a second, and a lessee over all of its trunks; one second's worth may come at once.",
  reasons: ["call-rate-exceeded"],
  options: optionsSchema,
  compile(_options, { trunk }) {
    const rates = ratesOf(trunk);
    if (rates.length === 0) return undefined;
    return {
      check: (attempt, state) => (waitOf(rates, attempt, state) > 0 ? exceeded : undefined),
      spend(attempt, state) {
        const now = timeOf(attempt, state);
        const { callRate: buckets, paid } = state;
        for (const { name, perSecond } of rates)
          if (paid.isElsewhere) buckets.owe(name, perSecond, now);
          else buckets.take(name, perSecond, now);
        return undefined;
      },
    };
  },
  explain({ attempt, state, tables: { trunk } }, finding) {
    const rates = ratesOf(trunk);
    const saw = rates
      .map(
        ({ name, perSecond }) =>
          `${perSecond} calls a second allowed${name === trunk.id ? "" : ` to the ${name}`}`,
      )
      .join("; ");
    if (finding === undefined) return { saw };
    const wait = Math.ceil(waitOf(rates, attempt, state));
    return { saw, change: `wait ${wait} ms, or raise callsPerSecond` };
  },
};
