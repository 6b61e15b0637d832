// Rehearses a reload: `sigwall rehearse` over the calls of the last hour, in a child process.
import { fileURLToPath } from "node:url";
import { type ChildLimits, type QuietChild, startQuietly, waitWithin } from "./quiet-child.ts";

/** What a rehearsal found. */
export interface ReloadRehearsal {
  /** Of the policy that was rehearsed: files may have changed since it was read. */
  readonly revision: string;
  /** Recorded attempts that were looked at. */
  readonly attempts: number;
  /** Verdicts that would be others. */
  readonly changed: number;
  /** The first ways in which they change, the most frequent ones first: as `sigwall rehearse --json` has them. */
  readonly changes: readonly unknown[];
  /** What could not be judged anew, as there. */
  readonly unjudged: readonly unknown[];
  readonly unheld: readonly unknown[];
}

export interface Rehearser {
  /** Rehearses the configuration. Resolves with a text that says why it can't be rehearsed. */
  readonly rehearse: () => Promise<ReloadRehearsal | string>;
  /** Ends a child that runs. */
  readonly close: () => void;
}

/** Path of the program, from this file. */
const PROGRAM = fileURLToPath(new URL("../../main.js", import.meta.url));

/** So far back go the calls that a reload is judged by. */
const SINCE = "1h";
/** Lists of ten million numbers and an hour of a busy filter have room in it. */
const LIMITS: ChildLimits = { time: 300_000, memory: 2e9 };
/** So many ways in which verdicts change are told. */
const MOST_CHANGES = 20;
/** The thread of the calls reads the output: it is short. */
const MOST_OUTPUT = 1 << 16;

/**
 * Makes the rehearser of a running filter. No call waits for it: nothing but a timer runs in this process.
 *
 * @param config path of sigwall.yaml
 */
export function createRehearser(config: string): Rehearser {
  let child: QuietChild | undefined;
  return {
    async rehearse() {
      const command = [
        "rehearse",
        "--config",
        config,
        "--since",
        SINCE,
        "--most",
        `${MOST_CHANGES}`,
        "--json",
      ];
      child = startQuietly(["--max-old-space-size=1024", PROGRAM, ...command], MOST_OUTPUT);
      const ended = await waitWithin(child, LIMITS);
      child = undefined;
      return "why" in ended ? ended.why : (readRehearsal(ended.output) ?? "its output can't be read");
    },
    close: () => child?.kill(),
  };
}

/** @returns undefined for what is not the output of `sigwall rehearse --json` */
export function readRehearsal(output: string): ReloadRehearsal | undefined {
  try {
    const value: unknown = JSON.parse(output);
    if (typeof value !== "object" || value === null) return undefined;
    if (!("revision" in value) || typeof value.revision !== "string") return undefined;
    if (!("attempts" in value) || typeof value.attempts !== "number") return undefined;
    if (!("changed" in value) || typeof value.changed !== "number") return undefined;
    const list = (name: string): readonly unknown[] => {
      const found: unknown = Object.entries(value).find(([key]) => key === name)?.[1];
      return Array.isArray(found) ? found.slice(0, MOST_CHANGES) : [];
    };
    const { revision, attempts, changed } = value;
    return {
      revision,
      attempts,
      changed,
      changes: list("changes"),
      unjudged: list("unjudged"),
      unheld: list("unheld"),
    };
  } catch {
    return undefined;
  }
}
