// Finds out at a start whether another process of the same node is alive: the one whose greeting stands first goes on.
import type { Millis } from "../domain/time.ts";

export interface TwinWatch {
  /** Another process of this name was heard. @param age milliseconds since it wrote the entry */
  readonly heard: (age: Millis, now: Millis) => void;
  /** That process has said that it ends. */
  readonly ended: () => void;
  /** Our own greeting was read back: everything that stands before it was heard. */
  readonly greeted: (now: Millis) => void;
  /** `waiting`: not known yet. Once known it stays. */
  readonly verdict: (now: Millis) => "waiting" | "alone" | "twin";
}

/** A process that lives writes each second. One that was not heard for so long is dead. Milliseconds. */
export const DEAD_AFTER: Millis = 2500;

export function createTwinWatch(): TwinWatch {
  let last: Millis | undefined;
  let isGreeted = false;
  let known: "alone" | "twin" | undefined;
  return {
    heard(age, now) {
      last = Math.max(last ?? -Infinity, now - age);
      if (isGreeted) known ??= "twin";
    },
    ended: () => void (last = undefined),
    greeted(now) {
      isGreeted = true;
      if (last === undefined || now - last >= DEAD_AFTER) known ??= "alone";
    },
    verdict(now) {
      if (isGreeted && (last === undefined || now - last >= DEAD_AFTER)) known ??= "alone";
      return known ?? "waiting";
    },
  };
}
