import type { CallAttempt } from "../domain/attempt.ts";
import { formatIssue, type ConfigIssue } from "../config/issue.ts";
import { loadPolicy, loadStatic } from "../config/load.ts";
import type { Policy, TrunkPolicy } from "../config/policy.ts";
import { suggest } from "../config/suggestion.ts";
import { LRUCache } from "lru-cache";
import type { AttemptSink, SeenInvite } from "../engines/attempts.ts";
import { createJudge } from "../engines/replay.ts";
import type { Arrival } from "../pcap/tcp-stream.ts";
import { toMillis } from "../pcap/time.ts";
import { readAttempt } from "../sip/attempt.ts";
import { describeAttempt, describeDecision, formatSource, type DecisionLine } from "./attempt-line.ts";
import { readCapture, type CommandOutput, type CommandStream, type LineSink } from "./capture-files.ts";
import {
  countDecision,
  countStranger,
  createReplayCounts,
  summariseReplay,
  type ReplayCounts,
} from "./capture-summary.ts";
import { readFromDisk } from "./disk.ts";
import { compareLines, type Comparison } from "./expected-lines.ts";
import { plainTrunk } from "./inspect.ts";

/** What `replay` judges by, and how it writes. */
export interface ReplayOptions extends CommandOutput {
  /** Path of the static configuration, which names the policy. */
  readonly config: string;
  /** Judge every attempt as this trunk's; undefined: by source address, as the filter does. */
  readonly trunk: string | undefined;
  /** One JSON object a line, and nothing else on stdout. */
  readonly json: boolean;
  /** Show repeats too, each with the decision of the attempt that it repeats. */
  readonly all: boolean;
  /** A file of lines as `replay --json` writes them, to compare with; undefined: none. */
  readonly expect: string | undefined;
}

/** Decisions kept for the repeats of `--all`. */
const MAX_DECISIONS = 65_536;

const answers: ReadonlyMap<number, string> = new Map([
  [416, "the Request-URI has a scheme that is not carried"],
  [420, "Proxy-Require asks for what is not known here"],
  [483, "Max-Forwards is 0"],
]);

/** What was decided about an attempt. */
interface Judged {
  readonly attempt: CallAttempt;
  readonly decision: DecisionLine;
}

function refuseStranger({ exchange, origin, ...time }: SeenInvite, { revision }: Policy): Judged {
  return {
    attempt: readAttempt(exchange.message, plainTrunk, toMillis(time), origin),
    decision: {
      trunk: undefined,
      lessee: undefined,
      verdict: "drop",
      reason: "source-unknown",
      rule: "protocol",
      shadow: [],
      marks: undefined,
      revision,
    },
  };
}

/** Judges the INVITEs of one capture and makes their lines. */
function attend(
  print: LineSink,
  policy: Policy,
  override: TrunkPolicy | undefined,
  all: boolean,
  counts: ReplayCounts,
): AttemptSink {
  const judge = createJudge(policy, override);
  /** By frame; only kept when repeats are shown. */
  const judged = new LRUCache<number, Judged>({ max: MAX_DECISIONS });

  /** The decision; or in words, why there is none. */
  function decide(invite: SeenInvite): Judged | string {
    const outcome = judge.judge(invite);
    if (outcome.kind === "answered") {
      return `not judged, answered ${outcome.status}: ${answers.get(outcome.status) ?? "RFC 3261"}`;
    }
    if (outcome.kind === "unknown-source") {
      countStranger(counts, formatSource(invite.origin.sourceAddress, invite.origin.sourcePort));
      return refuseStranger(invite, policy);
    }
    return { attempt: outcome.decision.attempt, decision: describeDecision(outcome.decision) };
  }

  function write(invite: SeenInvite, { attempt, decision }: Judged): void {
    const { frame, seconds, nanos, exchange, retransmissionOf } = invite;
    const { fault } = exchange.message;
    print(describeAttempt({ frame, seconds, nanos, retransmissionOf, fault }, attempt, decision));
  }

  function malformed({ frame }: Arrival, why: string): void {
    counts.malformed += 1;
    print({ frame, malformed: why });
  }

  /** A repeat meets the same answer as what it repeats, whatever its windows say by now. */
  function repeat(invite: SeenInvite, first: number): void {
    counts.repeats += 1;
    const before = judged.get(first);
    if (before !== undefined) write(invite, before);
  }

  return {
    invite(invite) {
      if (invite.retransmissionOf !== undefined) {
        repeat(invite, invite.retransmissionOf);
        return;
      }
      const fresh = decide(invite);
      if (typeof fresh === "string") {
        malformed(invite, fresh);
        return;
      }
      if (all) judged.set(invite.frame, fresh);
      countDecision(counts, fresh.decision);
      write(invite, fresh);
    },
    malformed,
  };
}

/** What `replay` judges by; or the exit code, when that can't be read. */
function loadJudgement(
  options: ReplayOptions,
): { readonly policy: Policy; readonly trunk: TrunkPolicy | undefined } | number {
  const { stderr } = options;
  const { config, issues } = loadStatic(readFromDisk, options.config);
  if (config === undefined) return complain(stderr, issues);
  const loaded = loadPolicy(
    readFromDisk,
    config.policy,
    config.listen.map((listener) => listener.id),
  );
  if (loaded.policy === undefined) return complain(stderr, [...issues, ...loaded.issues]);
  if (options.trunk === undefined) return { policy: loaded.policy, trunk: undefined };
  const trunk = loaded.policy.trunkById(options.trunk);
  if (trunk !== undefined) return { policy: loaded.policy, trunk };
  const known = loaded.policy.trunks.map((policy) => policy.trunk.id);
  stderr.write(`sigwall replay: unknown trunk "${options.trunk}"${suggest(options.trunk, known)}\n`);
  return 2;
}

function complain(stderr: CommandStream, issues: readonly ConfigIssue[]): number {
  for (const issue of issues) stderr.write(`${formatIssue(issue)}\n`);
  return 1;
}

/** Reads what to compare with; or the exit code, when that can't be read. */
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

/** Lets lines through and notes the first that is not as expected. */
function createWatch(
  comparison: Comparison | undefined,
  stderr: CommandStream,
): { see(line: object): void; end(): boolean } {
  let differs = false;
  const note = (difference: string | undefined): void => {
    if (difference !== undefined && !differs)
      stderr.write(`sigwall replay: not as expected: ${difference}\n`);
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
 * `sigwall replay`: judges the call attempts in captures, each at its own time, under the policy. Returns the exit code: as
 * `inspect`; 1 also when the policy has errors or the lines are not those of `expect`; 2 for an unknown trunk or unreadable `expect`.
 */
export async function replayCaptures(files: readonly string[], options: ReplayOptions): Promise<number> {
  const judgement = loadJudgement(options);
  if (typeof judgement === "number") return judgement;
  const comparison = loadExpected(options);
  if (typeof comparison === "number") return comparison;
  const watch = createWatch(comparison, options.stderr);
  const style = { command: "replay", json: options.json, several: files.length > 1 } as const;
  let exitCode = 0;
  for (const file of files) {
    const counts = createReplayCounts();
    if (style.several && !style.json) options.stdout.write(`${file}\n`);
    const result = await readCapture(
      file,
      style,
      options,
      (line) => watch.see(line),
      (print) => attend(print, judgement.policy, judgement.trunk, options.all, counts),
    );
    if (result.failed) exitCode = 1;
    else (style.json ? options.stderr : options.stdout).write(summariseReplay(result, counts));
  }
  return watch.end() ? 1 : exitCode;
}
