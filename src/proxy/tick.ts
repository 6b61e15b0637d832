import type { Millis } from "../domain/time.ts";
import { tickBridge } from "./sending/stream-to-datagram.ts";
import { moveWaitingCalls } from "./sending/failover.ts";
import { probeNextHops } from "./sending/probe.ts";
import { guard, turnTo, type Relay } from "./turn/proxy-state.ts";
import { answerSilence } from "./requests/answer-for-hop.ts";

/**
 * Lets time pass: probes of next hops, calls that go to another one, repeats. Each stands for itself: what fails in one of them, or
 * for one call or next hop, is counted and keeps nothing else from its turn.
 */
export function passTime(relay: Relay, now: Millis): void {
  guard(relay, () => {
    turnTo(relay, now);
    relay.hops.sweep(now);
  });
  guard(relay, () => probeNextHops(relay));
  guard(relay, () => {
    if (relay.sentCalls.isActive) moveWaitingCalls(relay);
  });
  guard(relay, () =>
    tickBridge(relay, (listener, address, port, bytes) => {
      relay.counters.transactionTimeouts++;
      answerSilence(relay, listener, address, port, bytes);
    }),
  );
}
