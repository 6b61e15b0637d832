// Edits a received message and writes it for the next hop; what is not edited stays byte for byte.
import type { Buffer } from "node:buffer";
import { Header } from "./header.ts";
import type { SipMessage } from "./message.ts";
import { copyOctets, createPen, putText, type OctetPen } from "./octet-pen.ts";

/** The largest UDP payload over IPv4 (RFC 768, RFC 791). IPv6 would take 20 octets more. */
export const MAX_DATAGRAM = 65_507;

const MAX_EDITS = 64;

/**
 * A list of splices of one received message. Everything else is sent byte for byte as received. The
 * object is reused from message to message.
 */
export interface Edits {
  count: number;
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** What is inserted: where it begins and ends in `pen`. */
  readonly insertFrom: Int32Array;
  readonly insertTo: Int32Array;
  /** The octets of all that is inserted. */
  readonly pen: OctetPen;
  /** Whether more edits came than fit. The message cannot be forwarded then. */
  overflow: boolean;
}

/** Makes an empty list. */
export function createEdits(): Edits {
  return {
    count: 0,
    from: new Int32Array(MAX_EDITS),
    to: new Int32Array(MAX_EDITS),
    insertFrom: new Int32Array(MAX_EDITS),
    insertTo: new Int32Array(MAX_EDITS),
    pen: createPen(),
    overflow: false,
  };
}

export function clearEdits(edits: Edits): void {
  edits.count = 0;
  edits.overflow = false;
  edits.pen.at = 0;
}

/**
 * Replaces the bytes `from`…`to` of the header fields by `insert` (latin1). Edits may come in any
 * order, but must not overlap.
 */
export function splice(edits: Edits, from: number, to: number, insert: string): void {
  const begun = edits.pen.at;
  putText(edits.pen, insert);
  spliceWritten(edits, from, to, begun);
}

/**
 * Replaces the bytes as {@link splice} does, by what the pen of the edits has written since `begun`: whoever puts
 * a line together of pieces needs no text of it.
 */
export function spliceWritten(edits: Edits, from: number, to: number, begun: number): void {
  if (edits.count === MAX_EDITS) {
    edits.overflow = true;
    return;
  }
  let i = edits.count++;
  // Kept in order of position. Two at the same place stay in the order in which they came.
  while (i > 0 && edits.from[i - 1]! > from) {
    edits.from[i] = edits.from[i - 1]!;
    edits.to[i] = edits.to[i - 1]!;
    edits.insertFrom[i] = edits.insertFrom[i - 1]!;
    edits.insertTo[i] = edits.insertTo[i - 1]!;
    i--;
  }
  edits.from[i] = from;
  edits.to[i] = to;
  edits.insertFrom[i] = begun;
  edits.insertTo[i] = edits.pen.at;
}

/**
 * Writes the edited message into `out`.
 * @param message the message as received
 * @param edits the changes to it
 * @param out the buffer to write to
 * @param most how many octets the transport takes
 * @returns the length, or -1 when the message does not fit
 */
export function render(message: SipMessage, edits: Edits, out: Buffer, most = MAX_DATAGRAM): number {
  if (edits.overflow) return -1;
  const { bytes, start, end } = message;
  const size = sizeOf(edits, start, end);
  if (size > most || size > out.length) return -1;
  const { count, from, to, insertFrom, insertTo, pen } = edits;
  let at = start;
  let written = 0;
  for (let i = 0; i < count; i++) {
    const next = from[i]!;
    if (next > at) {
      copyOctets(bytes, at, next, out, written);
      written += next - at;
    }
    copyOctets(pen.bytes, insertFrom[i]!, insertTo[i]!, out, written);
    written += insertTo[i]! - insertFrom[i]!;
    // An insertion may stand where a removed field begins.
    if (to[i]! > at) at = to[i]!;
  }
  copyOctets(bytes, at, end, out, written);
  return size;
}

/** The octets of the edited message. */
function sizeOf({ count, from, to, insertFrom, insertTo }: Edits, start: number, end: number): number {
  let at = start;
  let size = 0;
  for (let i = 0; i < count; i++) {
    if (from[i]! > at) size += from[i]! - at;
    size += insertTo[i]! - insertFrom[i]!;
    if (to[i]! > at) at = to[i]!;
  }
  return size + end - at;
}

/**
 * Removes the first value of the field at `index`. `valueEnd` is where the value ends in the
 * message. A field with one value is removed as a whole line. SIPp and others put several values
 * into one line.
 */
export function removeFirstValue(message: SipMessage, edits: Edits, index: number, valueEnd: number): void {
  if (valueEnd >= message.valueEnd[index]!) {
    splice(edits, message.lineStart[index]!, message.lineEnd[index]!, "");
    return;
  }
  let next = valueEnd + 1;
  while (next < message.valueEnd[index]! && message.bytes[next]! <= 0x20) next++;
  splice(edits, message.valueStart[index]!, next, "");
}

/** Writes Max-Forwards minus one, or 70 when the field is absent (RFC 3261 section 16.6 step 3). */
export function decrementMaxForwards(message: SipMessage, edits: Edits): void {
  const index = message.first[Header.maxForwards]!;
  if (index < 0) splice(edits, message.headersStart, message.headersStart, "Max-Forwards: 70\r\n");
  else splice(edits, message.valueStart[index]!, message.valueEnd[index]!, String(message.maxForwards - 1));
}

/**
 * Adds a Content-Length when it is absent. A stream needs it to find the end of the message (RFC
 * 3261 section 18.3); a datagram may omit it (section 20.14).
 */
export function ensureContentLength(message: SipMessage, edits: Edits): void {
  if (message.count[Header.contentLength] !== 0) return;
  const { headersEnd, end, bodyStart } = message;
  splice(edits, headersEnd, headersEnd, `Content-Length: ${end - bodyStart}\r\n`);
}
