// Repeats messages to datagram hops until something comes back: timers A and B, E and F, G and H of RFC 3261.
import type { Buffer } from "node:buffer";
import type { Millis } from "../../domain/time.ts";
import { NEXT_HOP } from "../../domain/trunk.ts";
import { REPEATED_FOR, T1, T2 } from "../../sip/timers.ts";
import type { Listener } from "../../routing/listener.ts";
import { createShares } from "../../state/shares.ts";

/** Octets of messages that are kept for every entry of the table, on average. A table of small entries holds more. */
const OCTETS_PER_ENTRY = 2048;

/** A message that is sent again until something comes back. */
export interface Repeated {
  /** A request that gets no answer is answered in the place of the hop. An answer that gets no ACK is given up. */
  readonly kind: "request" | "answer";
  readonly listener: Listener;
  readonly address: string;
  readonly port: number;
  /** The trunk, or next hop, whose request is repeated or answered. It pays for the room. */
  readonly owner: string;
  /** A copy in memory of its own. */
  readonly bytes: Buffer;
}

interface Entry extends Repeated {
  readonly key: string;
  readonly longest: Millis;
  readonly ends: Millis;
  interval: Millis;
  due: Millis;
}

/**
 * Messages to unreliable hops that their sender will not repeat (RFC 3261 timers A and B, E and F, G and H). Entries
 * and octets are bounded. Time is an argument.
 */
export interface Repeats {
  size(): number;
  /** True when there is room for one more message of this owner and length. */
  hasRoom(owner: string, length: number): boolean;
  /**
   * Begins to repeat a message that was just sent: after T1, then at doubled intervals up to `longest`. Replaces a
   * message under the same key. Returns false when there is no room.
   */
  start(key: string, message: Repeated, longest: Millis, now: Millis): boolean;
  has(key: string): boolean;
  stop(key: string): void;
  /**
   * Notes that the hop has received a request and has not answered it finally. From now on it is repeated every T2 (RFC
   * 3261 section 17.1.2.2).
   */
  slowDown(key: string, now: Millis): void;
  /**
   * Hands each message that is due to `again`. Hands each message that was repeated long enough to `expired`; it is no
   * longer kept then.
   */
  tick(now: Millis, again: (message: Repeated) => void, expired: (message: Repeated) => void): void;
}

export function createRepeats(capacity: number): Repeats {
  const entries = new Map<string, Entry>();
  const places = createShares(capacity, NEXT_HOP);
  const octets = createShares(capacity * OCTETS_PER_ENTRY, NEXT_HOP);
  /** The time before which nothing is due. */
  let earliest = Infinity;

  const stop = (key: string): void => {
    const entry = entries.get(key);
    if (entry === undefined) return;
    entries.delete(key);
    places.give(entry.owner, 1);
    octets.give(entry.owner, weigh(entry));
  };

  const hasRoom = (owner: string, length: number): boolean =>
    places.hasRoom(owner, 1) && octets.hasRoom(owner, length);

  return {
    size: () => entries.size,
    hasRoom,
    has: (key) => entries.has(key),
    stop,
    start(key, message, longest, now) {
      stop(key);
      if (!hasRoom(message.owner, message.bytes.length)) return false;
      const entry = { ...message, key, longest, interval: T1, due: now + T1, ends: now + REPEATED_FOR };
      entries.set(key, entry);
      places.take(entry.owner, 1);
      octets.take(entry.owner, weigh(entry));
      earliest = Math.min(earliest, entry.due);
      return true;
    },
    slowDown(key, now) {
      const entry = entries.get(key);
      if (entry === undefined || entry.interval === T2) return;
      entry.interval = T2;
      entry.due = now + T2;
    },
    tick(now, again, expired) {
      if (now < earliest) return;
      earliest = Infinity;
      for (const entry of entries.values()) {
        if (now >= entry.ends) {
          stop(entry.key);
          expired(entry);
          continue;
        }
        if (now >= entry.due) {
          entry.interval = Math.min(entry.interval * 2, entry.longest);
          entry.due = now + entry.interval;
          again(entry);
        }
        earliest = Math.min(earliest, entry.due, entry.ends);
      }
    },
  };
}

function weigh({ key, bytes }: Entry): number {
  return key.length + bytes.length;
}
