// Tells how the text of an exported table is encoded, and decodes it.
import { isUtf8 } from "node:buffer";

/** Text, and the name of the encoding that it was in. */
export interface DecodedText {
  readonly text: string;
  readonly encoding: "UTF-8" | "UTF-16" | "GB18030";
}

/** So many octets tell UTF-16 without a byte order mark from other text. */
const SAMPLE = 256;

/**
 * Decodes the text of a table. A byte order mark decides. Without one, octets that are UTF-8 are UTF-8, NULs behind
 * ASCII are UTF-16, and what is left is GB18030, which Excel writes in China.
 * @returns an error in words with the place for octets that are none of them
 */
export function decodeTableText(bytes: Uint8Array): DecodedText | { readonly error: string } {
  const wide = wideEncodingOf(bytes);
  if (wide !== undefined) return decodeAs(wide, "UTF-16", bytes);
  if (isUtf8(bytes) || isDamagedUtf8(bytes)) return decodeAs("utf-8", "UTF-8", bytes);
  return decodeAs("gb18030", "GB18030", bytes);
}

function decodeAs(
  label: string,
  encoding: DecodedText["encoding"],
  bytes: Uint8Array,
): DecodedText | { readonly error: string } {
  let text: string;
  try {
    text = new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch {
    const damaged = new TextDecoder(label).decode(bytes);
    const place = placeIn(damaged, damaged.indexOf("\ufffd"));
    return encoding === "GB18030"
      ? { error: `${place}: this is no text in UTF-8, UTF-16 or GB18030` }
      : { error: `${place}: the ${encoding} text is damaged here; export it again` };
  }
  const nul = text.indexOf("\0");
  if (nul === -1) return { text, encoding };
  return { error: `${placeIn(text, nul)}: a NUL stands here, and no text has one; export it again` };
}

/** Line and column of a character: `7:2`. */
function placeIn(text: string, offset: number): string {
  const lines = text.slice(0, Math.max(offset, 0)).split(/\r\n?|\n/u);
  return `${lines.length}:${(lines.at(-1) ?? "").length + 1}`;
}

/**
 * True for UTF-8 with some damage: a byte order mark says so, or most of what is not ASCII is sound. Text in GB18030 is
 * hardly ever sound UTF-8.
 */
function isDamagedUtf8(bytes: Uint8Array): boolean {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return true;
  let sound = 0;
  let damaged = 0;
  for (const character of new TextDecoder().decode(bytes)) {
    if (character === "\ufffd") damaged++;
    else if (character > "\u007f") sound++;
  }
  // What two octets of GB18030 look like by chance is one character of UTF-8 in a dozen.
  return sound > 2 * damaged;
}

function wideEncodingOf(bytes: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  const sample = bytes.subarray(0, SAMPLE);
  const zeros = [0, 0];
  for (const [at, octet] of sample.entries()) if (octet === 0) zeros[at % 2]!++;
  const [even = 0, odd = 0] = zeros;
  // Characters such as 一 (U+4E00) have the NUL on the other side.
  if (odd > sample.length / 6 && even * 4 < odd) return "utf-16le";
  if (even > sample.length / 6 && odd * 4 < even) return "utf-16be";
  return undefined;
}
