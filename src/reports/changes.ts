// How a figure has changed against that of the month before.

/** @returns undefined where there is nothing to compare with: no records, or none of a kind */
export function changeOf(count: number | undefined, before: number | undefined): number | undefined {
  return count === undefined || before === undefined || before === 0 ? undefined : (count - before) / before;
}
