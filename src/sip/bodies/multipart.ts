// Splits a multipart body into its parts, to find the ISUP part of a SIP-I message.
import { Buffer } from "node:buffer";
import { readMediaType, type MediaType } from "../fields/media-type.ts";
import { COLON, CR, LF, SP, TAB } from "../octet.ts";

/**
 * At most this many multipart bodies inside each other, parts, and fields of a part. No call has
 * more.
 */
const MAX_DEPTH = 4;
const MAX_PARTS = 32;
const MAX_FIELDS = 32;
/** At most this many characters in a boundary (RFC 2046 section 5.1.1). */
const MAX_BOUNDARY = 70;

/**
 * A part without parts inside. Its content is `bytes[start, end)` of the message, as it was
 * received.
 */
export interface BodyPart {
  /** {@link impliedType} when the part has no Content-Type. */
  readonly type: MediaType;
  /** The Content-Transfer-Encoding in lower case; "" when there is none. */
  readonly encoding: string;
  readonly start: number;
  readonly end: number;
}

/**
 * The parts of a multipart body in their order, without those that only hold others. Or a text: why
 * two readers could find different parts.
 */
export type PartsReading = readonly BodyPart[] | string;

/** The type of a part that does not say what it is (RFC 2045 section 5.2). Readers may guess another one. */
export const impliedType: MediaType = { name: "text/plain", parameters: new Map() };

/** The encodings that leave a body unchanged (RFC 2045 section 6.2). */
export const plainEncodings: ReadonlySet<string> = new Set(["", "7bit", "8bit", "binary", "identity"]);

interface Walk {
  readonly bytes: Buffer;
  readonly parts: BodyPart[];
  count: number;
}

/**
 * Splits the multipart body `bytes[start, end)` and those inside it (RFC 2046 section 5.1). It is
 * strict where other readers are lenient in different ways: lines end in CRLF, only a delimiter
 * begins like one, and the last delimiter is there.
 */
export function readParts(bytes: Buffer, start: number, end: number, type: MediaType): PartsReading {
  const walk: Walk = { bytes, parts: [], count: 0 };
  return readMultipart(walk, start, end, type, 1) ?? walk.parts;
}

function readMultipart(
  walk: Walk,
  start: number,
  end: number,
  type: MediaType,
  depth: number,
): string | undefined {
  if (depth > MAX_DEPTH) return "multipart bodies nested too deeply";
  // The parts of a digest are messages without saying so.
  if (type.name === "multipart/digest") return "a digest";
  const boundary = type.parameters.get("boundary");
  if (boundary === undefined || !isBoundary(boundary)) return "no boundary that can be used";
  if (hasOtherForm(type)) return "a boundary in two forms";
  const { bytes } = walk;
  const delimiter = Buffer.from(`--${boundary}`, "latin1");
  let content = -1;
  let isClosed = false;
  for (let at = indexOf(bytes, delimiter, start, end); at >= 0; at = indexOf(bytes, delimiter, at + 1, end)) {
    // Inside a line the delimiter is text.
    if (at > start && bytes[at - 1] !== LF) continue;
    if (at > start && (at < start + 2 || bytes[at - 2] !== CR)) return "a delimiter after a bare LF";
    if (isClosed) return "a delimiter after the last one";
    const behind = at + delimiter.length;
    isClosed = bytes[behind] === 0x2d && bytes[behind + 1] === 0x2d && behind + 2 <= end;
    const next = lineEnd(bytes, isClosed ? behind + 2 : behind, end, isClosed);
    if (next < 0) return "a line that only begins like a delimiter";
    if (content < 0 && holdsDashes(bytes, start, at)) return "a line like a delimiter before the first one";
    if (content >= 0) {
      const fault = readPart(walk, content, Math.max(at - 2, content), depth);
      if (fault !== undefined) return fault;
    }
    content = next;
  }
  return isClosed ? undefined : "no last delimiter";
}

function indexOf(bytes: Buffer, delimiter: Buffer, from: number, end: number): number {
  const at = bytes.indexOf(delimiter, from);
  return at + delimiter.length <= end ? at : -1;
}

/**
 * Skips white space and the CRLF at `at`; with `mayEnd` the end may stand for the CRLF.
 * @returns where the next line begins, or -1 when something else stands there
 */
function lineEnd(bytes: Buffer, at: number, end: number, mayEnd: boolean): number {
  while (at < end && (bytes[at] === SP || bytes[at] === TAB)) at++;
  if (at >= end) return mayEnd ? end : -1;
  return bytes[at] === CR && bytes[at + 1] === LF && at + 2 <= end ? at + 2 : -1;
}

/** Tells whether the boundary is also there in the form of RFC 2231, which some readers prefer: `boundary*`, `boundary*0`. */
function hasOtherForm({ parameters }: MediaType): boolean {
  for (const name of parameters.keys()) if (name.startsWith("boundary*")) return true;
  return false;
}

/** Tells whether a line in front of the first delimiter begins with `--`. Some readers take the first such line for it. */
function holdsDashes(bytes: Buffer, start: number, end: number): boolean {
  for (let at = bytes.indexOf("--", start); at >= 0 && at < end; at = bytes.indexOf("--", at + 1))
    if (at === start || bytes[at - 1] === LF || bytes[at - 1] === CR) return true;
  return false;
}

/** Tells whether the boundary is printable ASCII, not too long, and without a space at its end. */
function isBoundary(boundary: string): boolean {
  if (boundary === "" || boundary.length > MAX_BOUNDARY || boundary.endsWith(" ")) return false;
  for (let i = 0; i < boundary.length; i++) {
    const code = boundary.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
}

/** The fields of a part that say what it is. */
interface PartFields {
  type: string | undefined;
  encoding: string | undefined;
  coding: string | undefined;
}

function readPart(walk: Walk, start: number, end: number, depth: number): string | undefined {
  if (++walk.count > MAX_PARTS) return `more than ${MAX_PARTS} parts`;
  const fields: PartFields = { type: undefined, encoding: undefined, coding: undefined };
  const content = readFields(walk.bytes, start, end, fields);
  if (typeof content === "string") return content;
  const type = fields.type === undefined ? impliedType : readMediaType(fields.type);
  if (type === undefined) return "a Content-Type that can't be read";
  if (!plainEncodings.has((fields.coding ?? "").toLowerCase())) return "a part with Content-Encoding";
  const encoding = (fields.encoding ?? "").toLowerCase();
  const isMultipart = type.name.startsWith("multipart/");
  // An encoded part could hold parts that no check sees.
  if ((isMultipart || type.name.startsWith("message/")) && !plainEncodings.has(encoding))
    return "parts inside an encoded part";
  if (isMultipart) return readMultipart(walk, content, end, type, depth + 1);
  walk.parts.push({ type, encoding, start: content, end });
  return undefined;
}

/**
 * Reads the header fields of a part.
 * @returns where its content begins, or why the fields cannot be read
 */
function readFields(bytes: Buffer, start: number, end: number, fields: PartFields): number | string {
  let at = start;
  for (let count = 0; count <= MAX_FIELDS; count++) {
    if (at >= end) return end;
    if (bytes[at] === CR && bytes[at + 1] === LF) return at + 2;
    const next = fieldEnd(bytes, at, end);
    if (next < 0) return "a part's header line without CRLF";
    const colon = bytes.indexOf(COLON, at);
    if (colon < 0 || colon >= next) return "a part's header line without colon";
    const name = bytes.toString("latin1", at, colon).trim().toLowerCase();
    const key = fieldNames.get(name);
    if (key !== undefined) {
      if (fields[key] !== undefined) return `${name} appears twice`;
      fields[key] = bytes
        .toString("latin1", colon + 1, next)
        .replaceAll("\r\n", "")
        .trim();
    }
    at = next;
  }
  return `more than ${MAX_FIELDS} fields in a part`;
}

/** SIP has compact forms (RFC 3261 section 7.3.3), and some readers of parts accept them too. */
const fieldNames: ReadonlyMap<string, keyof PartFields> = new Map([
  ["content-type", "type"],
  ["c", "type"],
  ["content-transfer-encoding", "encoding"],
  ["content-encoding", "coding"],
  ["e", "coding"],
]);

/**
 * Returns the end of a field with its folded lines, after the CRLF, or -1 when a line ends
 * otherwise. The last field may end with the part.
 */
function fieldEnd(bytes: Buffer, at: number, end: number): number {
  for (;;) {
    const lf = bytes.indexOf(LF, at);
    if (lf < 0 || lf >= end) return end;
    if (bytes[lf - 1] !== CR) return -1;
    at = lf + 1;
    if (at >= end || (bytes[at] !== SP && bytes[at] !== TAB)) return at;
  }
}
