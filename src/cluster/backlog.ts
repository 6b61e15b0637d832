// What a node told in the last 45 s and what waits for Redis: written in order, and again when Redis has lost it.
import type { Millis } from "../domain/time.ts";

/** A batch or a kept entry, before it is sealed. */
export interface Told {
  readonly type: "batch" | "kept";
  readonly sequence: number;
  readonly bytes: Uint8Array;
  /** Name of a kept entry in Redis; undefined: a batch. */
  readonly field: string | undefined;
  /** When it was handed over. Monotonic milliseconds. */
  readonly at: Millis;
}

/** Bounded in octets and time; the oldest goes first. */
export interface Backlog {
  readonly push: (told: Told) => void;
  /** What is written next, at most `most` octets and at least one entry. They stay until {@link Backlog.written}. */
  readonly next: (most: number) => readonly Told[];
  /** Redis has everything up to `sequence`. */
  readonly written: (sequence: number) => void;
  /** Redis has lost it: everything that is kept is written again. @returns how many entries had been written before */
  readonly rewind: () => number;
  /** Lets go what is too old. */
  readonly due: (now: Millis) => void;
  /** Octets that wait to be written. */
  readonly waiting: () => number;
  /** Entries that were let go before they were written. */
  readonly lost: () => number;
}

/** How long what was written is kept, to be written again. Milliseconds. */
export const KEPT_FOR: Millis = 45_000;
/** How long an entry waits for Redis. Milliseconds. */
export const MOST_DELAY: Millis = 60_000;
/** Octets that are kept altogether. */
export const MOST_OCTETS: number = 16 * 2 ** 20;
/** What an entry takes beside its octets, about. */
const ENTRY = 200;

export function createBacklog(): Backlog {
  let entries: Told[] = [];
  /** Entries that are no longer there, at the front. */
  let gone = 0;
  /** Place of the first entry that is not written. */
  let unwritten = 0;
  let octets = 0;
  let waiting = 0;
  let lost = 0;
  const sizeOf = ({ bytes }: Told): number => bytes.length + ENTRY;

  function dropFirst(): void {
    const first = entries[gone];
    if (first === undefined) return;
    octets -= sizeOf(first);
    if (gone >= unwritten) {
      lost++;
      waiting -= sizeOf(first);
    }
    gone++;
    unwritten = Math.max(unwritten, gone);
    if (gone < 1024 || gone < entries.length / 2) return;
    entries = entries.slice(gone);
    unwritten -= gone;
    gone = 0;
  }

  return {
    push(told) {
      entries.push(told);
      octets += sizeOf(told);
      waiting += sizeOf(told);
      while (octets > MOST_OCTETS && entries.length - gone > 1) dropFirst();
    },
    next(most) {
      const flight: Told[] = [];
      let size = 0;
      for (let place = unwritten; place < entries.length; place++) {
        const entry = entries[place];
        if (entry === undefined || (flight.length > 0 && size + sizeOf(entry) > most)) break;
        flight.push(entry);
        size += sizeOf(entry);
      }
      return flight;
    },
    written(sequence) {
      for (let entry = entries[unwritten]; entry !== undefined; entry = entries[unwritten]) {
        if (entry.sequence > sequence) break;
        waiting -= sizeOf(entry);
        unwritten++;
      }
    },
    rewind() {
      const again = unwritten - gone;
      unwritten = gone;
      waiting = octets;
      return again;
    },
    due(now) {
      for (let first = entries[gone]; first !== undefined; first = entries[gone]) {
        if (now - first.at <= (gone < unwritten ? KEPT_FOR : MOST_DELAY)) break;
        dropFirst();
      }
    },
    waiting: () => waiting,
    lost: () => lost,
  };
}
