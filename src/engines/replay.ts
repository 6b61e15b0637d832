import type { Policy, TrunkPolicy } from "../config/policy.ts";
import { toMillis } from "../pcap/time.ts";
import { judgeCall, type Judgement } from "../relay/judge.ts";
import { readRoutes } from "../relay/route.ts";
import { createScreeningState } from "../screening/state.ts";
import { readAttempt } from "../sip/attempt.ts";
import type { SeenInvite } from "./attempts.ts";

/** What the filter would have made of an INVITE. */
export type Outcome =
  | (Judgement & { readonly source: TrunkPolicy })
  /** No trunk sends from there; the filter drops what strangers send without reading it. */
  | { readonly kind: "unknown-source" };

/** Judges INVITEs of a capture at their own time, by the code that judges live ones. */
export interface Judge {
  judge(invite: SeenInvite): Outcome;
}

/**
 * Makes a judge whose windows and buckets are empty. `override`: every INVITE is judged as that trunk's, wherever it came from.
 */
export function createJudge(policy: Policy, override: TrunkPolicy | undefined): Judge {
  const state = createScreeningState(policy.tables);

  function decide(source: TrunkPolicy, { exchange, origin, ...time }: SeenInvite): Outcome {
    const { message, listener } = exchange;
    const routes = readRoutes(message, [listener]);
    const attempt = readAttempt(message, source.trunk, toMillis(time), origin);
    return { ...judgeCall(message, source, attempt, routes, state, policy.revision), source };
  }

  return {
    judge(invite) {
      const { listener, address, port } = invite.exchange;
      const source = override ?? policy.matchTrunk(listener.id, address, port);
      return source === undefined ? { kind: "unknown-source" } : decide(source, invite);
    },
  };
}
