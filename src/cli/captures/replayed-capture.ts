// Judges the calls of one capture for `sigwall replay`, and prints its lines and its summary.
import { formatEndpoint } from "../../net/endpoint.ts";
import type { CallAttempt, SignallingSource } from "../../domain/attempt.ts";
import type { Policy } from "../../policy/policy.ts";
import { LRUCache } from "lru-cache";
import type { AttemptSink, SeenInvite } from "../../replay/captured-attempts.ts";
import { readSeenIam, type SeenIam } from "../../replay/seen-iam.ts";
import { createCaptureJudge, type Judgement, type Outcome } from "../../replay/judge-capture.ts";
import type { Arrival } from "../../pcap/tcp-stream.ts";
import { toMillis } from "../../pcap/timestamp.ts";
import { readCall } from "../../judging/sip-i-attempt.ts";
import { type DecisionLine, describeDecision, type Sighting } from "../../records/lines/attempt-line.ts";
import {
  type CommandOutput,
  type LineSink,
  type LineStyle,
  type PrintedLine,
  readCapture,
} from "./capture-files.ts";
import {
  countDecision,
  countEnd,
  countFinding,
  countStranger,
  createReplayCounts,
  type ReplayCounts,
  summariseReplay,
} from "./capture-summary.ts";
import type { FollowedReplay } from "./followed-lines.ts";
import { plainTrunk } from "./plain-trunk.ts";

/** How `replay` judges and prints a capture. */
export interface CaptureReplay {
  readonly judgement: Judgement;
  readonly style: LineStyle;
  /** Shows repeats too, each with the decision of the attempt that it repeats. */
  readonly all: boolean;
  /** Follows the calls of captures from one to the next. Undefined: each capture is judged for itself, attempts alone. */
  readonly followed?: FollowedReplay | undefined;
  readonly output: CommandOutput;
  /** Is called with every line as `--json` prints it. Undefined: nobody compares. */
  readonly see: ((line: PrintedLine) => void) | undefined;
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

/** The source of a call in words: its endpoint, and its point code, which tells trunks behind one address apart. */
function sourceOf(
  { sourceAddress: address, sourcePort: port }: SignallingSource,
  { circuit }: CallAttempt,
): string {
  const place = address === "" ? "" : formatEndpoint({ address, port });
  const label = circuit === undefined ? "" : `point code ${circuit.opc}`;
  return `${place} ${label}`.trim() || "a source without address";
}

/** A call of a capture, SIP or ISUP. */
interface Seen extends Arrival {
  readonly origin: SignallingSource;
  readonly retransmissionOf: number | undefined;
}

/** Judges the calls of one capture and prints their lines. */
function attend(
  print: LineSink,
  { judgement, all, followed }: Pick<CaptureReplay, "judgement" | "all" | "followed">,
  counts: ReplayCounts,
): AttemptSink {
  const judge = followed?.judge ?? createCaptureJudge(judgement, undefined);
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
        countStranger(counts, sourceOf(seen.origin, attempt));
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
    print.attempt({ frame, seconds, nanos, retransmissionOf, fault }, attempt, decision);
  }

  function malformed({ frame }: Arrival, why: string): void {
    counts.malformed += 1;
    print.malformed(frame, why);
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
    return judgedBy(judge.judgeIam(iam), iam, () => readSeenIam(iam, plainTrunk, toMillis(iam)));
  }

  /** Prints what a message has completed, behind the line of the message. */
  function printNotes(frame: number): void {
    for (const note of followed?.take() ?? []) {
      if (note.record === "finding") countFinding(counts, note);
      else countEnd(counts, note);
      print.note(frame, note);
    }
  }

  const { followed: follower } = judge;
  const followSip = follower?.sip;
  return {
    invite(invite) {
      const { message } = invite.exchange;
      attendTo(
        invite,
        () => decideInvite(invite),
        (attempt) => message.fault ?? attempt.undecodable,
      );
      printNotes(invite.frame);
    },
    iam(iam) {
      attendTo(
        iam,
        () => decideIam(iam),
        () => undefined,
      );
      printNotes(iam.frame);
    },
    malformed,
    followed:
      follower === undefined
        ? undefined
        : {
            sip:
              followSip === undefined
                ? undefined
                : (message, arrival): void => {
                    followSip(message, arrival);
                    printNotes(arrival.frame);
                  },
            isup(msu, message, arrival) {
              follower.isup(msu, message, arrival);
              printNotes(arrival.frame);
            },
          },
  };
}

/**
 * Judges one capture and prints its lines, then its summary.
 * @returns false when nothing of the file could be read
 */
export async function replayCapture(
  file: string,
  { judgement, style, all, followed, output, see }: CaptureReplay,
): Promise<boolean> {
  const counts = createReplayCounts();
  const fullBefore = followed?.judge.full() ?? 0;
  followed?.judge.open(style.several ? `${file}:` : "");
  if (style.several && !style.json) output.stdout.write(`${file}\n`);
  const result = await readCapture(file, style, output, see, (print) =>
    attend(print, { judgement, all, followed }, counts),
  );
  if (result.failed) return false;
  counts.full = (followed?.judge.full() ?? 0) - fullBefore;
  (style.json ? output.stderr : output.stdout).write(summariseReplay(result, counts, style.timeZone));
  return true;
}
