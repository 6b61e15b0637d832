// Octets kept beside rows, bounded in sum: the filter makes a BYE of its own from them.

/** Copies of octets by row. At most `mostOctets` of them in sum. */
export interface CallBytes {
  /** Copies `bytes`; what the row had before goes. @returns false when there is no room: the row then has none */
  keep(row: number, bytes: Uint8Array): boolean;
  /** The copy belongs to the store: read it, don't change it, don't keep it. */
  of(row: number): Uint8Array | undefined;
  drop(row: number): void;
}

export function createCallBytes(mostOctets: number): CallBytes {
  const kept = new Map<number, Uint8Array>();
  let octets = 0;
  const drop = (row: number): void => {
    if (kept.size === 0) return;
    const bytes = kept.get(row);
    if (bytes === undefined) return;
    octets -= bytes.length;
    kept.delete(row);
  };
  return {
    keep(row, bytes) {
      drop(row);
      if (octets + bytes.length > mostOctets) return false;
      octets += bytes.length;
      kept.set(row, Uint8Array.from(bytes));
      return true;
    },
    of: (row) => kept.get(row),
    drop,
  };
}
