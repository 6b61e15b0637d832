// Finds the busiest of the sources that no trunk matches: bounded, and cheap under a flood.

/** The busiest of the sources that no trunk matches. */
export interface Strangers {
  /** Notes a datagram from `address`. */
  note(address: string): void;
  /**
   * Returns the busiest sources since the last call, at most `most`, as "192.0.2.9 ×120". The counts are estimates
   * where there are many sources. Then counting begins anew.
   */
  take(most: number): readonly string[];
}

/** At most this many addresses are counted at a time. */
const ROOM = 64;
/** So many datagrams are all noted. Of the later ones, one in {@link SAMPLE} is noted. */
const EVERY = 256;
const SAMPLE = 16;

/**
 * Makes an empty count, by the algorithm Space-Saving. When there is no room, a new address takes the place and the
 * count of the least busy one. A flood from many addresses therefore can't push out a busy one (Metwally, Agrawal, El
 * Abbadi 2005).
 */
export function createStrangers(): Strangers {
  const counts = new Map<string, number>();
  let seen = 0;

  const leastBusy = (): string => {
    let least = "";
    let fewest = Infinity;
    for (const [address, count] of counts) {
      if (count >= fewest) continue;
      fewest = count;
      least = address;
    }
    return least;
  };

  return {
    note(address) {
      seen++;
      if (seen > EVERY && seen % SAMPLE !== 0) return;
      const weight = seen > EVERY ? SAMPLE : 1;
      const known = counts.get(address);
      if (known !== undefined || counts.size < ROOM) {
        counts.set(address, (known ?? 0) + weight);
        return;
      }
      const least = leastBusy();
      counts.set(address, (counts.get(least) ?? 0) + weight);
      counts.delete(least);
    },
    take(most) {
      const busiest = [...counts].toSorted(([, a], [, b]) => b - a).slice(0, most);
      counts.clear();
      seen = 0;
      return busiest.map(([address, count]) => `${address} ×${count}`);
    },
  };
}
