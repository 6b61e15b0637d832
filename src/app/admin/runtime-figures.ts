// Measures the JavaScript engine of a thread: heap, garbage collections, lag and handles.
import { constants, performance, PerformanceObserver, type PerformanceEntry } from "node:perf_hooks";
import { getHeapSpaceStatistics, getHeapStatistics } from "node:v8";
import { collectionBuckets, type RuntimeFigures } from "../../observe/figures.ts";

/** Measures the JavaScript engine of the thread that creates it. */
export interface RuntimeProbe {
  /** @param isCrowded true: too many sockets are open to count handles and resources within a turn. */
  readonly read: (isCrowded: boolean) => RuntimeFigures;
  readonly stop: () => void;
}

interface Collections {
  readonly buckets: number[];
  sum: number;
}

const kinds: ReadonlyMap<unknown, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MAJOR, "major"],
  [constants.NODE_PERFORMANCE_GC_MINOR, "minor"],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, "incremental"],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, "weakcb"],
]);

export function createRuntimeProbe(): RuntimeProbe {
  const collections = new Map<string, Collections>();
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) count(collections, entry);
  });
  observer.observe({ entryTypes: ["gc"] });
  let lag = 0;
  return {
    read(isCrowded) {
      const asked = performance.now();
      setImmediate(() => (lag = (performance.now() - asked) / 1000));
      return { ...readHeap(), collections, lag, active: isCrowded ? nothingActive : readActive() };
    },
    stop: () => observer.disconnect(),
  };
}

function count(collections: Map<string, Collections>, entry: PerformanceEntry): void {
  const detail: unknown = "detail" in entry ? entry.detail : undefined;
  const kind = typeof detail === "object" && detail !== null && "kind" in detail ? detail.kind : undefined;
  const name = kinds.get(kind) ?? "other";
  let known = collections.get(name);
  if (known === undefined)
    collections.set(name, (known = { buckets: [...collectionBuckets, 0].map(() => 0), sum: 0 }));
  const seconds = entry.duration / 1000;
  const bucket = collectionBuckets.findIndex((bound) => seconds <= bound);
  const index = bucket === -1 ? collectionBuckets.length : bucket;
  known.buckets[index] = (known.buckets[index] ?? 0) + 1;
  known.sum += seconds;
}

function readHeap(): Pick<RuntimeFigures, "heap" | "spaces"> {
  const { total_heap_size: total, used_heap_size: used, external_memory: external } = getHeapStatistics();
  const spaces = getHeapSpaceStatistics().map((space) => ({
    name: space.space_name.replace(/_space$/, ""),
    total: space.space_size,
    used: space.space_used_size,
    available: space.space_available_size,
  }));
  return { heap: { total, used, external }, spaces };
}

const nothingActive: RuntimeFigures["active"] = {
  handles: new Map(),
  requests: new Map(),
  resources: new Map(),
};

function readActive(): RuntimeFigures["active"] {
  return {
    handles: countTypes(listOf("_getActiveHandles").map(typeName)),
    requests: countTypes(listOf("_getActiveRequests").map(typeName)),
    resources: countTypes(process.getActiveResourcesInfo()),
  };
}

/** The list that an untyped function of Node.js returns; empty where this Node.js has no such function. */
function listOf(name: "_getActiveHandles" | "_getActiveRequests"): readonly unknown[] {
  const list: unknown = Reflect.get(process, name);
  const found: unknown = typeof list === "function" ? Reflect.apply(list, process, []) : [];
  return Array.isArray(found) ? found : [];
}

function typeName(value: unknown): string {
  return typeof value === "object" && value !== null ? value.constructor.name : "other";
}

function countTypes(types: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const type of types) counts.set(type, (counts.get(type) ?? 0) + 1);
  return counts;
}
