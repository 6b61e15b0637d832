import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { inTime } from "../support/until.ts";

/** The compiled program, as a newcomer's `node dist/main.js` would run it. */
export const program = "out/src/main.js";

/** The log line of a filter that is up. */
const UP = '"msg":"sigwall is up"';

/** What a finished command left behind. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the program to its end. `main`: the program, this one when left out. */
export async function runCommand(args: readonly string[], main = program): Promise<Finished> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  await endOf(child, () => `sigwall ${args.join(" ")} goes on: ${stdout}${stderr}`);
  return { code: child.exitCode, stdout, stderr };
}

/** A running filter, its addresses, and everything it wrote. */
export interface Filter {
  readonly sipPort: number;
  readonly admin: string;
  /** Where it listens: "udp:127.0.0.1:5060". Empty for a filter of 0.1.0. */
  readonly listening: readonly string[];
  readonly output: () => string;
  /** Resolves with the first line of the log after `from` lines that contains every one of `words`. */
  readonly logged: (words: readonly string[], from?: number) => Promise<string>;
  readonly lineCount: () => number;
  readonly signal: (
    name: "SIGHUP" | "SIGTERM" | "SIGINT" | "SIGUSR2" | "SIGSTOP" | "SIGCONT" | "SIGKILL",
  ) => void;
  /** Resolves when the process is gone. */
  readonly ended: Promise<unknown>;
  readonly exitCode: () => number | null;
  /** Asks it to stop and resolves with the exit code. */
  readonly stop: (name?: "SIGTERM" | "SIGINT") => Promise<number | null>;
}

/**
 * Starts `sigwall run` and resolves when it says that it is up. `main`: the program, this one when left out.
 * `environment`: beside that of the tests.
 */
export async function startFilter(
  configPath: string,
  nodeOptions: readonly string[] = [],
  main = program,
  environment: Readonly<Record<string, string>> = {},
): Promise<Filter> {
  const child = spawn(process.execPath, [...nodeOptions, main, "run", "--config", configPath], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  // A test that fails half-way leaves no filter behind.
  const kill = (): unknown => child.kill();
  process.once("exit", kill);
  child.once("close", () => process.off("exit", kill));
  const ended = once(child, "close");
  const log: string[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stderr }).on("line", (line) => {
    log.push(line);
    for (const look of waiting) look();
  });
  let stdout = "";
  const told = (): string => [stdout, ...log].join("\n");
  const isUp = new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      // A filter of 0.1.0 says so on standard output.
      if (stdout.includes("try next")) resolve();
    });
    waiting.add(() => {
      if (log.at(-1)?.includes(UP) === true) resolve();
    });
    child.once("close", () => reject(new Error(`the filter ended at once: ${log.join("\n")}`)));
  });
  await inTime(isUp, () => `the filter is not up: ${told()}`);

  function logged(words: readonly string[], from = 0): Promise<string> {
    const first = new Promise<string>((resolve, reject) => {
      const look = (): void => {
        const found = log.slice(from).find((line) => words.every((word) => line.includes(word)));
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
      void ended.then(() => reject(new Error(`the filter ended without "${words.join()}": ${told()}`)));
    });
    return inTime(first, () => `no line with "${words.join()}" in the log: ${told()}`);
  }

  const start = log.find((line) => line.includes(UP));
  return {
    sipPort: Number(/udp:127\.0\.0\.1:(\d+)/.exec(start ?? stdout)?.[1]),
    admin: start === undefined ? between(stdout, "admin      ", "\n") : between(start, '"admin":"', '"'),
    listening: readListening(start),
    output: told,
    logged,
    lineCount: () => log.length,
    signal: (name) => child.kill(name),
    ended,
    exitCode: () => child.exitCode,
    async stop(name = "SIGTERM") {
      child.kill(name);
      await endOf(child, () => `the filter has not stopped by ${name}: ${told()}`);
      return child.exitCode;
    },
  };
}

/** Resolves when the process is gone. One that stays is killed, and `why` is the reason of the failure. */
async function endOf(child: ChildProcess, why: () => string): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  try {
    await inTime(once(child, "close"), why);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

function readListening(line: string | undefined): readonly string[] {
  const told: unknown = line === undefined ? undefined : JSON.parse(line);
  if (typeof told !== "object" || told === null || !("listening" in told)) return [];
  return Array.isArray(told.listening) ? told.listening.map(String) : [];
}

function between(text: string, start: string, end: string): string {
  const at = text.indexOf(start) + start.length;
  return text.slice(at, text.indexOf(end, at));
}
