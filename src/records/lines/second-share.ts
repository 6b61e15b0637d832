// Bounds what each trunk may write in a second: the flood of one trunk must not use up the room of all.
import type { Millis } from "../../domain/time.ts";
import type { TrunkId } from "../../domain/trunk.ts";

/** What trunks have taken in the present second. Invariant: trunks come from the policy, so the table is bounded. */
export interface SecondShare {
  /** @returns false when the trunk has taken everything of this second */
  readonly take: (trunk: TrunkId, at: Millis) => boolean;
}

/** @param most events of one trunk in a second */
export function createSecondShare(most: number): SecondShare {
  const taken = new Map<TrunkId, number>();
  let second = -1;
  return {
    take(trunk, at) {
      const present = Math.floor(at / 1000);
      // A clock that steps back begins a second too.
      if (present !== second) {
        taken.clear();
        second = present;
      }
      const count = taken.get(trunk) ?? 0;
      if (count >= most) return false;
      taken.set(trunk, count + 1);
      return true;
    },
  };
}
