// `sigwall replay`: judges the call attempts in captures under a policy.
import { formatEndpoint } from "../net/endpoint.ts";
import type { CallAttempt, SignallingSource } from "../domain/attempt.ts";
import { type ConfigIssue, formatIssue } from "../config/yaml/issue.ts";
import { loadStatic } from "../config/load-static.ts";
import type { Policy } from "../policy/policy.ts";
import { suggest } from "../config/yaml/suggestion.ts";
import { LRUCache } from "lru-cache";
import type { AttemptSink, SeenIam, SeenInvite } from "../replay/captured-attempts.ts";
import { createCaptureJudge, type Judgement, type Outcome } from "../replay/judge-capture.ts";
import type { Arrival } from "../pcap/tcp-stream.ts";
import { toMillis } from "../pcap/timestamp.ts";
import { readCall } from "../judging/sip-i-attempt.ts";
import { readIsupAttempt } from "../ss7/isup-attempt.ts";
import {
  type DecisionLine,
  describeAttempt,
  describeDecision,
  type Sighting,
} from "../records/lines/attempt-line.ts";
import {
  type CommandOutput,
  type CommandStream,
  type LineSink,
  readCapture,
} from "./captures/capture-files.ts";
import {
  countDecision,
  countStranger,
  createReplayCounts,
  type ReplayCounts,
  summariseReplay,
} from "./captures/capture-summary.ts";
import { readFromDisk } from "../app/read-file.ts";
import { compareLines, type Comparison } from "./captures/expected-lines.ts";
import { plainTrunk } from "./inspect.ts";
import { loadPolicy } from "../config/load-policy.ts";

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
  /**
   * File to compare with: the lines that `replay --json` writes for all captures, in their order.
   * Undefined: no comparison.
   */
  readonly expect: string | undefined;
}

/** At most this many decisions are kept for the repeats of `--all`. */
const MAX_DECISIONS = 65_536;

const answers: ReadonlyMap<number, string> = new Map([
  [416, "the scheme of the Request-URI is not supported"],
  [420, "Proxy-Require names an extension that is not supported"],
  [483, "Max-Forwards is 0"],
]);

/** An attempt and the decision about it. */
interface Judged {
  readonly attempt: CallAttempt;
  readonly decision: DecisionLine;
}

/** Decides a call whose source no trunk claims: dropped as source-unknown. */
function refuseStranger(attempt: CallAttempt, { revision }: Policy): Judged {
  return {
    attempt,
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

/** A call of a capture, SIP or ISUP. */
interface Seen extends Arrival {
  readonly origin: SignallingSource;
  readonly retransmissionOf: number | undefined;
}

/** Judges the calls of one capture and prints their lines. */
function attend(print: LineSink, judgement: Judgement, all: boolean, counts: ReplayCounts): AttemptSink {
  const judge = createCaptureJudge(judgement);
  /** By frame number; filled only when repeats are shown. */
  const judged = new LRUCache<number, Judged>({ max: MAX_DECISIONS });

  /**
   * Returns the decision, or in words why there is none. `readPlain` reads the attempt when no
   * trunk says how numbers are written.
   */
  function judgedBy(outcome: Outcome, seen: Seen, readPlain: () => CallAttempt | string): Judged | string {
    switch (outcome.kind) {
      case "decision": {
        const { decision, status } = outcome;
        const { attempt, verdict } = decision;
        if (verdict.reason === "protocol")
          return `not judged, answered ${status}: ${answers.get(status) ?? "RFC 3261"}`;
        // An IAM that can't be read names nobody.
        if (attempt.circuit !== undefined && attempt.undecodable !== undefined)
          return `IAM: ${attempt.undecodable}`;
        return { attempt, decision: describeDecision(decision) };
      }
      case "unknown-source": {
        const attempt = readPlain();
        if (typeof attempt === "string") return `IAM: ${attempt}`;
        const { sourceAddress, sourcePort } = seen.origin;
        countStranger(
          counts,
          sourceAddress === ""
            ? `point code ${attempt.circuit?.opc}`
            : formatEndpoint({ address: sourceAddress, port: sourcePort }),
        );
        return refuseStranger(attempt, judgement.policy);
      }
    }
  }

  function write(
    { frame, seconds, nanos, retransmissionOf }: Seen,
    judgedCall: Judged,
    fault: Sighting["fault"],
  ): void {
    const { attempt, decision } = judgedCall;
    print(describeAttempt({ frame, seconds, nanos, retransmissionOf, fault }, attempt, decision));
  }

  function malformed({ frame }: Arrival, why: string): void {
    counts.malformed += 1;
    print({ frame, malformed: why });
  }

  /**
   * Writes the line of an attempt. A repeat gets the decision of the attempt that it repeats,
   * whatever the rate windows say by now.
   */
  function attendTo(
    seen: Seen,
    decide: () => Judged | string,
    faultOf: (attempt: CallAttempt) => Sighting["fault"],
  ): void {
    if (seen.retransmissionOf !== undefined) {
      counts.repeats += 1;
      const before = judged.get(seen.retransmissionOf);
      if (before !== undefined) write(seen, before, faultOf(before.attempt));
      return;
    }
    const fresh = decide();
    if (typeof fresh === "string") {
      malformed(seen, fresh);
      return;
    }
    if (all) judged.set(seen.frame, fresh);
    countDecision(counts, fresh.decision);
    write(seen, fresh, faultOf(fresh.attempt));
  }

  function decideInvite(invite: SeenInvite): Judged | string {
    const { exchange, origin } = invite;
    return judgedBy(judge.judge(invite), invite, () =>
      readCall(exchange.message, plainTrunk, toMillis(invite), origin),
    );
  }

  function decideIam(iam: SeenIam): Judged | string {
    return judgedBy(judge.judgeIam(iam), iam, () =>
      readIsupAttempt(iam.message, iam.msu, plainTrunk, toMillis(iam), iam.origin),
    );
  }

  return {
    invite(invite) {
      const { message } = invite.exchange;
      attendTo(
        invite,
        () => decideInvite(invite),
        (attempt) => message.fault ?? attempt.undecodable,
      );
    },
    iam(iam) {
      attendTo(
        iam,
        () => decideIam(iam),
        () => undefined,
      );
    },
    malformed,
  };
}

/** What calls are judged by, and the zone of the times in the table. */
interface ZonedJudgement extends Judgement {
  readonly timeZone: string;
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
  if (options.trunk === undefined) return { policy, timeZone, ownNames, trunk: undefined };
  const trunk = policy.trunkById(options.trunk);
  if (trunk !== undefined) return { policy, timeZone, ownNames, trunk };
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
 * policy.
 * @returns exit code: as `inspect`; 1 also when the policy has errors or a line differs from
 * `expect`; 2 for an unknown trunk or an unreadable `expect`
 */
export async function replayCaptures(files: readonly string[], options: ReplayOptions): Promise<number> {
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
  let exitCode = 0;
  for (const file of files) {
    const counts = createReplayCounts();
    if (style.several && !style.json) options.stdout.write(`${file}\n`);
    const result = await readCapture(
      file,
      style,
      options,
      (line) => watch.see(line),
      (print) => attend(print, judgement, options.all, counts),
    );
    if (result.failed) exitCode = 1;
    else (style.json ? options.stderr : options.stdout).write(summariseReplay(result, counts));
  }
  return watch.end() ? 1 : exitCode;
}
