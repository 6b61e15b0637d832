// The limit channels: calls of a trunk at one time.
import { z } from "zod";
import type { Deny } from "../../domain/decision.ts";
import type { LimitRule } from "../rule.ts";

const optionsSchema = z.strictObject({});

const exceeded: Deny = { kind: "reject", reason: "channels-exceeded" };

export const channels: LimitRule<z.infer<typeof optionsSchema>> = {
  id: "channels",
  stage: "limit",
  summary:
    "A trunk has at most `channels` calls at one time. A call takes one when its INVITE or IAM goes on, and gives it back at its end.",
  reasons: ["channels-exceeded"],
  options: optionsSchema,
  compile(_options, { trunk }) {
    const most = trunk.limits.channels;
    // A trunk that redirects sees no end of a call.
    if (most === undefined || trunk.mode === "redirect") return undefined;
    return {
      check: (_attempt, state) => (state.channels.of(trunk.id) >= most ? exceeded : undefined),
      // The engine takes the channel when the call goes on.
      spend: () => undefined,
    };
  },
  explain({ state, tables: { trunk } }, finding) {
    const most = trunk.limits.channels ?? Infinity;
    const saw = `${state.channels.of(trunk.id)} of ${most} channels in use`;
    return finding === undefined ? { saw } : { saw, change: "wait for a call to end, or raise channels" };
  },
};
