// Takes what the program logs as small plain entries. log-writer.ts writes them in another thread.
import type { Millis } from "../domain/time.ts";
import type { RefusalLine } from "./decision-log.ts";

const levels = ["trace", "debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof levels)[number];

/** Values beside a message; they stand in the line under their own names. */
export type LogFields = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** The kinds of entries that a busy second leaves out. */
export type OmittedLines =
  | "refusals"
  | "refused requests"
  | "faults"
  | "findings"
  | "quarantine orders"
  | "unjudged calls"
  | "TLS refusals";

/** One line before it is formatted. Invariant: it can be cloned into another thread. */
export type LogEntry = { readonly at: Millis; readonly level: "info" | "warn" | "error" } & (
  | { readonly kind: "message"; readonly message: string; readonly fields: LogFields }
  /** An error of our own. Numbers in `stack` are masked when it is written. */
  | { readonly kind: "fault"; readonly stack: string }
  | { readonly kind: "refused"; readonly refusal: RefusalLine }
  | { readonly kind: "omitted"; readonly what: OmittedLines; readonly count: number }
);

/** Takes log entries. It formats nothing and writes nothing. */
export interface Log {
  readonly info: (message: string, fields?: LogFields) => void;
  readonly warn: (message: string, fields?: LogFields) => void;
  readonly error: (message: string, fields?: LogFields) => void;
  /** Takes an error of our own; the line has its stack, with numbers masked. */
  readonly fault: (error: unknown) => void;
  readonly refused: (refusal: RefusalLine) => void;
  readonly omitted: (what: OmittedLines, count: number) => void;
}

/** A log of level `level` and above, whose entries go to `push`. */
export function createLog(level: LogLevel, now: () => Millis, push: (entry: LogEntry) => void): Log {
  const isShown = (of: LogLevel): boolean => levels.indexOf(of) >= levels.indexOf(level);
  const shown = { info: isShown("info"), warn: isShown("warn"), error: isShown("error") };
  const messagesOf =
    (of: "info" | "warn" | "error") =>
    (message: string, fields: LogFields = {}): void => {
      if (shown[of]) push({ at: now(), level: of, kind: "message", message, fields });
    };
  return {
    info: messagesOf("info"),
    warn: messagesOf("warn"),
    error: messagesOf("error"),
    fault(error) {
      if (shown.error) push({ at: now(), level: "error", kind: "fault", stack: describeError(error) });
    },
    refused(refusal) {
      if (shown.info) push({ at: now(), level: "info", kind: "refused", refusal });
    },
    omitted(what, count) {
      if (shown.warn) push({ at: now(), level: "warn", kind: "omitted", what, count });
    },
  };
}

function describeError(error: unknown): string {
  try {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } catch {
    return "an error that can't be described";
  }
}
