// Which rows of the lessees' lists have been used: marked number by number, as calls name them.
import type { Millis } from "../../domain/time.ts";
import { readListNumber } from "../../numbering/e164.ts";
import type { LoadedList } from "../policy/list-loading.ts";

/** What is known of the use of lists. */
export interface UsedRows {
  /** Notes that a lessee has called from a number, as records write it. Numbers that are not listed are passed over. */
  readonly note: (lessee: string, number: string) => void;
  /** @returns true when a number of the row has called */
  readonly isUsed: (lessee: string, row: number) => boolean;
}

/**
 * Begins with no row used. Memory: an octet a row, however many calls there were.
 *
 * @param now Unix milliseconds; of several rows of a number, the one that is in force now is used
 */
export function createUsedRows(lists: readonly LoadedList[], now: Millis): UsedRows {
  const byLessee = new Map(
    lists
      .filter(({ kind }) => kind === "lessee")
      .map(({ id, read: { numbers } }) => [id, { numbers, used: new Uint8Array(numbers.rows) }]),
  );
  return {
    note(lessee, number) {
      const known = byLessee.get(lessee);
      if (known === undefined) return;
      const { numbers, used } = known;
      const key = number.startsWith("+") ? Number(number.slice(1)) : Number.NaN;
      let row = Number.isSafeInteger(key) ? numbers.find(key, now) : -1;
      if (row === -1) {
        // A code, also behind an area code.
        const read = readListNumber(number);
        row = typeof read === "string" ? -1 : numbers.find(read.key, now);
      }
      if (row !== -1) used[row < 0 ? -2 - row : row] = 1;
    },
    isUsed: (lessee, row) => byLessee.get(lessee)?.used[row] === 1,
  };
}
