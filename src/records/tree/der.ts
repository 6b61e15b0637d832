// Writes and reads values of ASN.1 in DER, as far as time stamps need them.
import { Buffer } from "node:buffer";

// Source: ITU-T X.690. Only definite lengths and tags of one octet.

export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  octets: 0x04,
  oid: 0x06,
  time: 0x18,
  sequence: 0x30,
  context0: 0xa0,
} as const;

/** Writes a value under a tag. */
export function writeDer(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const size = content.length;
  const digits = size.toString(16);
  const long =
    size < 0x80 ? [] : Buffer.from(digits.padStart(digits.length + (digits.length % 2), "0"), "hex");
  const length = size < 0x80 ? [size] : [0x80 | long.length, ...long];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

/** A value: its tag and content. */
export interface DerValue {
  readonly tag: number;
  readonly content: Buffer;
}

/** Reads the values that stand one behind the other. @returns undefined when the octets are no such values */
export function readDer(bytes: Buffer): readonly DerValue[] | undefined {
  const values: DerValue[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 2 > bytes.length) return undefined;
    const tag = bytes[at]!;
    const first = bytes[at + 1]!;
    const count = first < 0x80 ? 0 : first & 0x7f;
    // An indefinite length (0x80) and one of more than 4 octets are refused.
    if (first === 0x80 || count > 4 || at + 2 + count > bytes.length) return undefined;
    const size = count === 0 ? first : bytes.readUIntBE(at + 2, count);
    const from = at + 2 + count;
    if (from + size > bytes.length) return undefined;
    values.push({ tag, content: bytes.subarray(from, from + size) });
    at = from + size;
  }
  return values;
}
