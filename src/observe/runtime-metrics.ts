// The metrics `nodejs_*`, as they stand in the call thread.
import type { Figures, RuntimeFigures } from "./figures.ts";
import type { Report } from "./series.ts";

/** Reads one of the usual metrics of Node.js. */
type Read = (runtime: RuntimeFigures, report: Report) => void;

/**
 * The usual metrics of Node.js about one thread. prom-client would measure the thread that renders. These are about the
 * call thread.
 */
const reads: Readonly<Record<string, Read>> = {
  nodejs_heap_size_total_bytes: ({ heap }, report) => report({}, heap.total),
  nodejs_heap_size_used_bytes: ({ heap }, report) => report({}, heap.used),
  nodejs_external_memory_bytes: ({ heap }, report) => report({}, heap.external),
  nodejs_heap_space_size_total_bytes({ spaces }, report) {
    for (const { name, total } of spaces) report({ space: name }, total);
  },
  nodejs_heap_space_size_used_bytes({ spaces }, report) {
    for (const { name, used } of spaces) report({ space: name }, used);
  },
  nodejs_heap_space_size_available_bytes({ spaces }, report) {
    for (const { name, available } of spaces) report({ space: name }, available);
  },
  nodejs_eventloop_lag_seconds: ({ lag }, report) => report({}, lag),
  nodejs_active_handles: ({ active }, report) => byType(active.handles, report),
  nodejs_active_requests: ({ active }, report) => byType(active.requests, report),
  nodejs_active_resources: ({ active }, report) => byType(active.resources, report),
};

export const runtimeMetrics: readonly string[] = Object.keys(reads);

/** Reports the series of one of {@link runtimeMetrics}; none when the figures have nothing of it. */
export function readRuntime(name: string, { runtime }: Figures, report: Report): void {
  if (runtime !== undefined) reads[name]?.(runtime, report);
}

function byType(counts: ReadonlyMap<string, number>, report: Report): void {
  for (const [type, count] of counts) report({ type }, count);
}
