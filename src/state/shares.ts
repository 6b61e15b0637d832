// Divides bounded room among its owners: nobody fills it, and whoever comes later finds some.

/**
 * An owner may hold at most this many times what is free. So one owner alone uses sixteen seventeenths of the room, two
 * use sixteen thirty-thirds each, and something is always left for one who has little. Owners that have too much get
 * nothing more until what they hold has expired.
 */
export const TIMES_FREE = 16;

/**
 * Room that owners share. An owner is a trunk, so the configuration bounds their number. Sizes are in any one unit:
 * entries, or octets.
 */
export interface Shares {
  /** True when the owner may take so much more. */
  hasRoom(owner: string, size: number): boolean;
  take(owner: string, size: number): void;
  give(owner: string, size: number): void;
}

/**
 * @param most the whole room
 * @param favoured an owner that may use all that is free
 */
export function createShares(most: number, favoured = ""): Shares {
  const held = new Map<string, number>();
  let used = 0;
  return {
    hasRoom(owner, size) {
      const free = most - used - size;
      return free >= 0 && (owner === favoured || (held.get(owner) ?? 0) <= TIMES_FREE * (free + size));
    },
    take(owner, size) {
      used += size;
      held.set(owner, (held.get(owner) ?? 0) + size);
    },
    give(owner, size) {
      used -= size;
      const left = (held.get(owner) ?? 0) - size;
      if (left > 0) held.set(owner, left);
      else held.delete(owner);
    },
  };
}
