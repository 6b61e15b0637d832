// Measures how busy the call thread is, for the overload control.
import { performance } from "node:perf_hooks";
import { LOAD_INTERVAL, type Load } from "../judging/overload.ts";

/** Measures this thread until it is stopped. */
export interface LoadProbe {
  readonly stop: () => void;
}

/**
 * Reports every {@link LOAD_INTERVAL} how much of the time the event loop was at work, and how late the report itself
 * is. A datagram that came when the report was due is as late.
 */
export function startLoadProbe(report: (load: Load) => void): LoadProbe {
  let before = performance.eventLoopUtilization();
  let due = performance.now() + LOAD_INTERVAL;
  const timer = setInterval(() => {
    const now = performance.now();
    const current = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(current, before);
    const late = Math.max(0, now - due);
    before = current;
    due = now + LOAD_INTERVAL;
    report({ busy: utilization, late });
  }, LOAD_INTERVAL);
  return { stop: () => clearInterval(timer) };
}
