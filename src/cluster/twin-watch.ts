// Finds out whether another process of the same node is alive: of two that start, the one whose greeting stands first goes on.
import type { Millis } from "../domain/time.ts";

export interface TwinWatch {
  /** Another process of this name was heard. @param age milliseconds since it wrote the entry */
  readonly heard: (instance: string, age: Millis, now: Millis) => void;
  /** That process has said that it ends. */
  readonly ended: (instance: string) => void;
  /** Our own greeting was read back: everything that stands before it was heard. */
  readonly greeted: (now: Millis) => void;
  /** `waiting`: not known yet. `alone` stays; `twin` becomes `alone` when the other one has died. */
  readonly verdict: (now: Millis) => "waiting" | "alone" | "twin";
}

/** A process that lives writes each second. One that was not heard for so long is dead. Milliseconds. */
export const DEAD_AFTER: Millis = 2500;
/** Processes of one name that are followed. */
const MOST_TWINS = 16;

export function createTwinWatch(): TwinWatch {
  const last = new Map<string, Millis>();
  let isGreeted = false;
  let isAlone = false;
  let hasTwin = false;

  function look(now: Millis): void {
    for (const [instance, at] of last) if (now - at >= DEAD_AFTER) last.delete(instance);
    if (isGreeted && last.size === 0) isAlone = true;
  }

  return {
    heard(instance, age, now) {
      if (isAlone || age >= DEAD_AFTER) return;
      last.set(instance, now - age);
      if (last.size > MOST_TWINS) last.delete([...last.keys()][0] ?? "");
      if (isGreeted) hasTwin = true;
    },
    ended: (instance) => void last.delete(instance),
    greeted(now) {
      isGreeted = true;
      look(now);
    },
    verdict(now) {
      look(now);
      if (isAlone) return "alone";
      return hasTwin ? "twin" : "waiting";
    },
  };
}
