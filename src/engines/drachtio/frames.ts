// Reads the frames that a drachtio server sends over its control connection.
import { Buffer } from "node:buffer";

/** What a report is about. `stop`: the call ended, after an answer or without one. */
export type ReportedEvent = "attempt" | "start" | "stop";

export interface FrameHandlers {
  /** A frame for the package, without its length; of a SIP message in it only the start line is left. */
  readonly frame: (text: string) => void;
  /**
   * The server reports on a call (CDR). `source`: "network" for what it received; `detail`: role, or why the call
   * ended; `message`: the octets of the message, a view that is valid during the call.
   */
  readonly reported: (event: ReportedEvent, source: string, message: Buffer, detail: string) => void;
}

/** Reads what a drachtio-server sends over its control connection. */
export interface FrameReader {
  /** The octets of the SIP message in the frame that is being handled; empty where it has none. */
  readonly message: Buffer;
  /** Takes the next octets of the stream. Throws an Error where no frame can begin, and whatever a handler throws. */
  read(bytes: Buffer): void;
}

/** Most octets of a frame. sofia-sip takes messages of up to 2 MB from a connection. */
const LONGEST_FRAME = 4 * 1024 * 1024;
const MOST_DIGITS = String(LONGEST_FRAME).length;

const HASH = 0x23;
const BAR = 0x7c;
const CR = 0x0d;
const ZERO = 0x30;
const NONE = Buffer.alloc(0);

/**
 * Makes a reader. The stream repeats `LENGTH#ID|KIND|…CRLF` and a SIP message. drachtio-srf would make a string of
 * every message and parse all its fields, also for reports and answers. That costs more than judging the call. The
 * package itself needs the first line of the frame and the start line of the message.
 */
export function createFrameReader({ frame, reported }: FrameHandlers): FrameReader {
  /** The pieces of a frame that is not complete yet, as received. */
  let parts: Buffer[] = [];
  let have = 0;
  let need = 0;
  let message: Buffer = NONE;

  function takeFrame(bytes: Buffer, start: number, end: number): void {
    const first = bytes.indexOf(CR, start);
    const headEnd = first < 0 || first >= end ? end : first;
    message = bytes.subarray(Math.min(headEnd + 2, end), end);
    const kindStart = bytes.indexOf(BAR, start) + 1;
    if (bytes.toString("latin1", kindStart, kindStart + 4) === "cdr:")
      takeReport(bytes.toString("latin1", kindStart + 4, headEnd).split("|"));
    else frame(bytes.toString("latin1", start, headEnd) + startLineOf(message));
    message = NONE;
  }

  function takeReport([event, source = "", , detail = ""]: readonly string[]): void {
    if (event === "attempt" || event === "start" || event === "stop")
      reported(event, source, message, detail);
  }

  return {
    get message() {
      return message;
    },
    read(chunk) {
      let bytes = chunk;
      if (have > 0) {
        parts.push(chunk);
        have += chunk.length;
        if (have < need) return;
        bytes = Buffer.concat(parts, have);
      }
      let at = 0;
      let size = sizeAt(bytes, at);
      while (size > 0 && at + size <= bytes.length) {
        takeFrame(bytes, bytes.indexOf(HASH, at) + 1, at + size);
        at += size;
        size = sizeAt(bytes, at);
      }
      have = bytes.length - at;
      need = size;
      parts = have === 0 ? [] : [bytes.subarray(at)];
    },
  };
}

/** Octets from `at` that a frame has, its length included; 0: not known yet. */
function sizeAt(bytes: Buffer, at: number): number {
  let length = 0;
  for (let i = at; i < bytes.length; i++) {
    const octet = bytes[i] ?? 0;
    if (octet === HASH && length > 0 && length <= LONGEST_FRAME) return i + 1 - at + length;
    const digit = octet - ZERO;
    if (digit < 0 || digit > 9 || i - at >= MOST_DIGITS) throw new Error("a frame without a length");
    length = length * 10 + digit;
  }
  return 0;
}

/** As much of a message as drachtio-srf reads as a whole one; "" where there is none. */
function startLineOf(message: Buffer): string {
  if (message.length === 0) return "";
  const end = message.indexOf(CR);
  return `\r\n${message.toString("utf8", 0, end < 0 ? message.length : end)}\r\n\r\n`;
}
