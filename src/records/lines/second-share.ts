// Bounds what each trunk may write in a second: the flood of one trunk must not use up the room of all.
import type { Millis } from "../../domain/time.ts";
import type { TrunkId } from "../../domain/trunk.ts";

/** What trunks have taken in the present second. Invariant: trunks come from the policy, so the table is bounded. */
export interface SecondShare {
  /**
   * Takes room for an event of a trunk.
   *
   * @param released position up to which room was given back. While it stays the same, nobody gets room again: a second
   * that the disk stands still gives no trunk another share
   * @returns false when the trunk has taken its share
   */
  readonly take: (trunk: TrunkId, at: Millis, released: number) => boolean;
  /** True when the next {@link SecondShare.take} of the trunk gives false, as far as the last one knows. */
  readonly isSpent: (trunk: TrunkId) => boolean;
}

/** @param most events of one trunk in a second */
export function createSecondShare(most: number): SecondShare {
  const taken = new Map<TrunkId, number>();
  let second = -1;
  let place = -1;
  return {
    take(trunk, at, released) {
      const present = Math.floor(at / 1000);
      // A clock that steps back begins a second too.
      if (present !== second && released !== place) {
        taken.clear();
        second = present;
        place = released;
      }
      const count = taken.get(trunk) ?? 0;
      if (count >= most) return false;
      taken.set(trunk, count + 1);
      return true;
    },
    isSpent: (trunk) => (taken.get(trunk) ?? 0) >= most,
  };
}
