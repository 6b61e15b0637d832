// Unpacks a workbook within bounds, and packs again what was proved: nothing else is read of it.
import { Buffer } from "node:buffer";
import { crc32, inflateRawSync } from "node:zlib";

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

/** Parts by their names. Only parts of XML: the others hold no values. */
export type WorkbookParts = ReadonlyMap<string, Buffer>;

/**
 * Walks through the central directory of a ZIP file (PKWARE APPNOTE 6.3.10, sections 4.3.12 and 4.3.16), and unpacks each
 * part within its bound: what a part says of its size and its sum is checked, not believed.
 *
 * @returns why the workbook is refused, in words for whoever made it
 */
export function unpackWorkbook(zip: Buffer): { readonly parts: WorkbookParts } | { readonly error: string } {
  const directory = readDirectory(zip);
  if ("error" in directory) return directory;
  const { entries } = directory;
  let total = 0;
  let taken = 0;
  for (const entry of entries.toSorted((a, b) => a.start - b.start)) {
    const from = dataOf(zip, entry);
    if (from === undefined) return { error: "one of its parts is missing or cut off" };
    if (entry.start < taken) return { error: "two of its parts stand at one place" };
    taken = from + entry.packed;
    total += entry.size;
    if (total > MOST_OCTETS)
      return { error: `it has more than ${MOST_OCTETS >> 20} MiB when it is unpacked` };
    if (entry.size > ALWAYS_TAKEN && entry.size > entry.packed * MOST_RATIO)
      return { error: `a part is ${MOST_RATIO} times as large as its packed form: this is no spreadsheet` };
  }
  const kind = foreignKind(entries);
  if (kind !== undefined) return { error: kind };
  const parts = new Map<string, Buffer>();
  for (const entry of entries) {
    const part = unpackPart(zip, entry);
    if ("error" in part) return { error: `${part.error} (${shown(entry.name)})` };
    if (!/\.(?:xml|rels)$/iu.test(entry.name)) continue;
    const markup = findForeignMarkup(part.bytes);
    if (markup !== undefined) return { error: `${markup} (${shown(entry.name)})` };
    parts.set(entry.name, part.bytes);
  }
  return { parts };
}

/**
 * Packs parts into a ZIP file without compression. A reader that trusts local headers, or the last of two entries, finds
 * the parts that were proved and no others.
 */
export function packParts(parts: WorkbookParts): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, bytes] of parts) {
    const path = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    // The name is UTF-8 (APPNOTE 4.4.4, bit 11).
    common.writeUInt16LE(1 << 11, 2);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(path.length, 22);
    files.push(word(LOCAL), common, path, bytes);
    const behind = Buffer.alloc(14);
    behind.writeUInt32LE(offset, 10);
    directory.push(word(ENTRY), Buffer.from([20, 0]), common, behind, path);
    offset += 30 + path.length + bytes.length;
  }
  const index = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(parts.size, 4);
  end.writeUInt16LE(parts.size, 6);
  end.writeUInt32LE(index.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...files, index, word(END), end]);
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly sum: number;
  /** Offset of the local header. */
  readonly start: number;
  readonly packed: number;
  readonly size: number;
}

function readDirectory(zip: Buffer): { readonly entries: readonly Entry[] } | { readonly error: string } {
  const searched = zip.subarray(-(0xffff + 22));
  const end = searched.lastIndexOf(word(END));
  if (end < 0) return { error: "it is no whole workbook: its directory is missing" };
  const tail = searched.subarray(end);
  if (tail.length < 22) return { error: "it is no whole workbook: its directory is cut off" };
  const count = tail.readUInt16LE(10);
  if (count > MOST_PARTS) return { error: `it has ${count} parts, a workbook has at most ${MOST_PARTS}` };
  const entries: Entry[] = [];
  const names = new Set<string>();
  let at = tail.readUInt32LE(16);
  for (let part = 0; part < count; part++) {
    if (at + 46 > zip.length || zip.readUInt32LE(at) !== ENTRY) return { error: "its directory is damaged" };
    if ((zip.readUInt16LE(at + 8) & 1) === 1)
      return { error: "it is protected by a password; save it without one" };
    const behind = at + 46 + zip.readUInt16LE(at + 28);
    if (behind > zip.length) return { error: "its directory is damaged" };
    const name = zip.toString("utf8", at + 46, behind);
    if (isNameOut(name)) return { error: `a part has a name that leads out of the workbook: ${shown(name)}` };
    // Names of parts differ by more than case (ECMA-376 Part 2, section 6.2.2).
    if (names.has(name.toLowerCase())) return { error: `two of its parts have one name: ${shown(name)}` };
    names.add(name.toLowerCase());
    entries.push({
      name,
      method: zip.readUInt16LE(at + 10),
      sum: zip.readUInt32LE(at + 16),
      packed: zip.readUInt32LE(at + 20),
      size: zip.readUInt32LE(at + 24),
      start: zip.readUInt32LE(at + 42),
    });
    at = behind + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return { entries };
}

/** @returns where the octets of a part begin; undefined when they are not all there */
function dataOf(zip: Buffer, { start, packed }: Entry): number | undefined {
  if (start + 30 > zip.length || zip.readUInt32LE(start) !== LOCAL) return undefined;
  const from = start + 30 + zip.readUInt16LE(start + 26) + zip.readUInt16LE(start + 28);
  return from + packed > zip.length ? undefined : from;
}

function unpackPart(zip: Buffer, entry: Entry): { readonly bytes: Buffer } | { readonly error: string } {
  const from = dataOf(zip, entry) ?? 0;
  const packed = zip.subarray(from, from + entry.packed);
  if (entry.method !== STORED && entry.method !== DEFLATED)
    return { error: "a part is packed in a way that no spreadsheet uses" };
  let bytes: Buffer;
  try {
    bytes = entry.method === STORED ? packed : inflateRawSync(packed, { maxOutputLength: entry.size + 1 });
  } catch {
    return { error: "a part can't be unpacked to the size that it says" };
  }
  if (bytes.length !== entry.size) return { error: "the size of a part is wrong" };
  return crc32(bytes) === entry.sum ? { bytes } : { error: "a part is damaged: its check sum is wrong" };
}

function isNameOut(name: string): boolean {
  return /^[/\\]|^[a-z]:|\\/iu.test(name) || name.split("/").includes("..");
}

/** What a ZIP file is that is no workbook of the form .xlsx, where its parts tell. */
function foreignKind(entries: readonly Entry[]): string | undefined {
  const names = new Set(entries.map(({ name }) => name));
  if (names.has("[Content_Types].xml"))
    return names.has("xl/workbook.bin") ? "this is a binary workbook (.xlsb); save it as .xlsx" : undefined;
  if (names.has("content.xml") && names.has("mimetype"))
    return "this is an OpenDocument file (.ods); save it as .xlsx";
  return "it can't be read as a workbook: this is a ZIP file with something else in it";
}

const DOCTYPE = Buffer.from("<!DOCTYPE");
const SHEET = Buffer.from("sheetData");
const TEXTS = /<(?:\w{1,20}:)?sst[\s>]/u;

/**
 * Finds what cuts a text in two for a reader of XML, and what no spreadsheet writes: a type definition with its entities
 * (ECMA-376 Part 2, section 6.2.5), and comments, CDATA and instructions in parts that hold cells.
 */
function findForeignMarkup(part: Buffer): string | undefined {
  if (part.includes(DOCTYPE)) return "a part has a document type definition, which no spreadsheet writes";
  if (!part.includes(SHEET) && !TEXTS.test(part.toString("latin1", 0, 1024))) return undefined;
  const isForeign = part.includes("<!") || part.indexOf("<?", 4) !== -1;
  return isForeign
    ? "a part has comments or instructions among its cells; open it and save it again"
    : undefined;
}

function shown(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
