// Cuts a byte stream into SIP messages, between the connection and scan.
import { COLON, CR, LF, SP, TAB } from "./octet.ts";
import { METHODS } from "./start-line.ts";

/** The limits of a message on a stream, in bytes and fields. */
export const FramingLimit = {
  startLine: 8 * 1024,
  headers: 64 * 1024,
  fields: 256,
  body: 256 * 1024,
} as const;

/** What the bytes of a stream turned out to be. The bytes are valid until the next `push`. */
export type FramingEvent =
  | { readonly kind: "message"; readonly bytes: Buffer }
  /** A double CRLF between messages: the peer expects a CRLF back (RFC 5626 section 4.4.1). */
  | { readonly kind: "ping" }
  /** The stream cannot be framed from here on. `bytes` is what has come of the message. */
  | { readonly kind: "fault"; readonly why: string; readonly bytes: Buffer };

/** Cuts a byte stream into SIP messages by Content-Length (RFC 3261 section 18.3). */
export interface SipFramer {
  /** Takes the next bytes, of any number. The framer reads them until `next` returns undefined. */
  push(bytes: Buffer): void;
  /**
   * Returns the next event.
   * @returns undefined when more bytes are needed, and after a fault until {@link SipFramer.resync}
   */
  next(): FramingEvent | undefined;
  /**
   * Begins to search for the next start line, after a fault or after lost bytes. After a fault it
   * begins at the faulty line, or after it when that was the start line. Otherwise it begins with
   * bytes still to come.
   */
  resync(): void;
  /** @returns the bytes kept of a message that is not complete */
  rest(): Buffer;
}

/** The characters of `token` (RFC 3261 section 25.1). */
const isToken = new Uint8Array(256);
for (const char of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~") {
  isToken[char.charCodeAt(0)] = 1;
}

/** At most this many characters in a method. */
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
 * Tells whether `bytes[start, end)` may be the beginning of a SIP start line: "SIP/", or a token
 * and a space. It costs nearly nothing for media and other binary packets.
 * @param bytes the buffer
 * @param start where the line begins
 * @param end where the bytes end
 * @param pending whether more bytes may follow
 */
export function maySipStart(bytes: Buffer, start: number, end: number, pending = false): boolean {
  let at = start;
  const limit = Math.min(end, start + MAX_METHOD);
  while (at < limit && isToken[bytes[at] ?? 0] === 1) at += 1;
  if (at === limit) return pending && at < start + MAX_METHOD;
  if (bytes[at] === SP) return at > start;
  return bytes[at] === 0x2f && at === start + 3 && isVersionAt(bytes, start);
}

/**
 * @returns true when the line `bytes[start, end)`, without its line feed, is a request line or
 *   status line of any SIP version
 */
export function isStartLine(bytes: Buffer, start: number, end: number): boolean {
  if (!maySipStart(bytes, start, end)) return false;
  if (isVersionAt(bytes, start)) return true;
  let last = end;
  while (last > start && (bytes[last - 1] === SP || bytes[last - 1] === CR)) last -= 1;
  let space = last - 1;
  while (space > start && bytes[space] !== SP) space -= 1;
  return space > start && isVersionAt(bytes, space + 1);
}

const methods = METHODS.map((method) => Buffer.from(method));

/**
 * Returns where a message begins in the line `bytes[start, end)`, or -1. After lost bytes a line
 * may begin with the end of a body without a line break. So a request is recognised by its method
 * alone.
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

/**
 * Returns the number in `bytes[start, end)` between white space and line breaks, or -1 when there
 * is none.
 */
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

/**
 * Returns the position after the colon of a Content-Length field whose line begins at `start`, or
 * -1 for another field.
 */
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

/**
 * Creates a framer. It begins with a start line, or, with `seek`, searches for the first one
 * because it begins inside a stream.
 */
export function createSipFramer(begin: "start-line" | "seek" = "start-line"): SipFramer {
  let phase: Phase = begin;
  /**
   * The unread bytes are `buffer[start, end)`. Lines are complete up to `line`. A line end was
   * searched up to `scanned`.
   */
  let buffer: Buffer = NOTHING;
  let start = 0;
  let end = 0;
  let line = 0;
  let scanned = 0;
  /**
   * Whether `buffer` is our own, so that it may be written. Otherwise it is the chunk pushed last.
   */
  let owned = false;
  let fields = 0;
  let fieldsStart = 0;
  /**
   * Where the value of an unfinished Content-Length begins, whose lines may go on; -1 when none is
   * open (RFC 3261 section 7.3.1).
   */
  let lengthValue = -1;
  let bodyLength = -1;

  /** Moves the unread bytes to the front of our own storage, with room for `more` bytes. */
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
    // Mostly a chunk holds whole messages, which are read in place.
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

  /** Returns the position of the LF that ends the line at `line`, or -1 when it has not come. */
  function findLineEnd(): number {
    const lf = scanned < end ? buffer.indexOf(LF, scanned) : -1;
    scanned = lf < 0 || lf >= end ? end : lf + 1;
    return lf < end ? lf : -1;
  }

  function readStartLine(): FramingEvent | undefined {
    // CRLF before a start line is ignored (RFC 3261 section 7.5), but two of them are a ping.
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

  /**
   * Reads the length of the field that just ended.
   * @returns a fault in words when it is no length
   */
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
    // On a stream the field is mandatory (RFC 3261 section 20.14). A guess would let a peer hide a
    // message in a body.
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

  /** Finds the next line that can begin a message, and drops everything before it. */
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
    // A line too long for a start line is dropped. The rest of it will not look like one.
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
    // The chunk belongs to its owner again once more bytes are asked for.
    if (start < end && !owned) own(0);
    // An idle connection holds no memory, however long its last message was.
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
