// Formats log entries and writes them, in a thread that carries no calls.
import { pino } from "pino";
import type { RefusalLine } from "./decision-log.ts";
import type { LogEntry, LogLevel } from "./log.ts";
import { redactText } from "./redact.ts";

/** Writes log lines to a descriptor. */
export interface LogWriter {
  readonly write: (entry: LogEntry) => void;
  /** Lines that were dropped since the start because the reader of the descriptor stands still. */
  readonly lost: () => number;
  /** Writes out what is still waiting, closes the descriptor unless it is standard output or error, and calls back. */
  readonly close: (closed: () => void) => void;
}

/** At most this much text waits. More is dropped, so that a reader that stands still can't fill the memory. Bytes. */
const mostWaiting = 1 << 20;

/** Writes JSON lines to file descriptor `fd`, or lines for people. Writing never blocks the thread. */
export function createLogWriter(level: LogLevel, fd: number, isForPeople: boolean): LogWriter {
  const destination = pino.destination({ fd, sync: false, maxLength: mostWaiting });
  const stream = isForPeople ? { write: (line: string) => destination.write(formatLine(line)) } : destination;
  let lost = 0;
  destination.on("drop", () => lost++);
  let at = 0;
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
  return {
    write(entry) {
      at = entry.at;
      const [fields, message] = describe(entry);
      logger[entry.level](fields, message);
    },
    lost: () => lost,
    close(closed) {
      destination.once("close", closed);
      destination.end();
    },
  };
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

/** One JSON line as people read it: `12:00:01.123 warn  message  key=value …`. */
function formatLine(line: string): string {
  const record: unknown = JSON.parse(line);
  const { time, level, msg, ...fields } = isRecord(record) ? record : {};
  const clock = String(time).slice(11, 23);
  const pairs = Object.entries(fields).map(([key, value]) => {
    const text = Array.isArray(value)
      ? value.join(",")
      : isRecord(value)
        ? JSON.stringify(value)
        : String(value);
    return text.includes("\n") ? `\n  ${text}` : `${key}=${text}`;
  });
  return `${[clock, String(level).padEnd(5), String(msg), ...pairs].join(" ")}\n`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** An accepted call that no next hop takes is not refused. */
function titleOf({ verdict, method }: RefusalLine): string {
  const what = method === undefined ? "call" : "request";
  return verdict === "accept" ? `${what} not carried` : `${what} refused`;
}
