// Says how a list is changed for one number, whose row may be a range or prefix.
import type { NumberList } from "./rule.ts";

/** The row of a look-up in the list: as `NumberSet.find` returns it, also for a row that is not in force. */
function placeOf({ file, numbers }: NumberList, found: number): { isSingle: boolean; line: string } {
  const row = found < 0 ? -2 - found : found;
  return { isSingle: numbers.isSingle(row), line: `${file}:${numbers.line(row)}` };
}

/** Says how the number is taken out. A range or prefix stays for its other numbers. */
export function takeOut(list: NumberList, found: number, number: string): string {
  const { isSingle, line } = placeOf(list, found);
  return isSingle
    ? `remove ${number} from ${line}`
    : `split the range or prefix at ${line}, so that it leaves ${number} out`;
}

/** Says several changes as one. Undefined: there are none. */
export function joinChanges(changes: readonly string[]): string | undefined {
  return changes.length === 0 ? undefined : changes.join(", and ");
}

/** Says how a column is set for the number alone. */
export function setColumn(list: NumberList, found: number, number: string, column: string): string {
  const { isSingle, line } = placeOf(list, found);
  return isSingle
    ? `set ${column} at ${line}`
    : `add ${number} as a row of its own with ${column}, beside the range or prefix at ${line}`;
}
