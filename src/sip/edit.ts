// Edits a received message and writes it for the next hop; what is not edited stays byte for byte.
import type { Buffer } from "node:buffer";
import { Header } from "./header.ts";
import type { SipMessage } from "./message.ts";

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
  readonly insert: string[];
  /** Whether more edits came than fit. The message cannot be forwarded then. */
  overflow: boolean;
}

/** Makes an empty list. */
export function createEdits(): Edits {
  return {
    count: 0,
    from: new Int32Array(MAX_EDITS),
    to: new Int32Array(MAX_EDITS),
    insert: [],
    overflow: false,
  };
}

export function clearEdits(edits: Edits): void {
  edits.count = 0;
  edits.overflow = false;
}

/**
 * Replaces the bytes `from`…`to` of the header fields by `insert` (latin1). Edits may come in any
 * order, but must not overlap.
 */
export function splice(edits: Edits, from: number, to: number, insert: string): void {
  if (edits.count === MAX_EDITS) {
    edits.overflow = true;
    return;
  }
  let i = edits.count++;
  // Kept in order of position. Two at the same place stay in the order in which they came.
  while (i > 0 && edits.from[i - 1]! > from) {
    edits.from[i] = edits.from[i - 1]!;
    edits.to[i] = edits.to[i - 1]!;
    edits.insert[i] = edits.insert[i - 1]!;
    i--;
  }
  edits.from[i] = from;
  edits.to[i] = to;
  edits.insert[i] = insert;
}

/**
 * Writes the edited message into `out`. The part up to the last edit is joined as text and written
 * once, which costs less than a copy for every piece. The rest is copied.
 * @param message the message as received
 * @param edits the changes to it
 * @param out the buffer to write to
 * @param most how many octets the transport takes
 * @returns the length, or -1 when the message does not fit
 */
export function render(message: SipMessage, edits: Edits, out: Buffer, most = MAX_DATAGRAM): number {
  if (edits.overflow) return -1;
  const { text, end } = message;
  let head = "";
  let at = message.start;
  for (let i = 0; i < edits.count; i++) {
    head += text.slice(at, edits.from[i]) + edits.insert[i]!;
    // An insertion may stand where a removed field begins.
    if (edits.to[i]! > at) at = edits.to[i]!;
  }
  const size = head.length + end - at;
  if (size > most || size > out.length) return -1;
  out.write(head, 0, "latin1");
  message.bytes.copy(out, head.length, at, end);
  return size;
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
