import type { Millis } from "../domain/time.ts";
import { tickBridge } from "./bridge.ts";
import { moveWaitingCalls } from "./failover.ts";
import { probeNextHops } from "./probe.ts";
import { guard, type Relay } from "./relay.ts";
import { answerSilence } from "./unanswered.ts";

/**
 * Lets time pass: probes of next hops, calls that go to another one, repeats. Each stands for itself: what fails in one of them, or
 * for one call or next hop, is counted and keeps nothing else from its turn.
 */
export function passTime(relay: Relay, now: Millis): void {
  const { hops } = relay;
  relay.now = now;
  guard(relay, () => {
    const policy = relay.policy();
    if (policy !== hops.policy) hops.adopt(policy, now);
    hops.sweep(now);
  });
  const { policy } = hops;
  if (policy === undefined) return;
  guard(relay, () => probeNextHops(relay, now, policy.nextHopHealth));
  guard(relay, () => {
    if (relay.sentCalls.isActive) moveWaitingCalls(relay, now, policy);
  });
  guard(relay, () =>
    tickBridge(relay, now, (listener, address, port, bytes) => {
      relay.counters.transactionTimeouts++;
      answerSilence(relay, now, policy, listener, address, port, bytes);
    }),
  );
}
