/** Counts the garbage of the running filter: what the collector says between loads, kilobytes a call. */
import { readFileSync } from "node:fs";
import { applyLoad, type Load, type LoadPlan } from "../load.ts";
import type { Target } from "../targets.ts";

/** A small nursery is collected often, so that a load of seconds is counted to the megabyte. */
export const garbageOptions: readonly string[] = ["--trace-gc", "--max-semi-space-size=1"];

const line = /^\[\d+:(0x[0-9a-f]+)\]\s+\d+ ms: [A-Z].*? (\d+(?:\.\d+)?) \([\d.]+\) -> (\d+(?:\.\d+)?) \(/u;

/**
 * Returns the kilobytes that a text of `--trace-gc` shows as allocated on the heaps of a process, by all its threads.
 * Each collection says how much there was before and after. What came since the last one is not counted.
 */
export function allocatedKilobytes(trace: string): number {
  const after = new Map<string, number>();
  let megabytes = 0;
  for (const row of trace.split("\n")) {
    const [, isolate = "", before, left] = line.exec(row) ?? [];
    if (before === undefined || left === undefined) continue;
    const earlier = after.get(isolate);
    if (earlier !== undefined) megabytes += Math.max(0, Number(before) - earlier);
    after.set(isolate, Number(left));
  }
  return megabytes * 1024;
}

/** Loads a target that was started with {@link garbageOptions}. Returns kilobytes of garbage a call. */
export async function measureGarbage(plan: LoadPlan, target: Target, load: Load): Promise<number> {
  const from = readFileSync(target.log, "latin1").length;
  const { calls } = await applyLoad(plan, target, load);
  return allocatedKilobytes(readFileSync(target.log, "latin1").slice(from)) / calls;
}
