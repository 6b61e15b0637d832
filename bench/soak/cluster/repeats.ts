/** Messages that are sent again until something comes, by the timers of RFC 3261 section 17 over UDP. */

export const T1 = 500;
export const T2 = 4_000;
/** 64·T1: timers B, F and H. */
export const GIVE_UP = 32_000;
const TICK = 20;

export interface Repeats {
  /**
   * Sends a message at once, and again after T1, 2·T1, 4·T1 …, until {@link Repeats.stop}.
   *
   * @param send told how often the message was sent before
   * @param longest the longest time between two sendings: T2, or Infinity for timer A
   */
  start(key: string, send: (before: number) => void, longest: number, timedOut: () => void): void;
  /** @returns false when nothing was sent under the key any more */
  stop(key: string): boolean;
  has(key: string): boolean;
  /** Messages that were sent again. */
  readonly count: number;
  close(): void;
}

interface Pending {
  readonly send: (before: number) => void;
  readonly timedOut: () => void;
  readonly longest: number;
  readonly until: number;
  sent: number;
  interval: number;
  next: number;
}

export function createRepeats(): Repeats {
  const pending = new Map<string, Pending>();
  let count = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    // After a standstill of this process, what came meanwhile is heard first.
    const wasLate = now - last > 4 * TICK;
    last = now;
    if (wasLate) return;
    for (const [key, message] of pending) {
      if (now >= message.until) {
        pending.delete(key);
        message.timedOut();
      } else if (now >= message.next) {
        count++;
        message.send(message.sent++);
        message.interval = Math.min(message.interval * 2, message.longest);
        message.next = now + message.interval;
      }
    }
  }, TICK);
  return {
    start(key, send, longest, timedOut) {
      const now = performance.now();
      pending.set(key, {
        send,
        timedOut,
        longest,
        until: now + GIVE_UP,
        sent: 1,
        interval: T1,
        next: now + T1,
      });
      send(0);
    },
    stop: (key) => pending.delete(key),
    has: (key) => pending.has(key),
    get count() {
      return count;
    },
    close: () => clearInterval(timer),
  };
}
