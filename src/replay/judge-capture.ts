// Judges the calls of a capture at their own time, with the code that judges live calls.
import { formatEndpoint } from "../net/endpoint.ts";
import type { Policy, TrunkPolicy } from "../policy/policy.ts";
import { toMillis } from "../pcap/timestamp.ts";
import { judgeIam } from "../judging/judge-iam.ts";
import { judgeCall, type Judgement } from "../judging/judge-invite.ts";
import { readRoutes } from "../routing/route.ts";
import { createScreeningState } from "../screening/state.ts";
import { readCall } from "../judging/sip-i-attempt.ts";
import { readIsupAttempt } from "../ss7/isup-attempt.ts";
import type { SeenIam, SeenInvite } from "./captured-attempts.ts";

/** What the filter would have done with an INVITE or IAM. */
export type Outcome =
  | (Judgement & { readonly source: TrunkPolicy })
  /** No trunk claims the source. The filter drops such messages without reading them. */
  | { readonly kind: "unknown-source" }
  /** An IAM that can't be read; `why` in words. */
  | { readonly kind: "undecodable"; readonly why: string };

/** Judges the calls of a capture at their own time. */
export interface Judge {
  judge(invite: SeenInvite): Outcome;
  judgeIam(iam: SeenIam): Outcome;
}

/**
 * Makes a judge with empty rate windows and token buckets.
 *
 * @param override judges every call as a call of this trunk; undefined: by its source
 */
export function createJudge(policy: Policy, override: TrunkPolicy | undefined): Judge {
  const state = createScreeningState(policy.tables);

  function decide(source: TrunkPolicy, { exchange, origin, ...time }: SeenInvite): Outcome {
    const { message, listener } = exchange;
    const routes = readRoutes(message, [listener]);
    const attempt = readCall(message, source.trunk, toMillis(time), origin, routes.uri);
    return { ...judgeCall(message, source, attempt, routes, state, policy.revision), source };
  }

  function decideIam(source: TrunkPolicy, { message, msu, origin, ...time }: SeenIam): Outcome {
    const attempt = readIsupAttempt(message, msu, source.trunk, toMillis(time), origin);
    if (typeof attempt === "string") return { kind: "undecodable", why: attempt };
    return { kind: "decision", decision: judgeIam(source, attempt, state), source };
  }

  return {
    judgeIam(iam) {
      const { sourceAddress, sourcePort, destinationAddress, destinationPort } = iam.origin;
      const local = `sctp:${formatEndpoint({ address: destinationAddress, port: destinationPort })}`;
      const source =
        override ??
        (sourceAddress === ""
          ? undefined
          : policy.matchTrunk(local, sourceAddress, sourcePort, undefined, iam.msu));
      return source === undefined ? { kind: "unknown-source" } : decideIam(source, iam);
    },
    judge(invite) {
      const { listener, address, port } = invite.exchange;
      const source = override ?? policy.matchTrunk(listener.id, address, port);
      return source === undefined ? { kind: "unknown-source" } : decide(source, invite);
    },
  };
}
