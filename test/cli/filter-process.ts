import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** The compiled program, as a newcomer's `node dist/main.js` would run it. */
export const program = "out/src/main.js";

/** What a finished command left behind. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the program to its end. */
export async function runCommand(args: readonly string[]): Promise<Finished> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  await once(child, "close");
  return { code: child.exitCode, stdout, stderr };
}

/** A running filter, its addresses, and everything it wrote. */
export interface Filter {
  readonly sipPort: number;
  readonly admin: string;
  readonly output: () => string;
  /** Resolves with the first line of the log after `from` lines that contains every one of `words`. */
  readonly logged: (words: readonly string[], from?: number) => Promise<string>;
  readonly lineCount: () => number;
  readonly signal: (name: "SIGHUP" | "SIGTERM" | "SIGINT" | "SIGUSR2" | "SIGSTOP" | "SIGKILL") => void;
  /** Resolves when the process is gone. */
  readonly ended: Promise<unknown>;
  /** Asks it to stop and resolves with the exit code. */
  readonly stop: (name?: "SIGTERM" | "SIGINT") => Promise<number | null>;
}

/** Starts `sigwall run` and resolves when it says that it is up. */
export async function startFilter(configPath: string, nodeOptions: readonly string[] = []): Promise<Filter> {
  const child = spawn(process.execPath, [...nodeOptions, program, "run", "--config", configPath], {
    stdio: ["ignore", "pipe", "pipe"],
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
  await new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      if (stdout.includes("try next")) resolve();
    });
    child.once("close", () => reject(new Error(`the filter ended at once: ${log.join("\n")}`)));
  });

  function logged(words: readonly string[], from = 0): Promise<string> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = log.slice(from).find((line) => words.every((word) => line.includes(word)));
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  }

  return {
    sipPort: Number(between(stdout, "udp:127.0.0.1:", "\n")),
    admin: between(stdout, "admin      ", "\n"),
    output: () => [stdout, ...log].join("\n"),
    logged,
    lineCount: () => log.length,
    signal: (name) => child.kill(name),
    ended,
    stop: (name = "SIGTERM") => stop(child, name),
  };
}

async function stop(child: ChildProcess, name: "SIGTERM" | "SIGINT"): Promise<number | null> {
  child.kill(name);
  await once(child, "close");
  return child.exitCode;
}

function between(text: string, start: string, end: string): string {
  const at = text.indexOf(start) + start.length;
  return text.slice(at, text.indexOf(end, at));
}
