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
 * @returns undefined for octets that are none of them
 */
export function decodeTableText(bytes: Uint8Array): DecodedText | undefined {
  const wide = wideEncodingOf(bytes);
  if (wide !== undefined) return decodeAs(wide, "UTF-16", bytes);
  if (isUtf8(bytes)) return decodeAs("utf-8", "UTF-8", bytes);
  return decodeAs("gb18030", "GB18030", bytes);
}

function decodeAs(
  label: string,
  encoding: DecodedText["encoding"],
  bytes: Uint8Array,
): DecodedText | undefined {
  try {
    const text = new TextDecoder(label, { fatal: true }).decode(bytes);
    // No table has a NUL. What has one is no text.
    return text.includes("\0") ? undefined : { text, encoding };
  } catch {
    return undefined;
  }
}

function wideEncodingOf(bytes: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  const sample = bytes.subarray(0, SAMPLE);
  const zeros = [0, 0];
  for (const [at, octet] of sample.entries()) if (octet === 0) zeros[at % 2]!++;
  const [even = 0, odd = 0] = zeros;
  if (odd > sample.length / 6 && even === 0) return "utf-16le";
  if (even > sample.length / 6 && odd === 0) return "utf-16be";
  return undefined;
}
