// The area codes of listed numbers, by their keys.
import { formatKey } from "../../domain/number.ts";
import { areaOf } from "../../numbering/areas/area-of.ts";
import { readListNumber } from "../../numbering/e164.ts";

/** The plan tells numbers apart by fewer digits than those in front of the last three. */
const BLOCK = 1000;

/**
 * Makes a function that returns the area code of a fixed number of home as a number: 10, 755. Neighbours of the last number
 * cost nothing, so ask in the order of the keys.
 * @returns 0 for a number without area code
 */
export function createAreaReader(): (key: number) => number {
  let block = Number.NaN;
  let area = 0;
  return (key) => {
    if (key < 0) return 0;
    const at = Math.floor(key / BLOCK);
    if (at === block) return area;
    const number = readListNumber(formatKey(key));
    block = at;
    area = typeof number === "string" ? 0 : areaOf(number);
    return area;
  };
}
