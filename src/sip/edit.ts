import type { Buffer } from "node:buffer";
import { nextHeader, type SipMessage } from "./scan.ts";
import { Header, type HeaderId } from "./header.ts";

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

/** Replaces the bytes `from`…`to` by `insert` (latin1). Edits must not overlap; they may come in any order. */
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

/** Writes the edited message into `out`; returns its length, or -1 when it does not fit. */
export function render(message: SipMessage, edits: Edits, out: Buffer): number {
  if (edits.overflow) return -1;
  const { bytes } = message;
  let size = message.end - message.start;
  for (let i = 0; i < edits.count; i++) size += edits.insert[i]!.length - (edits.to[i]! - edits.from[i]!);
  if (size > MAX_DATAGRAM || size > out.length) return -1;
  let at = message.start;
  let written = 0;
  for (let i = 0; i < edits.count; i++) {
    const from = edits.from[i]!;
    if (from > at) written += bytes.copy(out, written, at, from);
    const text = edits.insert[i]!;
    if (text !== "") written += out.write(text, written, "latin1");
    at = edits.to[i]!;
  }
  return written + bytes.copy(out, written, at, message.end);
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

/** Where the first field of `id` begins, or `otherwise`. */
export function firstLine(message: SipMessage, id: HeaderId, otherwise: number): number {
  const index = message.first[id]!;
  return index < 0 ? otherwise : message.lineStart[index]!;
}

/** Max-Forwards minus one, or 70 where the field is absent (RFC 3261 section 16.6 step 3). */
export function decrementMaxForwards(message: SipMessage, edits: Edits): void {
  const index = message.first[Header.maxForwards]!;
  if (index < 0) splice(edits, message.headersStart, message.headersStart, "Max-Forwards: 70\r\n");
  else splice(edits, message.valueStart[index]!, message.valueEnd[index]!, String(message.maxForwards - 1));
}

/** Visits every field named `id`, in order. */
export function eachHeader(message: SipMessage, id: HeaderId, visit: (index: number) => void): void {
  for (let i = message.first[id]!; i >= 0; i = nextHeader(message, id, i)) visit(i);
}
