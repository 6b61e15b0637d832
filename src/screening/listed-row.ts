// Looks up a number in the list of a lessee, whose rows may be good on some trunks only.
import type { Millis } from "../domain/time.ts";
import { findWanted } from "../numbering/lists/marked-rows.ts";
import type { LesseeList } from "./rule.ts";

/**
 * Finds a row as `NumberSet.find` does. Where the most specific row is for other trunks, any row in force that is good
 * on this one comes before it.
 * @returns a row of other trunks where no other covers the number: {@link isOnTrunk} tells
 */
export function findListed({ numbers, onTrunk }: LesseeList, key: number, at: Millis): number {
  const row = numbers.find(key, at);
  if (onTrunk === undefined || row < 0 || onTrunk[numbers.mark(row)] === 1) return row;
  const own = findWanted(numbers.columns, key, at, onTrunk);
  return own < 0 ? row : own;
}

/** Tells whether a row that is in force is good on the trunk. */
export function isOnTrunk({ numbers, onTrunk }: LesseeList, row: number): boolean {
  return onTrunk === undefined || onTrunk[numbers.mark(row)] === 1;
}

/** Says for which trunks a row is. */
export function sayTrunks({ numbers, trunkSets }: LesseeList, row: number): string {
  const named = trunkSets?.[numbers.mark(row) - 1];
  if (named === undefined) return "other trunks";
  return `${named.includes(" ") ? "trunks" : "trunk"} ${named.replaceAll(" ", ", ")}`;
}
