import type { Readable } from "node:stream";
import { inspectCaptures } from "../../src/cli/inspect.ts";
import { replayCaptures, type ReplayOptions } from "../../src/cli/replay.ts";

/** What a command wrote, and its exit code. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Writer {
  readonly stream: { write(text: string): boolean; readonly isTTY?: boolean };
  text(): string;
}

function createWriter(isTTY: boolean): Writer {
  let written = "";
  return {
    stream: {
      isTTY,
      write(text) {
        written += text;
        return true;
      },
    },
    text: () => written,
  };
}

/** Runs `inspect`; `terminal`: stdout is one; `input`: what `-` is. */
export async function inspect(
  files: readonly string[],
  json: boolean,
  terminal = false,
  input?: Readable,
): Promise<CommandResult> {
  const [out, err] = [createWriter(terminal), createWriter(false)];
  const code = await inspectCaptures(files, { json, stdout: out.stream, stderr: err.stream, input });
  return { code, stdout: out.text(), stderr: err.text() };
}

/** Runs `replay`; without options: under the policy of the verify cases, as NDJSON. */
export async function replay(
  files: readonly string[],
  options: Partial<Omit<ReplayOptions, "stdout" | "stderr">> = {},
  terminal = false,
): Promise<CommandResult> {
  const [out, err] = [createWriter(terminal), createWriter(false)];
  const code = await replayCaptures(files, {
    config: "pcaps/verify/sigwall.yaml",
    trunk: undefined,
    json: true,
    all: false,
    ends: false,
    expect: undefined,
    jobs: undefined,
    ...options,
    stdout: out.stream,
    stderr: err.stream,
  });
  return { code, stdout: out.text(), stderr: err.text() };
}

/** One line of a command's NDJSON. */
export type Line = Readonly<Record<string, unknown>>;

/** The objects of an NDJSON text; throws when a line is none. */
export function parseLines(text: string): readonly Line[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Line => JSON.parse(line));
}
