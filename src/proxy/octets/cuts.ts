// The changes of one message as octets, and the message as it leaves.
import { Buffer } from "node:buffer";
import { MOST_FIELDS } from "../../sip/tag.ts";
import type { SipMessage } from "../../sip/message.ts";

const MOST_CUTS = 12;

/** Each replaces `from`…`to` of the message by a part of `fresh`. In order of position; none overlaps. Reused. */
export interface Cuts {
  count: number;
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly freshStart: Int32Array;
  readonly freshEnd: Int32Array;
  /** What is written anew, and where its free part begins. */
  readonly fresh: Uint8Array;
  free: number;
  /** How much longer the message gets. */
  growth: number;
}

export function createCuts(): Cuts {
  return {
    count: 0,
    from: new Int32Array(MOST_CUTS),
    to: new Int32Array(MOST_CUTS),
    freshStart: new Int32Array(MOST_CUTS),
    freshEnd: new Int32Array(MOST_CUTS),
    fresh: Buffer.alloc(2 * MOST_FIELDS),
    free: 0,
    growth: 0,
  };
}

export function clearCuts(cuts: Cuts): void {
  cuts.count = 0;
  cuts.free = 0;
  cuts.growth = 0;
}

/**
 * Replaces `from`…`to` by what was written into `fresh` since its free part began, up to `end`.
 *
 * @returns false when there is no room for it
 */
export function cut(cuts: Cuts, from: number, to: number, end: number): boolean {
  const { count, free } = cuts;
  if (count === MOST_CUTS) return false;
  let i = count;
  while (i > 0 && cuts.from[i - 1]! > from) {
    cuts.from[i] = cuts.from[i - 1]!;
    cuts.to[i] = cuts.to[i - 1]!;
    cuts.freshStart[i] = cuts.freshStart[i - 1]!;
    cuts.freshEnd[i] = cuts.freshEnd[i - 1]!;
    i--;
  }
  cuts.from[i] = from;
  cuts.to[i] = to;
  cuts.freshStart[i] = free;
  cuts.freshEnd[i] = end;
  cuts.count = count + 1;
  cuts.free = end;
  cuts.growth += end - free - (to - from);
  return true;
}

/** True when the message and everything that is written anew have room in `out`, and the result in `most` octets. */
export function haveRoom(cuts: Cuts, { bytes, end }: SipMessage, out: Uint8Array, most: number): boolean {
  return bytes.length + cuts.free <= out.length && end + cuts.growth <= most;
}

/**
 * Writes the message, which begins where its bytes begin, as it leaves. It is copied as a whole; then each cut, the last
 * one first, moves what is behind it: a few calls of the engine, none of which makes an object.
 *
 * @returns its length
 */
export function renderCuts(cuts: Cuts, { bytes, end }: SipMessage, out: Uint8Array): number {
  const { from, to, freshStart, freshEnd, fresh } = cuts;
  out.set(bytes);
  let length = end;
  for (let i = cuts.count - 1; i >= 0; i--) {
    const start = freshStart[i]!;
    const size = freshEnd[i]! - start;
    const at = from[i]!;
    const behind = to[i]!;
    if (at + size !== behind) out.copyWithin(at + size, behind, length);
    length += at + size - behind;
    for (let k = 0; k < size; k++) out[at + k] = fresh[start + k]!;
  }
  return length;
}
