// Finds the busiest of the sources that no trunk matches: bounded, and cheap under a flood.

/** Sources that no trunk matches, the busiest of them: bounded, and cheap under a flood. */
export interface Strangers {
  /** Notes a datagram from `address`. */
  note(address: string): void;
  /** The busiest sources since the last call, the first `most`, as "192.0.2.9 ×120"; estimates where there are many. Begins anew. */
  take(most: number): readonly string[];
}

/** Addresses that are counted at a time. */
const ROOM = 64;
/** Datagrams that are all noted; of those beyond, one in {@link SAMPLE} is. */
const EVERY = 256;
const SAMPLE = 16;

/**
 * Space-Saving (Metwally, Agrawal, El Abbadi 2005): where there is no room, a new address takes the place and the count of the
 * least busy one, so that a flood from many addresses can't push out one that sends a lot.
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
