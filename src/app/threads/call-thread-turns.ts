// Counts the turns of the call thread in shared memory: other threads see there when it is stuck.
import { performance } from "node:perf_hooks";
import type { Millis } from "../../domain/time.ts";

/** Shared memory of 32-bit cells, one for each constant below. */
export type TurnCells = Int32Array<SharedArrayBuffer>;

/** How often the call thread turned, modulo 2^32. */
const TURNS = 0;
/** 1 while the engine takes new calls; {@link LAGS}: it does, and this node is not to be asked for them. */
const READY = 1;
const LAGS = 2;
/** Longest turn since the watching thread asked last. Microseconds. */
const LONGEST = 2;
/** 1 while a call thread that does not turn is to be ended by the watchdog. */
const WATCHED = 3;
const CELLS = 4;

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

/** Whether a node is to be asked for new calls. `lags`: its policy is not that of the other nodes. */
export type Readiness = boolean | "lags";

/** Notes a turn of the calling thread now and {@link TURN_INTERVAL} after each one. */
export function countTurns(cells: TurnCells, isReady: () => Readiness): TurnCounter {
  let due = performance.now() + TURN_INTERVAL;
  const note = (): void => {
    const ready = isReady();
    Atomics.store(cells, READY, ready === "lags" ? LAGS : ready ? 1 : 0);
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

/** Says when a call thread that does not turn is to be ended. It is not, until {@link WatchSwitch.arm}. */
export interface WatchSwitch {
  readonly arm: () => void;
  readonly disarm: () => void;
  /** Runs a step that may take long without being a fault. */
  readonly unwatched: <Result>(step: () => Result) => Result;
}

export function createWatchSwitch(cells: TurnCells): WatchSwitch {
  let isArmed = false;
  const set = (isWatched: boolean): void => {
    Atomics.store(cells, WATCHED, isWatched ? 1 : 0);
  };
  return {
    arm() {
      isArmed = true;
      set(true);
    },
    disarm() {
      isArmed = false;
      set(false);
    },
    unwatched(step) {
      set(false);
      try {
        return step();
      } finally {
        set(isArmed);
      }
    },
  };
}

/** How long the call thread has not turned, by the clock of the thread that looks. */
export interface TurnAge {
  /** Looks at the cells. Called every {@link LOOK_INTERVAL}. */
  readonly look: (now: Millis) => void;
  /** Milliseconds. At most {@link LOOK_INTERVAL} below the true time. */
  readonly age: () => Millis;
}

/**
 * Follows the age of the turn under way. A pause of the watching thread itself (SIGSTOP, a machine that sleeps) does
 * not count. After the pause, the call thread has as much time left as before.
 */
function followAge(cells: TurnCells, start: Millis, isExempt: () => boolean): TurnAge {
  let known = Atomics.load(cells, TURNS);
  let movedAt = start;
  let lookedAt = start;
  return {
    look(now) {
      const since = now - lookedAt;
      if (since > 2 * LOOK_INTERVAL) movedAt += since - LOOK_INTERVAL;
      lookedAt = now;
      const turns = Atomics.load(cells, TURNS);
      if (turns === known && !isExempt()) return;
      known = turns;
      movedAt = now;
    },
    age: () => lookedAt - movedAt,
  };
}

/** Follows how long the call thread has not turned while it was watched. Time in which it was not counts as a turn. */
export function followWatchedAge(cells: TurnCells, start: Millis): TurnAge {
  return followAge(cells, start, () => Atomics.load(cells, WATCHED) === 0);
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
  /** Whether the node was to be asked for new calls at the last turn. */
  readonly readiness: () => Readiness;
  /**
   * Longest turn within the last minute, the one under way included. Milliseconds. Turns below 100 ms are seen by
   * chance only.
   */
  readonly longest: () => Millis;
}

/** Watches the call thread from another thread. */
export function watchTurns(cells: TurnCells, start: Millis): TurnWatch {
  const turn = followAge(cells, start, () => false);
  /** Lengths of turns that no later one exceeds, oldest first. */
  const longest: { readonly at: Millis; readonly length: Millis }[] = [];

  function remember(now: Millis, length: Millis): void {
    while ((longest.at(-1)?.length ?? Infinity) <= length) longest.pop();
    longest.push({ at: now, length });
    while ((longest[0]?.at ?? Infinity) < now - REMEMBERED) longest.shift();
  }

  return {
    look(now) {
      turn.look(now);
      remember(now, Atomics.exchange(cells, LONGEST, 0) / 1000);
    },
    age: turn.age,
    isStuck: () => turn.age() > STUCK_AFTER,
    readiness() {
      const ready = Atomics.load(cells, READY);
      return ready === LAGS ? "lags" : ready === 1;
    },
    longest: () => Math.max(longest[0]?.length ?? 0, turn.age() - TURN_INTERVAL),
  };
}
