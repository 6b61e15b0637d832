// Formats log entries and writes them, in a thread that carries no calls.
import { pino } from "pino";
import type { Millis } from "../domain/time.ts";
import type { RefusalLine } from "./decision-log.ts";
import type { LogEntry, LogLevel } from "./log.ts";
import { redactText } from "./redact.ts";

/** Where lines go. Whatever happens there costs lines and nothing else. */
export interface LogSink {
  /** Takes one line with its line break, and returns at once. */
  readonly write: (line: string) => void;
  /** Counts lines that were lost on the way to the sink. */
  readonly lose: (lines: number, why: string) => void;
  /** Lines that were lost since the start. */
  readonly lost: () => number;
  /** Writes out what is still waiting, for half a second at most, and calls back. */
  readonly close: (closed: () => void) => void;
}

/** Writes log entries. */
export interface LogWriter extends Omit<LogSink, "write"> {
  readonly write: (entry: LogEntry) => void;
}

/** Makes the sink of a log. `lossLine` gives the line that tells of lost lines. */
export type OpenSink = (lossLine: (lines: number, why: string) => string) => LogSink;

/** Gives the time of a line for people. */
export type LogClock = (at: Millis) => string;

/** Writes JSON lines to a sink, or lines for people where there is a clock for them. */
export function createLogWriter(level: LogLevel, clock: LogClock | undefined, openSink: OpenSink): LogWriter {
  /** The line that was formatted last; empty when `level` keeps it out. */
  let line = "";
  let at: Millis = 0;
  const stream = {
    write: (text: string) => void (line = clock === undefined ? text : formatLine(text, clock(at))),
  };
  const logger = pino(
    {
      level,
      base: {},
      // The time of the entry, not of the writing.
      timestamp: () => `,"time":"${new Date(at).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
  const format = (entry: LogEntry): string => {
    at = entry.at;
    line = "";
    const [fields, message] = describe(entry);
    logger[entry.level](fields, message);
    return line;
  };
  const { write, lose, lost, close } = openSink((lines, why) =>
    format({
      at,
      level: "warn",
      kind: "message",
      message: describeLoss(lines),
      fields: { lost: lines, why },
    }),
  );
  return {
    write(entry) {
      const text = format(entry);
      if (text !== "") write(text);
    },
    lose,
    lost,
    close,
  };
}

/** The message about lines that the log does not have. */
function describeLoss(lines: number): string {
  return `${lines.toLocaleString("en-US")} lines of the log were lost before this one`;
}

/** The fields and the message of an entry. */
function describe(entry: LogEntry): readonly [fields: object, message: string] {
  switch (entry.kind) {
    case "message":
      return [entry.fields, entry.message];
    case "fault":
      return [{ stack: redactText(entry.stack) }, "internal fault"];
    case "refused":
      return [{ ...entry.refusal }, titleOf(entry.refusal)];
    case "omitted": {
      const { count, what } = entry;
      return [{ omitted: count }, `… ${count.toLocaleString("en-US")} more ${what} in the last second`];
    }
  }
}

/** One JSON line as people read it: `12:00:01.123+08:00 warn  message  key=value …`. */
function formatLine(line: string, clock: string): string {
  const record: unknown = JSON.parse(line);
  const { time: _time, level, msg, ...fields } = isRecord(record) ? record : {};
  const pairs = Object.entries(fields).map(([key, value]) => {
    const text = Array.isArray(value)
      ? value.join(",")
      : isRecord(value)
        ? (circuitIn(value) ?? JSON.stringify(value))
        : String(value);
    return text.includes("\n") ? `\n  ${text}` : `${key}=${text}`;
  });
  return `${[clock, String(level).padEnd(5), String(msg), ...pairs].join(" ")}\n`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** The circuit of an IAM as `inspect` shows it: `OPC-DPC-CIC`. */
function circuitIn({ opc, dpc, cic }: Readonly<Record<string, unknown>>): string | undefined {
  const parts = [opc, dpc, cic];
  return parts.every((part) => typeof part === "number") ? parts.join("-") : undefined;
}

/** An accepted call that no next hop takes is not refused. */
function titleOf({ verdict, method }: RefusalLine): string {
  const what = method === undefined ? "call" : "request";
  return verdict === "accept" ? `${what} not carried` : `${what} refused`;
}
