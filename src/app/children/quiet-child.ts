// A command of this program in a child process of the lowest priority, with bounds of time and memory.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants, setPriority } from "node:os";
import type { Millis } from "../../domain/time.ts";

/** A child process that runs. */
export interface QuietChild {
  /** Resolves when the child has ended: its exit code, or the signal that ended it, and what it wrote. */
  readonly ended: Promise<{
    readonly code: number | string;
    /** The beginning of standard error. */
    readonly said: string;
    /** Standard output, where it was wanted; undefined: it was longer than `mostOutput`. */
    readonly output: string | undefined;
  }>;
  /** Resident memory in octets; 0 when it can't be told. */
  readonly memory: () => number;
  readonly kill: () => void;
}

/** Most characters that are kept of what a child says. */
const MOST_SAID = 2000;

/**
 * Starts a process of the lowest priority.
 *
 * @param args options of Node, the program and its arguments
 * @param mostOutput so many characters of standard output are kept; 0: none are wanted
 */
export function startQuietly(args: readonly string[], mostOutput = 0): QuietChild {
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", mostOutput > 0 ? "pipe" : "ignore", "pipe"],
  });
  const { pid } = child;
  if (pid !== undefined) lowerPriority(pid);
  let said = "";
  let output: string | undefined = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(0, MOST_SAID);
  });
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    if (output === undefined) return;
    output = output.length + text.length > mostOutput ? undefined : output + text;
  });
  return {
    ended: new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) =>
        resolve({ code: code ?? signal ?? "an unknown signal", said, output }),
      );
    }),
    memory: () => (pid === undefined ? 0 : memoryOf(pid)),
    kill: () => void child.kill("SIGKILL"),
  };
}

/** The bounds of a child. */
export interface ChildLimits {
  readonly time: Millis;
  /** Resident memory in octets. */
  readonly memory: number;
}

const LOOK: Millis = 500;

/**
 * Waits for a child, and ends it when it goes beyond its bounds.
 *
 * @returns resolves with what it wrote to standard output; `why` says what went wrong
 */
export async function waitWithin(
  child: QuietChild,
  { time, memory }: ChildLimits,
): Promise<{ readonly output: string } | { readonly why: string }> {
  let excess: string | undefined;
  const end = (why: string): void => {
    excess ??= why;
    child.kill();
  };
  const late = setTimeout(() => end(`it took more than ${time / 1000} s and was ended`), time).unref();
  const look = setInterval(() => {
    if (child.memory() > memory) end(`it took more than ${memory / 1e6} MB of memory and was ended`);
  }, LOOK).unref();
  try {
    const { code, said, output } = await child.ended;
    if (excess !== undefined) return { why: excess };
    if (code !== 0) return { why: said.trim() || `it ended with ${code}` };
    return output === undefined ? { why: "it wrote too much" } : { output };
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(late);
    clearInterval(look);
  }
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // The child has ended already.
  }
}

/** Reads what the kernel says of a process (proc(5), status: VmRSS, in units of 1024 octets whatever the page size). */
function memoryOf(pid: number): number {
  try {
    return residentOctets(readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    return 0;
  }
}

/** @returns the resident memory that `/proc/PID/status` tells, in octets; 0 of a process that has ended */
export function residentOctets(status: string): number {
  return Number(/^VmRSS:\s*(\d+) kB$/mu.exec(status)?.[1] ?? 0) * 1024;
}
