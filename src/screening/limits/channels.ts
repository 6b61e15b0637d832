// The limit channels: calls at one time of a trunk, and of a lessee over all of its trunks.
import { z } from "zod";
import type { Deny } from "../../domain/decision.ts";
import type { TrunkId } from "../../domain/trunk.ts";
import type { LimitRule } from "../rule.ts";
import type { Channels } from "../state.ts";

const optionsSchema = z.strictObject({});

const exceeded: Deny = { kind: "reject", reason: "channels-exceeded" };

/** Calls that stand on these trunks. Each holds the channel of the trunk that it came from. */
export function channelsOf({ of }: Channels, trunks: readonly TrunkId[]): number {
  let sum = 0;
  for (const trunk of trunks) sum += of(trunk);
  return sum;
}

export const channels: LimitRule<z.infer<typeof optionsSchema>> = {
  id: "channels",
  stage: "limit",
  summary:
    "A trunk has at most `channels` calls at one time, and a lessee over all of its trunks. A call takes one when its INVITE or IAM goes on, and gives it back at its end.",
  reasons: ["channels-exceeded"],
  options: optionsSchema,
  compile(_options, { trunk }) {
    const { channels: most = Infinity, lessee } = trunk.limits;
    const mostOfLessee = lessee?.channels ?? Infinity;
    // A trunk that redirects sees no end of a call.
    if ((most === Infinity && mostOfLessee === Infinity) || trunk.mode === "redirect") return undefined;
    const trunks = lessee?.trunks ?? [];
    return {
      check: (_attempt, state) =>
        state.channels.of(trunk.id) >= most ||
        (mostOfLessee !== Infinity && channelsOf(state.channels, trunks) >= mostOfLessee)
          ? exceeded
          : undefined,
      // The engine takes the channel when the call goes on.
      spend: () => undefined,
    };
  },
  explain({ state, tables: { trunk } }, finding) {
    const { channels: most, lessee } = trunk.limits;
    const saw = [
      ...(most === undefined ? [] : [`${state.channels.of(trunk.id)} of ${most} channels in use`]),
      ...(lessee?.channels === undefined
        ? []
        : [
            `${channelsOf(state.channels, lessee.trunks)} of ${lessee.channels} channels in use of the lessee ${trunk.lessee ?? ""}`,
          ]),
    ].join("; ");
    return finding === undefined ? { saw } : { saw, change: "wait for a call to end, or raise channels" };
  },
};
