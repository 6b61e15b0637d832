// Loaded into the filter by `node --import`: tells the soak once a second how late its event loop ran, in ms.
// A monitor in the product would wake an idle process a hundred times a second; here it is part of the measurement.
import { monitorEventLoopDelay } from "node:perf_hooks";

const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();

/** ms; a timer that is never late shows its own resolution. */
function late(nanos) {
  return Math.max(nanos / 1e6 - 10, 0);
}

setInterval(() => {
  process.send?.({ p50: late(delay.percentile(50)), p99: late(delay.percentile(99)), max: late(delay.max) });
  delay.reset();
}, 1_000).unref();
