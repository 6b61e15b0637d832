// A queue on the way to the log: at most so many items a second, the rest only counted.
import type { Millis } from "../domain/time.ts";

/** A queue of items for the log. At most so many items a second are written. */
export interface LimitedQueue<Item> {
  /** Takes an item and returns at once. The item waits, or is only counted. */
  readonly push: (item: Item) => void;
  /** Adds to what is only counted: things of which there is no item. */
  readonly omit: (count: number) => void;
  /** Writes the items that wait. Called off the path of calls, several times a second. */
  readonly flush: (now: Millis) => void;
}

/** Where the items of a {@link LimitedQueue} go. */
export interface QueueSink<Item> {
  readonly write: (item: Item) => void;
  /** How many items the last second left out. */
  readonly omitted: (count: number) => void;
}

/**
 * Makes a queue of at most `perSecond` items. Further items are counted, and the count is told once a second. So a
 * flood neither fills a disk nor takes time from calls.
 */
export function createLimitedQueue<Item>(perSecond: number, sink: QueueSink<Item>): LimitedQueue<Item> {
  let waiting: Item[] = [];
  let shown = 0;
  let omitted = 0;
  let secondEnds = 0;
  return {
    push(item) {
      if (shown + waiting.length < perSecond) waiting.push(item);
      else omitted++;
    },
    omit(count) {
      omitted += count;
    },
    flush(now) {
      const written = waiting;
      waiting = [];
      shown += written.length;
      for (const item of written) sink.write(item);
      // A clock that was set back must not silence the log.
      if (now < secondEnds && now >= secondEnds - 1000) return;
      if (omitted > 0) sink.omitted(omitted);
      shown = 0;
      omitted = 0;
      secondEnds = now + 1000;
    },
  };
}
