// What happens because time passes: probes of next hops, calls that go to another one, repeats.
import type { Millis } from "../domain/time.ts";
import { answerSilence } from "./requests/answer-for-hop.ts";
import { moveWaitingCalls } from "./sending/failover.ts";
import { probeNextHops } from "./sending/probe.ts";
import { tickBridge } from "./sending/stream-to-datagram.ts";
import { guard, type ProxyState } from "./turn/proxy-state.ts";
import { beginMoment } from "./turn/turn.ts";

/**
 * Lets time pass: probes of next hops, calls that go to another one, repeats. Each stands for itself: what fails in one
 * of them, or for one call or next hop, is counted and keeps nothing else from its turn.
 */
export function passTime(proxy: ProxyState, now: Millis): void {
  guard(proxy, () => {
    const moment = beginMoment(proxy, now);
    guard(proxy, () => proxy.hops.sweep(now));
    guard(proxy, () => proxy.judge.told.flush(now, proxy.tell));
    guard(proxy, () => probeNextHops(moment));
    guard(proxy, () => {
      if (proxy.inSetup.size > 0) moveWaitingCalls(moment);
    });
    guard(proxy, () =>
      tickBridge(moment, (hop, request) => {
        proxy.counters.transactionTimeouts++;
        answerSilence(moment, hop, request);
      }),
    );
    // Last: what was answered for a hop above ended by that answer.
    guard(proxy, () => proxy.calls.tick(now));
  });
}
