// Counts the turns of the call thread in shared memory: other threads see there when it is stuck.
import { performance } from "node:perf_hooks";
import type { Millis } from "../../domain/time.ts";

/** Shared memory of 32-bit cells, one for each constant below. */
export type TurnCells = Int32Array<SharedArrayBuffer>;

/** How often the call thread turned, modulo 2^32. */
const TURNS = 0;
/** 1 while the engine takes new calls. */
const READY = 1;
/** Longest turn since the watching thread asked last. Microseconds. */
const LONGEST = 2;
const CELLS = 3;

/** How often the call thread notes that it turns. Milliseconds. */
const TURN_INTERVAL: Millis = 100;

/** How often {@link TurnWatch.look} is to be called. Milliseconds. */
export const LOOK_INTERVAL: Millis = 250;

/** A call thread that has not turned for longer is stuck. Milliseconds. */
export const STUCK_AFTER: Millis = 2000;

/** How long the longest turn is remembered. Milliseconds. */
const REMEMBERED: Millis = 60_000;

export function createTurnCells(): TurnCells {
  return new Int32Array(new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT));
}

/** The call thread's side. */
export interface TurnCounter {
  /** Notes a turn, and whether the engine is ready, before the next tick does. */
  readonly note: () => void;
  readonly stop: () => void;
}

/** Notes a turn of the calling thread now and {@link TURN_INTERVAL} after each one. */
export function countTurns(cells: TurnCells, isReady: () => boolean): TurnCounter {
  let due = performance.now() + TURN_INTERVAL;
  const note = (): void => {
    Atomics.store(cells, READY, isReady() ? 1 : 0);
    Atomics.add(cells, TURNS, 1);
  };
  const timer = setInterval(() => {
    const now = performance.now();
    // A timer that is due waits for the turn that is under way.
    const late = Math.round((now - due) * 1000);
    if (late > Atomics.load(cells, LONGEST)) Atomics.store(cells, LONGEST, late);
    due = now + TURN_INTERVAL;
    note();
  }, TURN_INTERVAL);
  note();
  return { note, stop: () => clearInterval(timer) };
}

/** The watching thread's side. Its own clock is an argument and only has to be monotonic. */
export interface TurnWatch {
  /** Looks at the cells. Called every {@link LOOK_INTERVAL}, and before any other member is asked. */
  readonly look: (now: Millis) => void;
  /**
   * How long ago the call thread was last seen to turn. Milliseconds. At most {@link LOOK_INTERVAL} below the true
   * time.
   */
  readonly age: () => Millis;
  /** True when the call thread has not turned for {@link STUCK_AFTER}. */
  readonly isStuck: () => boolean;
  /** True when the engine took new calls at the last turn. */
  readonly isReady: () => boolean;
  /**
   * Longest turn within the last minute, the one under way included. Milliseconds. Turns below 100 ms are seen by
   * chance only.
   */
  readonly longest: () => Millis;
}

/**
 * Watches the call thread from another thread. A pause of the watching thread itself (SIGSTOP, a machine that sleeps)
 * does not age the call thread. After the pause, the call thread has as much time left as before.
 */
export function watchTurns(cells: TurnCells, start: Millis): TurnWatch {
  let known = Atomics.load(cells, TURNS);
  let movedAt = start;
  let lookedAt = start;
  /** Lengths of turns that no later one exceeds, oldest first. */
  const longest: { readonly at: Millis; readonly length: Millis }[] = [];

  function remember(length: Millis): void {
    while ((longest.at(-1)?.length ?? Infinity) <= length) longest.pop();
    longest.push({ at: lookedAt, length });
    while ((longest[0]?.at ?? Infinity) < lookedAt - REMEMBERED) longest.shift();
  }

  return {
    look(now) {
      const since = now - lookedAt;
      if (since > 2 * LOOK_INTERVAL) movedAt += since - LOOK_INTERVAL;
      lookedAt = now;
      const turns = Atomics.load(cells, TURNS);
      if (turns !== known) {
        known = turns;
        movedAt = now;
      }
      remember(Atomics.exchange(cells, LONGEST, 0) / 1000);
    },
    age: () => lookedAt - movedAt,
    isStuck: () => lookedAt - movedAt > STUCK_AFTER,
    isReady: () => Atomics.load(cells, READY) === 1,
    longest: () => Math.max(longest[0]?.length ?? 0, lookedAt - movedAt - TURN_INTERVAL),
  };
}
