/** Timed load from SIPp: calls at a steady rate from the address of every trunk, to one target. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeInjectionFile, type Layout } from "./dataset-files.ts";
import { allowedCalls, rejectedCalls, type Dataset } from "./dataset.ts";
import { cpuMicros, startPinned, threadMicros, type Started } from "./processes.ts";
import type { Target } from "./targets.ts";

export type LoadKind = "allowed" | "rejected";

export const loadKinds: readonly LoadKind[] = ["allowed", "rejected"];

/** Calls of one kind at a steady rate. */
export interface Load {
  readonly kind: LoadKind;
  readonly callsPerSecond: number;
  readonly seconds: number;
}

/** One timed load on one target. */
export interface Measurement extends Load {
  readonly target: Target;
  readonly calls: number;
  /** CPU of the whole target, µs per call. */
  readonly microsPerCall: number;
  /** Of the first thread alone: of sigwall, the call thread. */
  readonly firstThread: number;
  /** Of the busiest other thread: of sigwall with records, the records thread. */
  readonly nextThread: number;
  readonly failed: number;
  readonly retransmissions: number;
  /** From INVITE to its first answer by the called side (100) or the target (403), ms: 99 of 100 calls took no longer. */
  readonly p99: number;
  /** Calls a second that SIPp did place, its start and end included. */
  readonly reached: number;
}

export interface LoadPlan {
  readonly folder: string;
  readonly root: string;
  readonly layout: Layout;
  /** The core of the calling side. */
  readonly core: number;
  /** The core of the called side. */
  readonly calledCore: number;
}

/** Writes the callers of both kinds of load. */
export function prepareLoad(plan: LoadPlan, dataset: Dataset): void {
  const port = plan.layout.trunkPort;
  writeInjectionFile(join(plan.folder, "allowed.csv"), allowedCalls(dataset), port);
  writeInjectionFile(join(plan.folder, "rejected.csv"), rejectedCalls(dataset), port);
}

/** Starts the called side, which answers the calls of every target. */
export function startCore(plan: LoadPlan): Started {
  const { coreAddress, corePort } = plan.layout;
  return startPinned(
    plan.calledCore,
    [
      "sipp",
      "-sf",
      join(plan.root, "bench/sipp/uas.xml"),
      ...sippBasics,
      "-i",
      coreAddress,
      "-p",
      String(corePort),
    ],
    join(plan.folder, "core.log"),
  );
}

const sippBasics: readonly string[] = ["-nostdin", "-max_socket", "1000", "-buff_size", "4194304"];

/** Places calls and says what they cost the target. */
export async function applyLoad(plan: LoadPlan, target: Target, load: Load): Promise<Measurement> {
  const { kind, callsPerSecond, seconds } = load;
  const calls = callsPerSecond * seconds;
  const statistics = join(plan.folder, "load.stat");
  rmSync(statistics, { force: true });
  const command = [
    ["sipp", "-sf", join(plan.root, `bench/sipp/${kind}.xml`), ...sippBasics],
    // One socket per address of the first injected field: every trunk has its own.
    ["-t", "ui", "-ip_field", "0", "-inf", join(plan.folder, `${kind}.csv`)],
    ["-i", plan.layout.coreAddress, "-p", String(plan.layout.trunkPort)],
    ["-r", String(callsPerSecond), "-m", String(calls), "-l", String(callsPerSecond * 5)],
    ["-recv_timeout", "6000", "-timeout", `${seconds + 15}s`],
    ["-trace_stat", "-stf", statistics, "-fd", "1", `${target.address}:${target.port}`],
  ].flat();
  const { pid } = target.process;
  const before = cpuMicros(pid);
  const threads = threadMicros(pid);
  await startPinned(plan.core, command, join(plan.folder, `load-${kind}.log`)).ended;
  const spent = cpuMicros(pid) - before;
  const [firstThread, nextThread] = perThread(pid, threads, calls);
  const { successful, retransmissions, p99, reached } = readStatistics(statistics, calls);
  return {
    ...load,
    target,
    calls,
    microsPerCall: spent / calls,
    firstThread,
    nextThread,
    failed: calls - successful,
    retransmissions,
    p99,
    reached,
  };
}

/** CPU of the first thread and of the busiest other one since `before`, µs per call. */
function perThread(
  pid: number,
  before: ReadonlyMap<number, number>,
  calls: number,
): readonly [first: number, next: number] {
  let first = 0;
  let next = 0;
  for (const [thread, micros] of threadMicros(pid)) {
    const spent = (micros - (before.get(thread) ?? 0)) / calls;
    if (thread === pid) first = spent;
    else next = Math.max(next, spent);
  }
  return [first, next];
}

/** What the last line of SIPp's statistics says: cumulative counters end in "(C)". */
function readStatistics(
  file: string,
  calls: number,
): Pick<Measurement, "retransmissions" | "p99" | "reached"> & { readonly successful: number } {
  const [head = "", ...rows] = readFileSync(file, "utf8").trim().split("\n");
  const names = head.split(";");
  const values = rows.at(-1)?.split(";") ?? [];
  const valueOf = (name: string): number => Number(values[names.indexOf(name)] ?? 0);
  const sums = names.flatMap((name, i): readonly Bucket[] => {
    const [, bound] = /^ResponseTimeRepartition1_<(\d+)$/u.exec(name) ?? [];
    return bound === undefined ? [] : [{ below: Number(bound), calls: Number(values[i] ?? 0) }];
  });
  return {
    successful: valueOf("SuccessfulCall(C)"),
    retransmissions: valueOf("Retransmissions(C)"),
    p99: quantileOf(sums, calls, 0.99),
    reached: valueOf("CallRate(C)"),
  };
}

/** Calls whose answer came in less than `below` ms, and not in the time of an earlier bucket. */
interface Bucket {
  readonly below: number;
  readonly calls: number;
}

/** The bound below which `share` of the calls were answered; infinite when that is beyond the last bucket. */
function quantileOf(buckets: readonly Bucket[], calls: number, share: number): number {
  let answered = 0;
  for (const bucket of buckets) {
    answered += bucket.calls;
    if (answered >= calls * share) return bucket.below;
  }
  return Infinity;
}
