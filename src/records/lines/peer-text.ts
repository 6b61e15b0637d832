// Makes texts of peers fit for a record line: valid UTF-8, at most 256 code points, and the octets where they were none.
import { Buffer, isAscii, isUtf8 } from "node:buffer";

/** At most this many code points of a text stand in a line. */
export const MOST_CODE_POINTS = 256;

/** A text, and its octets as hex where they were no UTF-8: the text then has U+FFFD in place of those octets. */
export interface PeerText {
  readonly text: string;
  readonly hex: string | undefined;
}

/**
 * Reads octets of a peer.
 *
 * @param isCut true when the octets may end in the middle of a character
 */
export function readPeerText(octets: Buffer, isCut = false): PeerText {
  if (isAscii(octets))
    return { text: octets.toString("latin1", 0, Math.min(octets.length, MOST_CODE_POINTS)), hex: undefined };
  const whole = isCut ? octets.subarray(0, octets.length - unfinished(octets)) : octets;
  const text = cutText(whole.toString("utf8"));
  return { text, hex: isUtf8(whole) ? undefined : whole.toString("hex") };
}

/** Reads a text that is kept as latin1, one character an octet. */
export function readLatin1(text: string): PeerText {
  for (let i = 0; i < text.length; i++)
    if (text.charCodeAt(i) >= 0x80) return readPeerText(Buffer.from(text, "latin1"));
  return { text: text.length > MOST_CODE_POINTS ? text.slice(0, MOST_CODE_POINTS) : text, hex: undefined };
}

/** Cuts a text at {@link MOST_CODE_POINTS}, never between the halves of a surrogate pair. */
export function cutText(text: string): string {
  if (text.length <= MOST_CODE_POINTS) return text;
  let end = 0;
  for (let points = 0; points < MOST_CODE_POINTS && end < text.length; points++)
    end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  return text.slice(0, end);
}

/** Returns how many octets at the end begin a character of UTF-8 that is not whole (RFC 3629 section 3). */
function unfinished(octets: Buffer): number {
  for (let back = 1; back <= 3 && back <= octets.length; back++) {
    const octet = octets[octets.length - back]!;
    if ((octet & 0xc0) === 0x80) continue;
    const length = octet >= 0xf0 ? 4 : octet >= 0xe0 ? 3 : octet >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}
