import { COLON, CR, LF, SP, TAB } from "./octet.ts";
import { METHODS } from "./start-line.ts";

/** Limits of a message on a stream, in bytes and fields. */
export const FramingLimit = {
  startLine: 8 * 1024,
  headers: 64 * 1024,
  fields: 256,
  body: 256 * 1024,
} as const;

/** What the bytes of a stream turned out to be. Bytes are valid until the next `push`. */
export type FramingEvent =
  | { readonly kind: "message"; readonly bytes: Buffer }
  /** A double CRLF between messages: the peer wants a CRLF back (RFC 5626 section 4.4.1). */
  | { readonly kind: "ping" }
  /** The stream can't be framed from here on; `bytes` is what there is of the message. */
  | { readonly kind: "fault"; readonly why: string; readonly bytes: Buffer };

/** Cuts a byte stream into SIP messages by Content-Length (RFC 3261 section 18.3). */
export interface SipFramer {
  /** Takes the next bytes, of any number. They may be read until `next` has answered undefined. */
  push(bytes: Buffer): void;
  /** The next event; undefined: more bytes are needed. After a fault always undefined, until {@link SipFramer.resync}. */
  next(): FramingEvent | undefined;
  /** Begins to look for the next start line: behind the fault, or else in what will come, because bytes were lost. */
  resync(): void;
  /** What is kept of a message that is not whole yet. */
  rest(): Buffer;
}

/** RFC 3261 section 25.1 `token`. */
const isToken = new Uint8Array(256);
for (const char of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~") {
  isToken[char.charCodeAt(0)] = 1;
}

/** Longest method that is believed. */
const MAX_METHOD = 64;

function isVersionAt(bytes: Buffer, at: number): boolean {
  return (
    ((bytes[at] ?? 0) | 0x20) === 0x73 &&
    ((bytes[at + 1] ?? 0) | 0x20) === 0x69 &&
    ((bytes[at + 2] ?? 0) | 0x20) === 0x70 &&
    bytes[at + 3] === 0x2f
  );
}

/**
 * True when `bytes[start, end)` may be the beginning of a SIP start line: "SIP/", or a token and a space.
 * Meant to cost nothing for media and other binary packets; `pending`: more bytes may follow.
 */
export function maySipStart(bytes: Buffer, start: number, end: number, pending = false): boolean {
  let at = start;
  const limit = Math.min(end, start + MAX_METHOD);
  while (at < limit && isToken[bytes[at] ?? 0] === 1) at += 1;
  if (at === limit) return pending && at < start + MAX_METHOD;
  if (bytes[at] === SP) return at > start;
  return bytes[at] === 0x2f && at === start + 3 && isVersionAt(bytes, start);
}

/** True when the line `bytes[start, end)`, without its line feed, is a request or status line of some SIP version. */
export function isStartLine(bytes: Buffer, start: number, end: number): boolean {
  if (!maySipStart(bytes, start, end)) return false;
  if (isVersionAt(bytes, start)) return true;
  let last = end;
  while (last > start && (bytes[last - 1] === SP || bytes[last - 1] === CR)) last -= 1;
  const space = bytes.lastIndexOf(SP, last - 1);
  return space > start && isVersionAt(bytes, space + 1);
}

const methods = METHODS.map((method) => Buffer.from(method));

/**
 * Where in the line `bytes[start, end)` a message begins, -1 when none does. Behind lost bytes a line may begin with the end of
 * a body that had no line break of its own, so a request is known by its method alone.
 */
function findStartIn(bytes: Buffer, start: number, end: number): number {
  if (isVersionAt(bytes, start)) return isStartLine(bytes, start, end) ? start : -1;
  const space = bytes.indexOf(SP, start);
  if (space < 0 || space >= end) return -1;
  for (const method of methods) {
    const from = space - method.length;
    if (from >= start && method.compare(bytes, from, space) === 0 && isStartLine(bytes, from, end))
      return from;
  }
  return -1;
}

/** The number in `bytes[start, end)` between white space and line breaks; -1 when it is none. */
function readLength(bytes: Buffer, start: number, end: number): number {
  const isBlank = (at: number): boolean => {
    const byte = bytes[at];
    return byte === SP || byte === TAB || byte === CR || byte === LF;
  };
  while (start < end && isBlank(start)) start += 1;
  while (end > start && isBlank(end - 1)) end -= 1;
  if (start === end || end - start > 10) return -1;
  let value = 0;
  for (let at = start; at < end; at += 1) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Behind the colon of a Content-Length field whose line begins at `start`; -1: another field. */
function lengthValueAt(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && isToken[bytes[at] ?? 0] === 1) at += 1;
  const size = at - start;
  if (size !== 1 && size !== 14) return -1;
  const name = bytes.toString("latin1", start, at).toLowerCase();
  if (name !== "l" && name !== "content-length") return -1;
  while (at < end && (bytes[at] === SP || bytes[at] === TAB)) at += 1;
  return bytes[at] === COLON ? at + 1 : -1;
}

type Phase = "start-line" | "fields" | "body" | "seek" | "stopped";

const NOTHING = Buffer.alloc(0);

/** Makes a framer that begins with a start line, or (`seek`) looks for the first one: somewhere inside a stream. */
export function createSipFramer(begin: "start-line" | "seek" = "start-line"): SipFramer {
  let phase: Phase = begin;
  /** What is not consumed is `buffer[start, end)`; lines are complete up to `line`, searched for a line end up to `scanned`. */
  let buffer: Buffer = NOTHING;
  let start = 0;
  let end = 0;
  let line = 0;
  let scanned = 0;
  /** True when `buffer` is ours to write into; else it is the chunk last pushed. */
  let owned = false;
  let fields = 0;
  let fieldsStart = 0;
  /** Where the value of a Content-Length begins whose lines may go on (RFC 3261 section 7.3.1); -1: none is open. */
  let lengthValue = -1;
  let bodyLength = -1;

  /** Moves what is left to the front of our own storage, with room for `more` bytes. */
  function own(more: number): void {
    const kept = end - start;
    const fits = owned && buffer.length >= end + more;
    if (fits) return;
    const room = kept + more;
    const target = owned && buffer.length >= room * 2 ? buffer : Buffer.alloc(Math.max(1024, room * 2));
    buffer.copy(target, 0, start, end);
    line -= start;
    scanned -= start;
    fieldsStart -= start;
    if (lengthValue >= 0) lengthValue -= start;
    start = 0;
    end = kept;
    buffer = target;
    owned = true;
  }

  function push(bytes: Buffer): void {
    if (phase === "stopped") return;
    if (start < end) {
      own(bytes.length);
      bytes.copy(buffer, end);
      end += bytes.length;
      return;
    }
    // Mostly a chunk holds whole messages, and they are read where they lie.
    buffer = bytes;
    owned = false;
    start = 0;
    end = bytes.length;
    restart();
  }

  function restart(): void {
    line = start;
    scanned = start;
    fields = 0;
    lengthValue = -1;
    bodyLength = -1;
  }

  function stop(why: string): FramingEvent {
    phase = "stopped";
    return { kind: "fault", why, bytes: buffer.subarray(start, end) };
  }

  /** The position of the LF that ends the line at `line`; -1 when it is not there yet. */
  function findLineEnd(): number {
    const lf = scanned < end ? buffer.indexOf(LF, scanned) : -1;
    scanned = lf < 0 || lf >= end ? end : lf + 1;
    return lf < end ? lf : -1;
  }

  function readStartLine(): FramingEvent | undefined {
    // RFC 3261 section 7.5: CRLF before a start line is nothing, but two of them are a ping.
    while (start + 1 < end && buffer[start] === CR && buffer[start + 1] === LF) {
      const another = start + 3 < end && buffer[start + 2] === CR && buffer[start + 3] === LF;
      const undecided = start + 3 >= end && (start + 2 === end || buffer[start + 2] === CR);
      if (undecided) return undefined;
      start += another ? 4 : 2;
      restart();
      if (another) return { kind: "ping" };
    }
    if (start === end || (buffer[start] === CR && start + 1 === end)) return undefined;
    if (!maySipStart(buffer, start, end, true)) return stop("not a SIP start line");
    const lf = findLineEnd();
    if ((lf < 0 ? end : lf) - start > FramingLimit.startLine)
      return stop(`start line of more than ${FramingLimit.startLine} bytes`);
    if (lf < 0) return undefined;
    if (!isStartLine(buffer, start, lf)) return stop("not a SIP start line");
    if (buffer[lf - 1] !== CR) return stop("line ends with LF only");
    line = lf + 1;
    fieldsStart = line;
    phase = "fields";
    return readFields();
  }

  /** Takes the length out of the field that just ended; a fault in words when it is none. */
  function closeLength(to: number): string | undefined {
    if (lengthValue < 0) return undefined;
    const value = readLength(buffer, lengthValue, to);
    lengthValue = -1;
    if (value < 0) return "Content-Length is not a number";
    if (bodyLength >= 0 && bodyLength !== value) return "Content-Length fields that differ";
    bodyLength = value;
    return undefined;
  }

  function readFields(): FramingEvent | undefined {
    for (;;) {
      const lf = findLineEnd();
      if ((lf < 0 ? end : lf) - fieldsStart > FramingLimit.headers)
        return stop(`header fields of more than ${FramingLimit.headers} bytes`);
      if (lf < 0) return undefined;
      if (buffer[lf - 1] !== CR || lf - 1 < line) return stop("line ends with LF only");
      const first = buffer[line];
      const continues = (first === SP || first === TAB) && line > fieldsStart;
      const fault = continues ? undefined : closeLength(line);
      if (fault !== undefined) return stop(fault);
      if (lf - 1 === line) return openBody(lf + 1);
      if (!continues) {
        fields += 1;
        if (fields > FramingLimit.fields) return stop(`more than ${FramingLimit.fields} header fields`);
        lengthValue = lengthValueAt(buffer, line, lf);
      }
      line = lf + 1;
    }
  }

  function openBody(at: number): FramingEvent | undefined {
    // RFC 3261 section 20.14: on a stream the field is mandatory; a guess would let a peer hide a message in a body.
    if (bodyLength < 0) return stop("no Content-Length");
    if (bodyLength > FramingLimit.body) return stop(`body of more than ${FramingLimit.body} bytes`);
    line = at;
    phase = "body";
    return readBody();
  }

  function readBody(): FramingEvent | undefined {
    const messageEnd = line + bodyLength;
    if (end < messageEnd) return undefined;
    const bytes = buffer.subarray(start, messageEnd);
    start = messageEnd;
    phase = "start-line";
    restart();
    return { kind: "message", bytes };
  }

  /** Finds the next line that can begin a message, and drops what stands before it. */
  function seek(): FramingEvent | undefined {
    for (;;) {
      const lf = findLineEnd();
      if (lf < 0) break;
      const found = findStartIn(buffer, line, lf);
      if (found >= 0) {
        start = found;
        line = found;
        scanned = found;
        phase = "start-line";
        return readStartLine();
      }
      line = lf + 1;
    }
    // A line too long for a start line is dropped; what follows of it will not look like one.
    start = end - line > FramingLimit.startLine ? end : line;
    line = start;
    return undefined;
  }

  function next(): FramingEvent | undefined {
    if (phase === "stopped") return undefined;
    let event: FramingEvent | undefined;
    if (start < end) {
      if (phase === "seek") event = seek();
      else if (phase === "start-line") event = readStartLine();
      else if (phase === "fields") event = readFields();
      else event = readBody();
    }
    if (event !== undefined) return event;
    // The chunk is its owner's again once we ask for more.
    if (start < end && !owned) own(0);
    // A connection that says nothing holds no memory, however long its last message was.
    if (start === end) buffer = NOTHING;
    return undefined;
  }

  function resync(): void {
    if (phase !== "stopped") {
      start = end;
    } else if (line > start) {
      start = line;
    } else {
      const lf = buffer.indexOf(LF, start);
      start = lf < 0 || lf >= end ? end : lf + 1;
    }
    phase = "seek";
    restart();
  }

  return { push, next, resync, rest: () => buffer.subarray(start, end) };
}
