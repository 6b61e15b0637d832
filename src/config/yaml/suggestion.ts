// Suggests the known word that an operator probably meant.

/** Longest word for which a suggestion is sought. Longer words are no typing slips. */
const longestWord = 64;

/**
 * Counts the edits that turn one word into another: insertions, deletions, replacements and swaps
 * of neighbours (optimal string alignment distance). Cost: the product of both lengths.
 */
export function editDistance(from: string, to: string): number {
  let beforePrevious: readonly number[] = [];
  let previous: readonly number[] = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      const isSwap = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const swapped = isSwap ? (beforePrevious[column - 2] ?? Infinity) + 1 : Infinity;
      current.push(Math.min(replaced, swapped, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[to.length] ?? 0;
}

/**
 * Finds the candidate that `word` was probably meant to be.
 * @returns undefined when no candidate is near
 */
export function findNearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length < 2 || word.length > longestWord) return undefined;
  const written = word.toLowerCase();
  let nearest: string | undefined;
  let best = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    if (candidate.length > longestWord) continue;
    const known = candidate.toLowerCase();
    // "acme" for "acme-bj": an abbreviation is as good a hint as one typing slip.
    const isAbbreviation = known.startsWith(written) || written.startsWith(known);
    const distance = isAbbreviation ? 1 : editDistance(written, known);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

/**
 * Writes `; did you mean "acme-bj"?` for the end of a message about an unknown word. Empty when no
 * candidate is near.
 */
export function suggest(word: string, candidates: Iterable<string>): string {
  const nearest = findNearest(word, candidates);
  return nearest === undefined ? "" : `; did you mean "${nearest}"?`;
}
