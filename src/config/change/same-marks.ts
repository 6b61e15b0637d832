// Tells whether the marks of rows of two lists mean the same: scores, trunks, notices or industries.
import type { LoadedList } from "../policy/list-loading.ts";

/** What is needed of a list. */
type Marked = Pick<LoadedList, "kind"> & { readonly read: Pick<LoadedList["read"], "names"> };

/**
 * Compares marks of two lists. Scores are their marks; other marks are places of names, which another file has in
 * another order.
 * @returns undefined where no marks are compared: one of the lists is missing
 */
export function compareMarks(
  before: Marked | undefined,
  after: Marked | undefined,
): ((before: number, after: number) => boolean) | undefined {
  if (before === undefined || after === undefined) return undefined;
  if (after.kind === "score") return (was, is) => was === is;
  const [old, young] = [before.read.names, after.read.names];
  if (old.length === 0 && young.length === 0) return undefined;
  return (was, is) => old[was - 1] === young[is - 1];
}
