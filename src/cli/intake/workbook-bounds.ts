// Proves that a workbook is small enough to be read, before anything unpacks it.
import type { Buffer } from "node:buffer";
import { inflateRawSync } from "node:zlib";

/** Parts of a workbook: sheets, texts, styles, pictures. */
const MOST_PARTS = 200;
/** Octets of all parts when they are unpacked. */
const MOST_OCTETS = 64 * (1 << 20);
/** How many times larger than its packed form a part may be, above {@link ALWAYS_TAKEN}. */
const MOST_RATIO = 200;
/** So many octets are taken at any ratio: an empty sheet packs well. */
const ALWAYS_TAKEN = 1 << 20;

const END = 0x06_05_4b_50;
const ENTRY = 0x02_01_4b_50;
const LOCAL = 0x04_03_4b_50;
const STORED = 0;
const DEFLATED = 8;

/**
 * Walks through the central directory of a ZIP file (PKWARE APPNOTE 6.3.10, sections 4.3.12 and 4.3.16), and unpacks each
 * part within its bound: what a part says of its size is checked, not believed. Whoever unpacks it afterwards reads the
 * same directory.
 *
 * @returns why the workbook is refused, in words; undefined when it is within the bounds
 */
export function findWorkbookExcess(zip: Buffer): string | undefined {
  const end = zip.subarray(-(0xffff + 22)).lastIndexOf(littleEndian(END));
  if (end < 0) return "it is no whole workbook: its directory is missing";
  const tail = zip.subarray(-(0xffff + 22)).subarray(end);
  if (tail.length < 22) return "it is no whole workbook: its directory is cut off";
  const parts = tail.readUInt16LE(10);
  if (parts > MOST_PARTS) return `it has ${parts} parts, a workbook has at most ${MOST_PARTS}`;
  let at = tail.readUInt32LE(16);
  let total = 0;
  const starts = new Set<number>();
  for (let part = 0; part < parts; part++) {
    if (at + 46 > zip.length || zip.readUInt32LE(at) !== ENTRY) return "its directory is damaged";
    const packed = zip.readUInt32LE(at + 20);
    const size = zip.readUInt32LE(at + 24);
    const start = zip.readUInt32LE(at + 42);
    if ((zip.readUInt16LE(at + 8) & 1) === 1) return "it is protected by a password";
    if (starts.has(start)) return "two of its parts stand at one place";
    starts.add(start);
    total += size;
    if (total > MOST_OCTETS) return tooLarge;
    if (size > ALWAYS_TAKEN && size > packed * MOST_RATIO)
      return `a part is ${MOST_RATIO} times as large as its packed form: this is no spreadsheet`;
    const fault = findFault(zip, { method: zip.readUInt16LE(at + 10), start, packed, size });
    if (fault !== undefined) return fault;
    at += 46 + zip.readUInt16LE(at + 28) + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return undefined;
}

const tooLarge = `it has more than ${MOST_OCTETS >> 20} MiB when it is unpacked`;

interface Part {
  readonly method: number;
  readonly start: number;
  readonly packed: number;
  readonly size: number;
}

function findFault(zip: Buffer, { method, start, packed, size }: Part): string | undefined {
  if (start + 30 > zip.length || zip.readUInt32LE(start) !== LOCAL) return "one of its parts is missing";
  const from = start + 30 + zip.readUInt16LE(start + 26) + zip.readUInt16LE(start + 28);
  if (from + packed > zip.length) return "one of its parts is cut off";
  if (method === STORED) return packed === size ? undefined : "the size of a part is wrong";
  if (method !== DEFLATED) return "a part is packed in a way that no spreadsheet uses";
  try {
    const unpacked = inflateRawSync(zip.subarray(from, from + packed), { maxOutputLength: size + 1 });
    return unpacked.length === size ? undefined : "the size of a part is wrong";
  } catch {
    return "a part can't be unpacked to the size that it says";
  }
}

function littleEndian(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24);
}
