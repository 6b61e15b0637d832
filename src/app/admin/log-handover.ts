// Hands log entries over to the thread that writes them, in bounded batches.
import { performance } from "node:perf_hooks";
import type { Millis } from "../../domain/time.ts";
import type { LogEntry } from "../../observe/log.ts";

/** Takes log entries to the thread that writes them. */
export interface LogHandover {
  /** Takes an entry and returns at once; it is sent within {@link FLUSH_INTERVAL}. */
  readonly push: (entry: LogEntry) => void;
  /** Sends what is waiting. */
  readonly flush: () => void;
  /** Counts the entries that were sent and not taken as lost. Called when the other thread has ended. */
  readonly forgetSent: () => void;
}

/** Where the entries go. */
export interface HandoverTarget {
  /**
   * Sends entries, and how many were lost before them.
   *
   * @returns false when no thread takes the entries: they are kept
   */
  readonly send: (entries: readonly LogEntry[], lost: number) => boolean;
  /** How many entries the other thread has taken so far, modulo 2^32. */
  readonly taken: () => number;
}

/** At most one message is sent in this time. Milliseconds. */
const FLUSH_INTERVAL: Millis = 100;

/** At most this many entries wait, here or on their way. Further ones are lost and counted. */
const MOST_WAITING = 1024;

export function createLogHandover({ send, taken }: HandoverTarget): LogHandover {
  let waiting: LogEntry[] = [];
  let lost = 0;
  let sent = taken();
  let flushedAt = -FLUSH_INTERVAL;
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    flushedAt = performance.now();
    if (waiting.length === 0 && lost === 0) return;
    if (send(waiting, lost)) {
      sent = (sent + waiting.length) | 0;
      waiting = [];
      lost = 0;
    } else {
      timer = setTimeout(flush, FLUSH_INTERVAL);
    }
  }

  return {
    push(entry) {
      if (waiting.length + ((sent - taken()) | 0) >= MOST_WAITING) lost++;
      else waiting.push(entry);
      timer ??= setTimeout(flush, Math.max(flushedAt + FLUSH_INTERVAL - performance.now(), 0));
    },
    flush,
    forgetSent() {
      lost += (sent - taken()) | 0;
      sent = taken();
    },
  };
}
