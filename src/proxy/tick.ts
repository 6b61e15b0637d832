// What happens because time passes: held answers leave, probes of next hops, calls that go to another one, repeats.
import type { Millis } from "../domain/time.ts";
import { answerSilence } from "./requests/answer-for-hop.ts";
import { moveWaitingCalls } from "./sending/failover.ts";
import { probeNextHops } from "./sending/probe.ts";
import { tickReleases } from "./sending/release.ts";
import { tickBridge } from "./sending/stream-to-datagram.ts";
import { guard, type ProxyState } from "./turn/proxy-state.ts";
import { beginMoment } from "./turn/turn.ts";

/**
 * Lets time pass: probes next hops, moves calls to other next hops, repeats messages. An error in one step, or for one
 * call or next hop, is counted. It does not stop the others.
 */
export function passTime(proxy: ProxyState, now: Millis): void {
  guard(proxy, () => {
    const moment = beginMoment(proxy, now);
    guard(proxy, () => proxy.held.release(now));
    guard(proxy, () => proxy.hops.sweep(now));
    guard(proxy, () => proxy.judge.told.flush(now, proxy.tell));
    guard(proxy, () => proxy.toldRequests.flush(now, proxy.tell));
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
    guard(proxy, () => tickReleases(proxy, now));
    // This step is last. An answer that was given above in the place of a hop has already ended its call.
    guard(proxy, () => proxy.calls.tick(now));
  });
}
