import { pino } from "pino";
import { redactText } from "./redact.ts";
import type { RefusalLine } from "./decision-log.ts";

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "silent";

/** Values beside a message; they stand in the line under their own names. */
export type LogFields = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** What the program says about itself while it runs. */
export interface Log {
  readonly info: (message: string, fields?: LogFields) => void;
  readonly warn: (message: string, fields?: LogFields) => void;
  readonly error: (message: string, fields?: LogFields) => void;
  /** An error of our own, with its stack; numbers in it are masked. */
  readonly fault: (error: unknown) => void;
  readonly refused: (refusal: RefusalLine) => void;
  /** What a busy second left out. */
  readonly omitted: (what: "refusals" | "faults" | "unjudged calls", count: number) => void;
  /** Writes out what is still waiting, closes the descriptor unless it is standard output or error, and calls back. */
  readonly close: (closed: () => void) => void;
}

/** Waiting text above this is dropped, so that a reader that stands still can't fill the memory. Bytes. */
const mostWaiting = 1 << 20;

/** Writes JSON lines to file descriptor `fd`, or lines for people. Writing never blocks the path of calls. */
export function createLog(level: LogLevel, fd: number, isForPeople: boolean): Log {
  const destination = pino.destination({ fd, sync: false, maxLength: mostWaiting });
  const stream = isForPeople ? { write: (line: string) => destination.write(formatLine(line)) } : destination;
  const logger = pino(
    {
      level,
      base: {},
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
  return {
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
    fault: (error) => logger.error({ stack: redactText(describeError(error)) }, "internal fault"),
    refused: (refusal) => logger.info({ ...refusal }, "call refused"),
    omitted: (what, count) =>
      logger.warn({ omitted: count }, `… ${count.toLocaleString("en-US")} more ${what} in the last second`),
    close: (closed) => {
      destination.once("close", closed);
      destination.end();
    },
  };
}

function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** One JSON line as people read it: `12:00:01.123 warn  message  key=value …`. */
function formatLine(line: string): string {
  const record: unknown = JSON.parse(line);
  const { time, level, msg, ...fields } = isRecord(record) ? record : {};
  const clock = String(time).slice(11, 23);
  const pairs = Object.entries(fields).map(([key, value]) => {
    const text = Array.isArray(value) ? value.join(",") : String(value);
    return text.includes("\n") ? `\n  ${text}` : `${key}=${text}`;
  });
  return `${[clock, String(level).padEnd(5), String(msg), ...pairs].join(" ")}\n`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
