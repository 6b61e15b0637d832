/** Timed load from SIPp: calls at a steady rate from the address of every trunk, to one target. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeInjectionFile, type Layout } from "./dataset-files.ts";
import { allowedCalls, rejectedCalls, type Dataset } from "./dataset.ts";
import { cpuMicros, startPinned, threadMicros, type Started } from "./processes.ts";
import type { Target } from "./targets.ts";

export type LoadKind = "allowed" | "rejected";

/** One timed load on one target. */
export interface Measurement {
  readonly target: Target;
  readonly kind: LoadKind;
  readonly calls: number;
  /** CPU of the whole target, µs per call. */
  readonly microsPerCall: number;
  /** Of the first thread alone: of sigwall, the call thread. */
  readonly firstThread: number;
  /** Of the busiest other thread: of sigwall with records, the records thread. */
  readonly nextThread: number;
  readonly failed: number;
  readonly retransmissions: number;
}

export interface LoadPlan {
  readonly folder: string;
  readonly root: string;
  readonly layout: Layout;
  /** The core of the generators. */
  readonly core: number;
  readonly callsPerSecond: number;
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
    plan.core,
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

/** Places `calls` calls and says what they cost the target. */
export async function applyLoad(
  plan: LoadPlan,
  target: Target,
  kind: LoadKind,
  calls: number,
): Promise<Measurement> {
  const statistics = join(plan.folder, "load.stat");
  rmSync(statistics, { force: true });
  const command = [
    ["sipp", "-sf", join(plan.root, `bench/sipp/${kind}.xml`), ...sippBasics],
    // One socket per address of the first injected field: every trunk has its own.
    ["-t", "ui", "-ip_field", "0", "-inf", join(plan.folder, `${kind}.csv`)],
    ["-i", plan.layout.coreAddress, "-p", String(plan.layout.trunkPort)],
    ["-r", String(plan.callsPerSecond), "-m", String(calls), "-l", String(plan.callsPerSecond * 5)],
    ["-recv_timeout", "6000", "-timeout", `${Math.ceil(calls / plan.callsPerSecond) + 15}s`],
    ["-trace_stat", "-stf", statistics, "-fd", "1", `${target.address}:${target.port}`],
  ].flat();
  const { pid } = target.process;
  const before = cpuMicros(pid);
  const threads = threadMicros(pid);
  const load = startPinned(plan.core, command, join(plan.folder, `load-${kind}.log`));
  await load.ended;
  const spent = cpuMicros(pid) - before;
  const [firstThread, nextThread] = perThread(pid, threads, calls);
  const { successful, retransmissions } = readStatistics(statistics);
  const microsPerCall = spent / calls;
  const failed = calls - successful;
  return { target, kind, calls, microsPerCall, firstThread, nextThread, failed, retransmissions };
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

/** The last line of SIPp's statistics: cumulative counters end in "(C)". */
function readStatistics(file: string): { readonly successful: number; readonly retransmissions: number } {
  const rows = readFileSync(file, "utf8").trim().split("\n");
  const names = rows[0]?.split(";") ?? [];
  const values = rows.at(-1)?.split(";") ?? [];
  const valueOf = (name: string): number => Number(values[names.indexOf(name)] ?? 0);
  return { successful: valueOf("SuccessfulCall(C)"), retransmissions: valueOf("Retransmissions(C)") };
}
