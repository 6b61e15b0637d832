import type { Millis } from "../domain/time.ts";
import { tickBridge } from "./bridge.ts";
import { moveWaitingCalls } from "./failover.ts";
import { probeNextHops } from "./probe.ts";
import { guard, turnTo, type Relay } from "./relay.ts";
import { answerSilence } from "./unanswered.ts";

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
