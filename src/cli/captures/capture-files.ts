// Reads one capture for a command and prints its lines, in frame order.
import type { Readable } from "node:stream";
import { createAttemptReader, type AttemptSink, type MessageCounts } from "../../replay/captured-attempts.ts";
import { createSignallingReader, type SignallingReader } from "../../replay/signalling.ts";
import type { CaptureFault } from "../../pcap/reader.ts";
import type { UnreadCount } from "../../pcap/unread-counts.ts";
import { writeAttempt, writeMalformed } from "./attempt-json.ts";
import {
  type AttemptLine,
  type DecisionLine,
  describeAttempt,
  type MalformedLine,
  type Sighting,
} from "../../records/lines/attempt-line.ts";
import type { EndedLine, FindingLine } from "../../records/lines/record-line.ts";
import type { CallAttempt } from "../../domain/attempt.ts";
import { createAttemptTable } from "./attempt-table.ts";
import { openCapture, STANDARD_INPUT, UnpackError } from "./capture-bytes.ts";
import { createProgress, noProgress } from "./progress.ts";
import { describeFailure } from "../../app/read-file.ts";

/** Where a command writes. */
export interface CommandOutput {
  readonly stdout: CommandStream;
  readonly stderr: CommandStream;
  /** Learns how many bytes of the capture have been read. Left out: a progress bar shows it. */
  readonly read?: (bytes: number) => void;
  /** What `-` is read from. Left out: standard input of the process. */
  readonly input?: Readable | undefined;
}

/** A stream of text; `isTTY` says that a person reads it. */
export interface CommandStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** How a command writes its lines. */
export interface LineStyle {
  readonly command: "inspect" | "replay" | "rehearse";
  /** NDJSON instead of a table. */
  readonly json: boolean;
  /** Several captures: each JSON line names its own. */
  readonly several: boolean;
  /** The time zone of the table: that of the policy. UTC without a policy. JSON is always in UTC. */
  readonly timeZone: string | undefined;
}

/** A line about calls that were judged before: a finding, or the end of a call. */
export type CallNote = Omit<FindingLine, "node"> | Omit<EndedLine, "node">;

/** A line as `--json` prints it. Of several captures, each line names its own. */
export type PrintedLine = (AttemptLine | MalformedLine | CallNote) & { readonly capture?: string };

/** Takes what the lines of one capture tell. */
export interface LineSink {
  /** Takes an attempt, with the decision about it if there is one. Nothing of it is kept. */
  attempt(sighting: Sighting, attempt: CallAttempt, decision?: DecisionLine): void;
  /** Takes a message that gives no attempt; `why` in words. */
  malformed(frame: number, why: string): void;
  /** Takes a line that the message of a frame completed. It stands behind the line of that frame; tables leave it out. */
  note(frame: number, line: CallNote): void;
}

/**
 * Checks the captures that a command is given: standard input can be read once.
 *
 * @returns false after a message to `stderr`
 */
export function canRead(
  files: readonly string[],
  command: LineStyle["command"],
  { stderr }: Pick<CommandOutput, "stderr">,
): boolean {
  if (files.filter((file) => file === STANDARD_INPUT).length <= 1) return true;
  stderr.write(`sigwall ${command}: ${STANDARD_INPUT} stands for standard input, which can be read once\n`);
  return false;
}

/** Result of reading one capture. */
export interface CaptureResult {
  /** Whether nothing of it could be read. */
  readonly failed: boolean;
  readonly frames: number;
  /** Why packets led to no message, and how many. */
  readonly unread: readonly UnreadCount[];
  readonly counts: Readonly<MessageCounts>;
}

/** At most this many lines wait for a line of an earlier frame. */
const MAX_HELD_LINES = 50_000;

/** A line that waits for lines of earlier frames. JSON that nobody compares is text from the start. */
interface HeldLine {
  readonly frame: number;
  readonly line: AttemptLine | MalformedLine | CallNote | string;
}

/** Collects lines and gives them as text in frame order. */
function createLines(
  style: LineStyle,
  name: string,
  output: CommandOutput,
  see: ((line: PrintedLine) => void) | undefined,
): LineSink & { settle(before: number): void; take(): string; end(): string } {
  const colour = output.stdout.isTTY === true && (process.env["NO_COLOR"] ?? "") === "";
  const table = createAttemptTable(
    style.command === "inspect" ? "inspect" : "replay",
    colour,
    style.timeZone,
  );
  const capture = style.several ? name : undefined;
  const isWritten = style.json && see === undefined;
  let text = "";
  let held: HeldLine[] = [];

  function print({ line }: HeldLine): void {
    if (typeof line === "string") {
      text += `${line}\n`;
      return;
    }
    const printed: PrintedLine = capture === undefined ? line : { capture, ...line };
    see?.(printed);
    if (style.json) text += `${JSON.stringify(printed)}\n`;
    else if (!("record" in line)) text += table.add(line);
  }
  /** Prints the lines of frames before `before`. Lines of earlier frames no longer come. */
  function settle(before: number): void {
    if (held.length === 0) return;
    const kept: HeldLine[] = [];
    for (const line of held.toSorted((a, b) => a.frame - b.frame)) {
      if (line.frame < before) print(line);
      else kept.push(line);
    }
    held = kept;
  }
  function hold(frame: number, line: HeldLine["line"]): void {
    held.push({ frame, line });
    if (held.length > MAX_HELD_LINES) settle(Infinity);
  }
  function take(): string {
    const taken = text;
    text = "";
    return taken;
  }
  return {
    attempt(sighting, attempt, decision) {
      const line = isWritten
        ? writeAttempt(capture, sighting, attempt, decision)
        : describeAttempt(sighting, attempt, decision);
      hold(sighting.frame, line);
    },
    malformed(frame, why) {
      hold(frame, isWritten ? writeMalformed(capture, frame, why) : { frame, malformed: why });
    },
    note(frame, line) {
      if (!isWritten) hold(frame, line);
      else hold(frame, JSON.stringify(capture === undefined ? line : { capture, ...line }));
    },
    settle,
    take,
    end() {
      settle(Infinity);
      return take() + (style.json ? "" : table.flush());
    },
  };
}

function describeFault({ kind, offset, frames, why }: CaptureFault): string {
  if (kind === "foreign") return `not a capture: ${why}`;
  return `${kind} at byte ${offset}, behind packet ${frames}: ${why}`;
}

/**
 * Feeds a file to a reader, chunk by chunk. `begin` gets the size of the file and returns a
 * function that is told the bytes read after every chunk.
 */
async function feed(
  path: string,
  input: Readable | undefined,
  reader: SignallingReader,
  begin: (size: number) => (bytes: number) => void,
): Promise<CaptureFault | undefined> {
  const capture = await openCapture(path, undefined, input);
  try {
    const chunkRead = begin(capture.size);
    for await (const chunk of capture.chunks) {
      reader.push(chunk);
      chunkRead(capture.read());
    }
    return reader.end();
  } catch (error) {
    // Messages before the damage still count.
    reader.end();
    throw error;
  } finally {
    await capture.close();
  }
}

/**
 * Reads one capture and prints the lines that `attend` makes of it. Errors of the file go to
 * stderr; everything readable before them is printed all the same.
 *
 * @param see is called with every line as `--json` prints it, in the order of printing. Undefined: nobody compares
 * @param attend makes the sink that gets the attempts, from the sink that takes their lines
 */
export async function readCapture(
  path: string,
  style: LineStyle,
  output: CommandOutput,
  see: ((line: PrintedLine) => void) | undefined,
  attend: (print: LineSink) => AttemptSink,
): Promise<CaptureResult> {
  const lines = createLines(style, path, output, see);
  const attempts = createAttemptReader(attend(lines));
  const reader = createSignallingReader(attempts);
  let progress = noProgress;

  function print(text: string): void {
    if (text === "") return;
    progress.clear();
    output.stdout.write(text);
  }

  let problem: string | undefined;
  try {
    const fault = await feed(path, output.input, reader, (size) => {
      progress = createProgress(output.stderr, path, size);
      return (bytes) => {
        if (!reader.waiting()) lines.settle(attempts.firstWaiting());
        print(lines.take());
        if (output.read === undefined) progress.at(bytes);
        else output.read(bytes);
      };
    });
    if (fault !== undefined) problem = describeFault(fault);
  } catch (cause) {
    problem = cause instanceof UnpackError ? cause.message : describeFailure(cause);
  }
  print(lines.end());
  progress.clear();
  if (problem !== undefined) output.stderr.write(`sigwall ${style.command}: ${path}: ${problem}\n`);
  return {
    failed: problem !== undefined && reader.frames() === 0,
    frames: reader.frames(),
    unread: reader.unread(),
    counts: attempts.counts,
  };
}
