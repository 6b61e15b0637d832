// Reads the values of one frame of the ring, as the pen wrote them.
import type { Buffer } from "node:buffer";
import { MOST_TEXT, NEW_NAME, NO_NAME, Text } from "./frame-layout.ts";
import { isPlain } from "./json-text.ts";
import { cutText, MOST_CODE_POINTS, readLatin1, readPeerText } from "./peer-text.ts";

/** Reads values one after the other. */
export interface FrameCursor {
  /** Begins with a frame. Its octets must stay until it has been read. */
  readonly open: (frame: Buffer) => void;
  readonly u8: () => number;
  readonly u16: () => number;
  readonly u32: () => number;
  readonly f64: () => number;
  /** Reads a text. `field`: the name under which its octets are kept when they are no UTF-8. */
  readonly text: (field: string) => string | undefined;
  /** Reads a text as {@link FrameCursor.text}, and writes it as a string of JSON. */
  readonly json: (field: string) => string | undefined;
  readonly name: () => string | undefined;
  /** A view of the frame. */
  readonly octets: (length: number) => Buffer;
  /** Cleans a text that was kept as latin1, and keeps its octets under `field` like {@link FrameCursor.text}. */
  readonly clean: (text: string, field: string) => string;
  /** Octets that were no UTF-8, as hex, by field; undefined: there are none. */
  readonly rawHex: () => Readonly<Record<string, string>> | undefined;
}

/** Octets at the beginning of a frame that are read as text at once: what stands before the message of most frames. */
const HEAD = 640;

/** @param names names with numbers that earlier frames have brought */
export function createFrameCursor(names: readonly string[]): FrameCursor {
  const known = [...names];
  let frame: Buffer;
  /** The beginning of the frame as latin1: a slice of it costs much less than a text of octets. */
  let latin1 = "";
  let at = 0;
  let raw: Record<string, string> | undefined;

  const u8 = (): number => frame[at++] ?? 0;
  const u16 = (): number => {
    at += 2;
    return frame.readUInt16LE(at - 2);
  };
  const keep = (field: string, hex: string | undefined): void => {
    if (hex === undefined) return;
    raw ??= {};
    raw[field] = hex;
  };

  const slice = (start: number, end: number): string =>
    end <= latin1.length ? latin1.slice(start, end) : frame.toString("latin1", start, end);

  function text(field: string): string | undefined {
    const kind = u8();
    if (kind === Text.absent) return undefined;
    const length = u16();
    at += length;
    if (length <= MOST_CODE_POINTS && isAsciiBetween(frame, at - length, at)) return slice(at - length, at);
    if (kind === Text.utf8) return cutText(frame.toString("utf8", at - length, at));
    const read = readPeerText(frame.subarray(at - length, at), length === MOST_TEXT);
    keep(field, read.hex);
    return read.text;
  }

  return {
    open(next) {
      frame = next;
      latin1 = next.toString("latin1", 0, HEAD);
      at = 0;
      raw = undefined;
    },
    u8,
    u16,
    u32() {
      at += 4;
      return frame.readUInt32LE(at - 4);
    },
    f64() {
      at += 8;
      return frame.readDoubleLE(at - 8);
    },
    text,
    json(field) {
      const begin = at;
      const kind = u8();
      if (kind === Text.absent) return undefined;
      const length = u16();
      const start = at;
      if (length <= MOST_CODE_POINTS && isPlainBetween(frame, start, start + length)) {
        at += length;
        return `"${slice(start, at)}"`;
      }
      at = begin;
      return JSON.stringify(text(field));
    },
    name() {
      const number = u16();
      if (number === 0) return undefined;
      if (number === NO_NAME) return text("");
      if (number !== NEW_NAME) return known[number];
      const place = u16();
      const fresh = text("") ?? "";
      known[place] = fresh;
      return fresh;
    },
    octets(length) {
      at += length;
      return frame.subarray(at - length, at);
    },
    clean(given, field) {
      const read = readLatin1(given);
      keep(field, read.hex);
      return read.text;
    },
    rawHex: () => raw,
  };
}

function isAsciiBetween(octets: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (octets[i]! >= 0x80) return false;
  return true;
}

/** True for octets that stand in a string of JSON as they are. */
function isPlainBetween(octets: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (isPlain[octets[i]!] !== 1) return false;
  return true;
}
