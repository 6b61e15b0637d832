// What is kept beside rows so that the filter can end their calls: a text each, bounded in sum, and the highest CSeqs.

/** A party of a call: the directions of its requests. */
export type CallParty = "caller" | "called";

/** Texts by row, at most `mostOctets` of them in sum, and the highest CSeq of each direction. */
export interface KeptTexts {
  /**
   * Keeps a text of latin1, one octet a character; what the row had before goes. A slice would keep the whole text that
   * it was cut from.
   *
   * @returns false when there is no room: the row then has none
   */
  keep(row: number, text: string): boolean;
  of(row: number): string | undefined;
  /** Notes the CSeq of a request. A lower one than before changes nothing. */
  noteSequence(row: number, from: CallParty, cseq: number): void;
  /** The highest CSeq that was noted; 0: none. */
  highestSequence(row: number, from: CallParty): number;
  /** Forgets everything of the row. */
  drop(row: number): void;
}

/** @param capacity rows, numbered from 1 */
export function createKeptTexts(capacity: number, mostOctets: number): KeptTexts {
  const kept: (string | undefined)[] = [];
  const sequences = new Uint32Array(2 * (capacity + 1));
  let octets = 0;
  const dropText = (row: number): void => {
    const text = kept[row];
    if (text === undefined) return;
    octets -= text.length;
    kept[row] = undefined;
  };
  return {
    keep(row, text) {
      dropText(row);
      if (octets + text.length > mostOctets) return false;
      octets += text.length;
      kept[row] = text;
      return true;
    },
    of: (row) => kept[row],
    noteSequence(row, from, cseq) {
      const at = 2 * row + (from === "caller" ? 0 : 1);
      if (cseq > sequences[at]!) sequences[at] = cseq;
    },
    highestSequence: (row, from) => sequences[2 * row + (from === "caller" ? 0 : 1)]!,
    drop(row) {
      dropText(row);
      sequences[2 * row] = 0;
      sequences[2 * row + 1] = 0;
    },
  };
}
