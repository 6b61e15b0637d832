import type { Decision } from "../domain/verdict.ts";
import type { Policy, TrunkPolicy } from "../config/policy.ts";
import { toMillis } from "../pcap/time.ts";
import { createCounters } from "../observe/counters.ts";
import { refuseUnjudged } from "../relay/new-call.ts";
import { protocolError } from "../relay/protocol-error.ts";
import { createRelay, protocolDecision } from "../relay/relay.ts";
import { takeOwnRoutes } from "../relay/route.ts";
import { createScreeningState } from "../screening/state.ts";
import { readAttempt } from "../sip/attempt.ts";
import { clearEdits } from "../sip/edit.ts";
import { createKeyedTags } from "../sip/tag.ts";
import type { SeenInvite } from "./attempts.ts";

/** What the filter would have made of an INVITE. */
export type Outcome =
  | { readonly kind: "decision"; readonly decision: Decision; readonly source: TrunkPolicy }
  /** No trunk sends from there; the filter drops what strangers send without reading it. */
  | { readonly kind: "unknown-source" }
  /** RFC 3261's own answer (416, 420, 483): no rule is asked. */
  | { readonly kind: "answered"; readonly status: number };

/** Judges INVITEs of a capture at their own time, by the code that judges live ones. */
export interface Judge {
  judge(invite: SeenInvite): Outcome;
}

/**
 * Makes a judge whose windows and buckets are empty. `override`: every INVITE is judged as that trunk's, wherever it came from.
 */
export function createJudge(policy: Policy, override: TrunkPolicy | undefined): Judge {
  const state = createScreeningState(policy.tables);
  // What the live path works with. Nothing is ever sent, so the key is of no use to anybody.
  const relay = createRelay({
    policy: () => policy,
    listeners: [],
    tags: createKeyedTags(Buffer.alloc(32)),
    state,
    counters: createCounters(),
    sink: { send: () => true, decided() {}, fault() {} },
    elapsed: () => 0,
    ledgerSize: 1,
  });

  function decide(source: TrunkPolicy, { exchange, origin, ...time }: SeenInvite): Outcome {
    const { message, listener } = exchange;
    const { trunk, screen } = source;
    clearEdits(relay.edits);
    // In the order of the live path: each step may find the fault that makes the message malformed.
    const routes = takeOwnRoutes(message, [listener], relay.edits);
    const attempt = readAttempt(message, trunk, toMillis(time), origin);
    const status = message.fault === undefined ? protocolError(message, trunk) : 0;
    if (status !== 0) return { kind: "answered", status };
    const refusal = refuseUnjudged({ ...relay, message }, trunk.side === "core", routes);
    if (refusal === undefined) return { kind: "decision", decision: screen.judge(attempt, state), source };
    return { kind: "decision", decision: protocolDecision(attempt, refusal, policy.revision), source };
  }

  return {
    judge(invite) {
      const { listener, address, port } = invite.exchange;
      const source = override ?? policy.matchTrunk(listener.id, address, port);
      return source === undefined ? { kind: "unknown-source" } : decide(source, invite);
    },
  };
}
