// Requests of our own that end calls, BYE and CANCEL: repeated to datagram peers until they are answered (timers E and F).
import type { Buffer } from "node:buffer";
import type { Millis } from "../../domain/time.ts";
import type { Listener } from "../../routing/listener.ts";
import { REPEATED_FOR, T1, T2 } from "../../sip/timers.ts";
import type { ReleasedCall } from "./released-calls.ts";

/** Requests that are sent again in one tick, at most; the others are sent with the next one. */
const MOST_REPEATED = 200;

/** A request of our own. */
export interface OwnRequest {
  readonly method: "BYE" | "CANCEL";
  /** MAC of its branch. */
  readonly mac: string;
  readonly listener: Listener;
  readonly address: string;
  readonly port: number;
  /** A copy in memory of its own. Undefined: it went over a stream, and is not repeated (RFC 3261 section 17.1.2.2). */
  readonly bytes: Buffer | undefined;
  readonly call: ReleasedCall;
}

interface Entry extends OwnRequest {
  readonly ends: Millis;
  interval: Millis;
  due: Millis;
}

/** Bounded. Time is an argument. */
export interface OwnRequests {
  size(): number;
  /**
   * Waits for the answer to a request that was just sent, and repeats the request.
   *
   * @returns false when the table is full: nobody waits for the answer then
   */
  start(request: OwnRequest, now: Millis): boolean;
  find(method: OwnRequest["method"], mac: string): OwnRequest | undefined;
  /** A provisional answer came: from now on it is repeated every T2 (RFC 3261 section 17.1.2.2). */
  slowDown(request: OwnRequest, now: Millis): void;
  stop(request: OwnRequest): void;
  /** Hands each request that is due to `again`, and each that got no answer for 64·T1 to `expired`. */
  tick(now: Millis, again: (request: OwnRequest) => void, expired: (request: OwnRequest) => void): void;
}

function keyOf({ method, mac }: OwnRequest): string {
  return method + mac;
}

export function createOwnRequests(capacity: number): OwnRequests {
  const entries = new Map<string, Entry>();
  /** By interval, the first due first: entries of one interval become due in the order in which they were put there. */
  const queues = new Map<Millis, Set<Entry>>();

  const queueOf = (interval: Millis): Set<Entry> => {
    let queue = queues.get(interval);
    if (queue === undefined) queues.set(interval, (queue = new Set()));
    return queue;
  };

  const put = (entry: Entry, interval: Millis, now: Millis): void => {
    queues.get(entry.interval)?.delete(entry);
    entry.interval = interval;
    entry.due = Math.min(now + interval, entry.ends);
    queueOf(interval).add(entry);
  };

  const stop = (request: OwnRequest): void => {
    const entry = entries.get(keyOf(request));
    if (entry === undefined) return;
    entries.delete(keyOf(request));
    queues.get(entry.interval)?.delete(entry);
  };

  return {
    size: () => entries.size,
    start(request, now) {
      stop(request);
      if (entries.size >= capacity) return false;
      const interval = request.bytes === undefined ? REPEATED_FOR : T1;
      const entry = { ...request, interval, due: 0, ends: now + REPEATED_FOR };
      entries.set(keyOf(request), entry);
      put(entry, interval, now);
      return true;
    },
    find: (method, mac) => entries.get(method + mac),
    slowDown(request, now) {
      const entry = entries.get(keyOf(request));
      if (entry !== undefined && entry.interval < T2) put(entry, T2, now);
    },
    stop,
    tick(now, again, expired) {
      let left = MOST_REPEATED;
      for (const queue of queues.values())
        for (const entry of queue) {
          if (entry.due > now || left === 0) break;
          if (now >= entry.ends) {
            stop(entry);
            expired(entry);
            continue;
          }
          left--;
          put(entry, Math.min(entry.interval * 2, T2), now);
          again(entry);
        }
    },
  };
}
