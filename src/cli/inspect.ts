// `sigwall inspect`: lists the call attempts in captures, without a policy.
import type { CallAttempt } from "../domain/attempt.ts";
import { toMillis } from "../pcap/timestamp.ts";
import { readCall } from "../judging/sip-i-attempt.ts";
import type { AttemptSink } from "../replay/captured-attempts.ts";
import { readSeenIam } from "../replay/seen-iam.ts";
import type { Arrival } from "../pcap/tcp-stream.ts";
import type { Sighting } from "../records/lines/attempt-line.ts";
import {
  canRead,
  readCapture,
  type CaptureResult,
  type CommandOutput,
  type LineSink,
} from "./captures/capture-files.ts";
import { plainTrunk } from "./captures/plain-trunk.ts";
import { describeCapture } from "./captures/capture-summary.ts";
import { sayAmount } from "../domain/amount.ts";

/** Options of `sigwall inspect`. */
export interface InspectOptions extends CommandOutput {
  /** One JSON object per line, and nothing else on stdout. */
  readonly json: boolean;
}

interface InspectCounts {
  attempts: number;
  repeats: number;
  malformed: number;
}

function attend(print: LineSink, counts: InspectCounts): AttemptSink {
  function write(sighting: Sighting, attempt: CallAttempt): void {
    if (sighting.retransmissionOf === undefined) counts.attempts += 1;
    else counts.repeats += 1;
    print.attempt(sighting, attempt);
  }
  function malformed({ frame }: Arrival, why: string): void {
    counts.malformed += 1;
    print.malformed(frame, why);
  }
  return {
    invite({ frame, seconds, nanos, exchange, origin, retransmissionOf }) {
      const attempt = readCall(exchange.message, plainTrunk, toMillis({ seconds, nanos }), origin);
      const fault = exchange.message.fault ?? attempt.undecodable;
      write({ frame, seconds, nanos, retransmissionOf, fault }, attempt);
    },
    iam(iam) {
      const { frame, seconds, nanos, retransmissionOf } = iam;
      const attempt = readSeenIam(iam, plainTrunk, toMillis(iam));
      if (typeof attempt === "string") malformed(iam, `IAM: ${attempt}`);
      else write({ frame, seconds, nanos, retransmissionOf, fault: undefined }, attempt);
    },
    malformed,
  };
}

function summarise(result: CaptureResult, { attempts, repeats, malformed }: InspectCounts): string {
  const found = `${sayAmount(attempts, "call attempt")}, ${sayAmount(repeats, "repeat")}, ${malformed} malformed`;
  return attempts + repeats + malformed > 0
    ? `${describeCapture(result)}: ${found}`
    : `no call attempt: ${describeCapture(result)}`;
}

/**
 * Runs `sigwall inspect`: lists the call attempts in captures, without a policy. The capture `-` is standard input.
 * @returns exit code: 0, also for a damaged capture that could be read in part; 1 when a file is no
 * capture or can't be read; 2 when standard input is named twice
 */
export async function inspectCaptures(files: readonly string[], options: InspectOptions): Promise<number> {
  if (!canRead(files, "inspect", options)) return 2;
  let exitCode = 0;
  const style = {
    command: "inspect",
    json: options.json,
    several: files.length > 1,
    timeZone: undefined,
  } as const;
  for (const file of files) {
    const counts: InspectCounts = { attempts: 0, repeats: 0, malformed: 0 };
    if (style.several && !style.json) options.stdout.write(`${file}\n`);
    const result = await readCapture(file, style, options, undefined, (print) => attend(print, counts));
    if (result.failed) exitCode = 1;
    else (style.json ? options.stderr : options.stdout).write(`${summarise(result, counts)}\n`);
  }
  return exitCode;
}
