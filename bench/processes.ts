/** Child processes of the bench: pinned to a core, their CPU time, and their certain end. */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { once } from "node:events";

const started = new Set<ChildProcess>();

export interface Started {
  readonly pid: number;
  /** Ends with the exit code once the process is gone. */
  readonly ended: Promise<number | undefined>;
}

/** Starts a program on one core, its output going to `log`. */
export function startPinned(core: number, command: readonly string[], log: string): Started {
  const output = openSync(log, "w");
  const child = spawn("taskset", ["-c", String(core), ...command], { stdio: ["ignore", output, output] });
  closeSync(output);
  started.add(child);
  const ended = once(child, "exit").then(([code]: (number | null)[]) => {
    started.delete(child);
    return code ?? undefined;
  });
  if (child.pid === undefined) throw new Error(`cannot start ${command[0]}`);
  return { pid: child.pid, ended };
}

/** Ends a process this bench started: politely, then, after two seconds, for certain. */
export async function end({ pid, ended }: Started): Promise<void> {
  const children = treeOf(pid);
  signal(pid, "SIGTERM");
  const timer = setTimeout(() => children.forEach((child) => signal(child, "SIGKILL")), 2_000);
  await ended;
  clearTimeout(timer);
}

/** Ends whatever is still there, at once: for the way out after an error. */
export function endAll(): void {
  for (const { pid } of started)
    if (pid !== undefined) treeOf(pid).forEach((child) => signal(child, "SIGKILL"));
}

/** CPU time of a process tree so far, user and system, in µs. */
export function cpuMicros(pid: number): number {
  let nanos = 0;
  for (const member of treeOf(pid)) {
    for (const thread of readFolder(`/proc/${member}/task`)) {
      // The first field is the scheduler's own count in ns; /proc/PID/stat shows the same in ticks of 10 ms.
      nanos += Number(readProc(`/proc/${member}/task/${thread}/schedstat`).split(" ", 1)[0] ?? 0);
    }
  }
  return nanos / 1_000;
}

/** CPU time of each thread of a process so far, in µs, by thread. The first thread has the number of the process. */
export function threadMicros(pid: number): ReadonlyMap<number, number> {
  const threads = readFolder(`/proc/${pid}/task`).map(Number);
  return new Map(
    threads.map((thread) => [
      thread,
      Number(readProc(`/proc/${pid}/task/${thread}/schedstat`).split(" ", 1)[0] ?? 0) / 1_000,
    ]),
  );
}

/** Proportional set size of a process tree in MB. */
export function memoryMegabytes(pid: number): number {
  let kilobytes = 0;
  for (const member of treeOf(pid)) {
    const line = readProc(`/proc/${member}/smaps_rollup`)
      .split("\n")
      .find((row) => row.startsWith("Pss:"));
    kilobytes += Number(line?.split(/\s+/)[1] ?? 0);
  }
  return kilobytes / 1024;
}

function treeOf(pid: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync("/proc")) {
    const member = Number(entry);
    if (Number.isInteger(member)) parents.set(member, Number(statFields(member)[1] ?? 0));
  }
  const tree = [pid];
  for (const parent of tree) for (const [child, of] of parents) if (of === parent) tree.push(child);
  return tree;
}

/** The fields behind the command name, which may itself hold spaces and brackets. */
function statFields(pid: number): readonly string[] {
  const stat = readProc(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function readProc(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    // The process is gone.
    return "";
  }
}

function readFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Already gone.
  }
}
