// The limit call-rate: calls of one trunk per second.
import { z } from "zod";
import type { Deny } from "../../domain/decision.ts";
import type { LimitRule } from "../rule.ts";
import { timeOf } from "../state.ts";

const optionsSchema = z.strictObject({});

const exceeded: Deny = { kind: "reject", reason: "call-rate-exceeded" };

export const callRate: LimitRule<z.infer<typeof optionsSchema>> = {
  id: "call-rate",
  stage: "limit",
  summary: "A trunk makes at most callsPerSecond calls a second; one second's worth may come at once.",
  reasons: ["call-rate-exceeded"],
  options: optionsSchema,
  compile(_options, { trunk }) {
    const rate = trunk.limits.callsPerSecond;
    if (rate === undefined) return undefined;
    return {
      check: (attempt, state) =>
        state.callRate.wait(trunk.id, rate, timeOf(attempt, state)) > 0 ? exceeded : undefined,
      spend(attempt, state) {
        state.callRate.take(trunk.id, rate, timeOf(attempt, state));
        return undefined;
      },
    };
  },
  explain({ attempt, state, tables: { trunk } }, finding) {
    const rate = trunk.limits.callsPerSecond ?? Infinity;
    const saw = `${rate} calls a second allowed`;
    if (finding === undefined) return { saw };
    const wait = Math.ceil(state.callRate.wait(trunk.id, rate, timeOf(attempt, state)));
    return { saw, change: `wait ${wait} ms, or raise callsPerSecond` };
  },
};
