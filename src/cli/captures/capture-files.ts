import cliProgress from "cli-progress";
import { createAttemptReader, type AttemptSink, type MessageCounts } from "../../replay/captured-attempts.ts";
import { createSignallingReader, type SignallingReader } from "../../replay/signalling.ts";
import type { CaptureFault } from "../../pcap/reader.ts";
import type { AttemptLine, MalformedLine } from "./attempt-line.ts";
import { createAttemptTable } from "./attempt-table.ts";
import { openCapture, UnpackError } from "./capture-bytes.ts";
import { describeFailure } from "../../app/read-file.ts";

/** Where a command writes. */
export interface CommandOutput {
  readonly stdout: CommandStream;
  readonly stderr: CommandStream;
}

/** A stream of text; `isTTY`: a person reads along. */
export interface CommandStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** How the lines of a command are written. */
export interface LineStyle {
  readonly command: "inspect" | "replay";
  /** NDJSON instead of a table. */
  readonly json: boolean;
  /** Each line names its capture. */
  readonly several: boolean;
}

/** Takes the lines of one capture, frame by frame. */
export type LineSink = (line: AttemptLine | MalformedLine) => void;

/** What became of one capture. */
export interface CaptureResult {
  /** True when nothing of it could be read. */
  readonly failed: boolean;
  readonly frames: number;
  /** LINKTYPE_ values that were seen. */
  readonly linkTypes: readonly number[];
  readonly counts: Readonly<MessageCounts>;
}

/** Smaller captures are read before anybody looks. */
const WORTH_PROGRESS = 32 << 20;
/** Lines that wait for one whose frame comes before theirs. */
const MAX_HELD_LINES = 50_000;

/** A progress bar on a terminal, which gives way while lines are printed; elsewhere nothing. */
interface Progress {
  at(bytes: number): void;
  clear(): void;
}

function createProgress(stream: CommandStream, name: string, total: number): Progress {
  if (stream.isTTY !== true || total < WORTH_PROGRESS) return { at() {}, clear() {} };
  const bar = new cliProgress.SingleBar({
    stream: process.stderr,
    format: `${name} {bar} {percentage}% | {eta_formatted} left`,
    clearOnComplete: true,
    hideCursor: true,
  });
  let shown = false;
  return {
    at(bytes) {
      if (shown) bar.update(bytes);
      else bar.start(total, bytes);
      shown = true;
    },
    clear() {
      if (shown) bar.stop();
      shown = false;
    },
  };
}

/** Writes lines to stdout in frame order, as text collected from chunk to chunk. */
function createLines(
  style: LineStyle,
  name: string,
  output: CommandOutput,
  see: (line: AttemptLine | MalformedLine) => void,
): { add: LineSink; settle(): void; take(): string; end(): string } {
  const colour = output.stdout.isTTY === true && (process.env["NO_COLOR"] ?? "") === "";
  const table = createAttemptTable(style.command, colour);
  let text = "";
  let held: (AttemptLine | MalformedLine)[] = [];

  function print(line: AttemptLine | MalformedLine): void {
    see(line);
    if (!style.json) text += table.add(line);
    else text += `${JSON.stringify(style.several ? { capture: name, ...line } : line)}\n`;
  }
  function settle(): void {
    if (held.length === 0) return;
    for (const line of held.toSorted((a, b) => a.frame - b.frame)) print(line);
    held = [];
  }
  function take(): string {
    const taken = text;
    text = "";
    return taken;
  }
  return {
    add(line) {
      held.push(line);
      if (held.length > MAX_HELD_LINES) settle();
    },
    settle,
    take,
    end() {
      settle();
      return take() + (style.json ? "" : table.flush());
    },
  };
}

function describeFault({ kind, offset, frames, why }: CaptureFault): string {
  if (kind === "foreign") return `not a capture: ${why}`;
  return `${kind} at byte ${offset}, behind packet ${frames}: ${why}`;
}

/** Feeds a file to a reader, chunk by chunk; `chunkRead` is told how many bytes have been read. */
async function feed(
  path: string,
  reader: SignallingReader,
  begin: (size: number) => (bytes: number) => void,
): Promise<CaptureFault | undefined> {
  const capture = await openCapture(path);
  try {
    const chunkRead = begin(capture.size);
    for await (const chunk of capture.chunks) {
      reader.push(chunk);
      chunkRead(capture.read());
    }
    return reader.end();
  } catch (error) {
    // What came before the damage still counts.
    reader.end();
    throw error;
  } finally {
    await capture.close();
  }
}

/**
 * Reads one capture and prints the lines that `attend` makes of it. Whatever is wrong with the file is said on stderr;
 * what could be read before is printed all the same. `see` is shown every line in the order of printing.
 */
export async function readCapture(
  path: string,
  style: LineStyle,
  output: CommandOutput,
  see: (line: AttemptLine | MalformedLine) => void,
  attend: (print: LineSink) => AttemptSink,
): Promise<CaptureResult> {
  const lines = createLines(style, path, output, see);
  const attempts = createAttemptReader(attend(lines.add));
  const reader = createSignallingReader(attempts);
  let progress: Progress = { at() {}, clear() {} };

  function print(text: string): void {
    if (text === "") return;
    progress.clear();
    output.stdout.write(text);
  }

  let problem: string | undefined;
  try {
    const fault = await feed(path, reader, (size) => {
      progress = createProgress(output.stderr, path, size);
      return (bytes) => {
        if (!reader.waiting()) lines.settle();
        print(lines.take());
        progress.at(bytes);
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
    linkTypes: reader.linkTypes(),
    counts: attempts.counts,
  };
}
