// `sigwall replay`: judges the call attempts in captures under a policy.
import { availableParallelism } from "node:os";
import { statSync } from "node:fs";
import { type ConfigIssue, formatIssue } from "../config/yaml/issue.ts";
import { loadStatic } from "../config/load-static.ts";
import { suggest } from "../config/yaml/suggestion.ts";
import { type Judgement, needsWholeCalls } from "../replay/judge-capture.ts";
import { STANDARD_INPUT } from "./captures/capture-bytes.ts";
import { canRead, type CommandOutput, type CommandStream } from "./captures/capture-files.ts";
import { readFromDisk } from "../app/read-file.ts";
import { compareLines, type Comparison } from "./captures/expected-lines.ts";
import { createFollowedReplay } from "./captures/followed-lines.ts";
import { replayCapture } from "./captures/replayed-capture.ts";
import { replayInThreads } from "./captures/replay-threads.ts";
import { loadPolicy, partsOf } from "../config/load-policy.ts";
import type { PolicyParts } from "../config/policy/build-policy.ts";

/** Options of `sigwall replay`. */
export interface ReplayOptions extends CommandOutput {
  /** Path of `sigwall.yaml`, which names the policy. */
  readonly config: string;
  /**
   * Judges every attempt as a call of this trunk. Undefined: by source address, as the filter does.
   */
  readonly trunk: string | undefined;
  /** One JSON object per line, and nothing else on stdout. */
  readonly json: boolean;
  /** Shows repeats too, each with the decision of the attempt that it repeats. */
  readonly all: boolean;
  /** Tells the end of each attempt that its capture shows, whatever was decided on it. */
  readonly ends: boolean;
  /**
   * File to compare with: the lines that `replay --json` writes for all captures, in their order.
   * Undefined: no comparison.
   */
  readonly expect: string | undefined;
  /**
   * At most this many captures are read at once, each by a thread of its own. Undefined: as many as there are cores, when
   * the captures are large.
   */
  readonly jobs: number | undefined;
}

/** Captures with fewer bytes together are read one after the other: threads take as long to start. */
const WORTH_THREADS = 16 << 20;

/** What calls are judged by, and the zone of the times in the table. */
interface ZonedJudgement extends Judgement {
  readonly timeZone: string;
  /** What the policy was compiled from. */
  readonly parts: PolicyParts;
}

/**
 * Loads the policy and the trunk that `replay` judges by.
 * @returns the exit code when one of them can't be used
 */
function loadJudgement(options: ReplayOptions): ZonedJudgement | number {
  const { stderr } = options;
  const { config, issues } = loadStatic(readFromDisk, options.config);
  if (config === undefined) return complain(stderr, issues);
  const loaded = loadPolicy(
    readFromDisk,
    config.policy,
    config.listen.map((listener) => listener.id),
  );
  const { policy, material } = loaded;
  if (policy === undefined || material === undefined) return complain(stderr, [...issues, ...loaded.issues]);
  const { timeZone } = material.file;
  const ownNames = [...config.ownNames, ...config.listen.flatMap(({ advertise }) => advertise ?? [])];
  const parts = partsOf(material);
  if (options.trunk === undefined) return { policy, parts, timeZone, ownNames, trunk: undefined };
  const trunk = policy.trunkById(options.trunk);
  if (trunk !== undefined) return { policy, parts, timeZone, ownNames, trunk };
  const known = policy.trunks.map((one) => one.trunk.id);
  stderr.write(`sigwall replay: unknown trunk "${options.trunk}"${suggest(options.trunk, known)}\n`);
  return 2;
}

function complain(stderr: CommandStream, issues: readonly ConfigIssue[]): number {
  for (const issue of issues) stderr.write(`${formatIssue(issue)}\n`);
  return 1;
}

/**
 * Reads the file to compare with.
 * @returns undefined without `expect`; the exit code when the file can't be used
 */
function loadExpected({ expect, stderr }: ReplayOptions): Comparison | undefined | number {
  if (expect === undefined) return undefined;
  const content = readFromDisk(expect);
  const comparison =
    "error" in content
      ? `can't be read: ${content.error}`
      : compareLines(Buffer.from(content.bytes).toString("utf8"));
  if (typeof comparison !== "string") return comparison;
  stderr.write(`sigwall replay: ${expect}: ${comparison}\n`);
  return 2;
}

/** Watches the printed lines and reports the first difference. */
function createWatch(
  comparison: Comparison | undefined,
  stderr: CommandStream,
): { see(line: object): void; end(): boolean } {
  let differs = false;
  const note = (difference: string | undefined): void => {
    if (difference !== undefined && !differs)
      stderr.write(`sigwall replay: output differs from the expected: ${difference}\n`);
    differs ||= difference !== undefined;
  };
  return {
    see: (line: object): void => note(comparison?.next(line)),
    end() {
      note(comparison?.end());
      return differs;
    },
  };
}

/**
 * Runs `sigwall replay`: judges the call attempts in captures, each at its own time, under the
 * policy. The capture `-` is standard input.
 * @returns exit code: as `inspect`; 1 also when the policy has errors or a line differs from
 * `expect`; 2 for an unknown trunk or an unreadable `expect`
 */
export async function replayCaptures(files: readonly string[], options: ReplayOptions): Promise<number> {
  if (!canRead(files, "replay", options)) return 2;
  const judgement = loadJudgement(options);
  if (typeof judgement === "number") return judgement;
  const comparison = loadExpected(options);
  if (typeof comparison === "number") return comparison;
  const watch = createWatch(comparison, options.stderr);
  const style = {
    command: "replay",
    json: options.json,
    several: files.length > 1,
    timeZone: judgement.timeZone,
  } as const;
  // Calls that go on from one capture to the next can't be judged at once.
  const isFollowed = options.ends || needsWholeCalls(judgement.policy);
  const jobs = comparison === undefined && !isFollowed ? Math.min(files.length, jobsFor(files, options)) : 1;
  if (jobs > 1) return replayInThreads(files, jobs, { ...options, ...judgement, style });
  const see = comparison === undefined ? undefined : (line: object): void => watch.see(line);
  const followed = isFollowed ? createFollowedReplay(judgement, options.ends) : undefined;
  const replay = { judgement, style, all: options.all, followed, output: options, see };
  let exitCode = 0;
  for (const file of files) if (!(await replayCapture(file, replay))) exitCode = 1;
  return watch.end() ? 1 : exitCode;
}

/** How many captures are read at once. A file that can't be read counts as empty: the replay says why. */
function jobsFor(files: readonly string[], { jobs }: ReplayOptions): number {
  // Threads can't read standard input.
  if (files.includes(STANDARD_INPUT)) return 1;
  if (jobs !== undefined) return jobs;
  const bytes = files.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
  return bytes < WORTH_THREADS ? 1 : availableParallelism();
}
