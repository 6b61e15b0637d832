import type { Buffer } from "node:buffer";
import { Header } from "./header.ts";
import type { SipMessage } from "./message.ts";

/** The largest UDP payload over IPv4 (RFC 768, RFC 791); over IPv6 it is 20 octets less of header, not of payload. */
export const MAX_DATAGRAM = 65_507;

const MAX_EDITS = 64;

/**
 * A list of splices over one received message: everything not named here is sent as it came, byte for byte.
 * Reused from message to message.
 */
export interface Edits {
  count: number;
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly insert: string[];
  /** More edits than fit: the message can't be forwarded. */
  overflow: boolean;
}

/** An empty list. */
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

/** Replaces the bytes `from`…`to` of the header fields by `insert` (latin1). Edits must not overlap; they may come in any order. */
export function splice(edits: Edits, from: number, to: number, insert: string): void {
  if (edits.count === MAX_EDITS) {
    edits.overflow = true;
    return;
  }
  let i = edits.count++;
  // Kept in order of position; two at the same place stay in the order they came.
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
 * Writes the edited message into `out`; returns its length, or -1 when it does not fit. Everything up to the last edit is joined
 * as text and written once, which costs less than a copy for every piece; what stands behind it is copied as it is. `most`: octets
 * that the transport takes.
 */
export function render(message: SipMessage, edits: Edits, out: Buffer, most = MAX_DATAGRAM): number {
  if (edits.overflow) return -1;
  const { text, end } = message;
  let head = "";
  let at = message.start;
  for (let i = 0; i < edits.count; i++) {
    head += text.slice(at, edits.from[i]) + edits.insert[i]!;
    // An insertion may stand where a field that goes begins.
    if (edits.to[i]! > at) at = edits.to[i]!;
  }
  const size = head.length + end - at;
  if (size > most || size > out.length) return -1;
  out.write(head, 0, "latin1");
  message.bytes.copy(out, head.length, at, end);
  return size;
}

/**
 * Removes the first value of field `id`, which ends at `valueEnd` (position in the message): the whole line where
 * it stands alone, else up to the next value. SIPp and others fold several values into one line.
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

/** Max-Forwards minus one, or 70 where the field is absent (RFC 3261 section 16.6 step 3). */
export function decrementMaxForwards(message: SipMessage, edits: Edits): void {
  const index = message.first[Header.maxForwards]!;
  if (index < 0) splice(edits, message.headersStart, message.headersStart, "Max-Forwards: 70\r\n");
  else splice(edits, message.valueStart[index]!, message.valueEnd[index]!, String(message.maxForwards - 1));
}

/** Says where the message ends, which nothing else does on a stream (RFC 3261 section 18.3); a datagram may leave it out (20.14). */
export function ensureContentLength(message: SipMessage, edits: Edits): void {
  if (message.count[Header.contentLength] !== 0) return;
  const { headersEnd, end, bodyStart } = message;
  splice(edits, headersEnd, headersEnd, `Content-Length: ${end - bodyStart}\r\n`);
}
