// Writes the values of one frame into the ring: numbers, texts of peers, and names as small numbers.
import { Buffer } from "node:buffer";
import { MOST_NAMES, MOST_TEXT, NEW_NAME, NO_NAME, Text } from "./frame-layout.ts";

/** Writes values one after the other. Whoever begins a frame has made sure of the room. */
export interface FramePen {
  /** Goes to the place where the next value is written. */
  readonly moveTo: (place: number) => void;
  /** The place behind the last value. */
  readonly place: () => number;
  readonly u8: (value: number) => void;
  readonly u16: (value: number) => void;
  readonly u32: (value: number) => void;
  readonly f64: (value: number) => void;
  /** Writes a text of a peer: octets kept as latin1. At most {@link MOST_TEXT} octets of it. */
  readonly peer: (text: string | undefined) => void;
  /** Writes a text of ours as UTF-8. */
  readonly own: (text: string | undefined) => void;
  /** Writes a word that returns often: a trunk, a revision, a reason. The first time its text goes with it. */
  readonly name: (text: string | undefined) => void;
  readonly octets: (bytes: Uint8Array, length: number) => void;
  /** Every name so far; the position is its number. A reading thread that begins later is given them. */
  readonly names: () => readonly string[];
}

/** Longest text, in UTF-16 units, that can be cut to 256 code points and has at most 1536 octets of UTF-8. */
const MOST_UNITS = 512;

export function createFramePen(memory: Uint8Array<SharedArrayBuffer>): FramePen {
  const view = new DataView(memory.buffer);
  const numbers = new Map<string, number>();
  const names: string[] = [""];
  let at = 0;

  const u16 = (value: number): void => {
    view.setUint16(at, value, true);
    at += 2;
  };

  function wide(text: string): void {
    const bytes = Buffer.from(text.slice(0, MOST_UNITS));
    memory[at++] = Text.utf8;
    u16(bytes.length);
    memory.set(bytes, at);
    at += bytes.length;
  }

  /** Writes characters below `most` as one octet each; a text with another one is written as UTF-8. */
  function narrow(text: string, most: number): void {
    const length = Math.min(text.length, MOST_TEXT);
    const begin = at;
    memory[at] = Text.octets;
    view.setUint16(at + 1, length, true);
    at += 3;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= most) {
        at = begin;
        wide(text);
        return;
      }
      memory[at++] = code;
    }
  }

  const own = (text: string | undefined): void => {
    if (text === undefined) memory[at++] = Text.absent;
    else narrow(text, 0x80);
  };

  return {
    moveTo: (place) => void (at = place),
    place: () => at,
    u8: (value) => void (memory[at++] = value),
    u16,
    u32(value) {
      view.setUint32(at, value, true);
      at += 4;
    },
    f64(value) {
      view.setFloat64(at, value, true);
      at += 8;
    },
    peer(text) {
      if (text === undefined) memory[at++] = Text.absent;
      else narrow(text, 0x100);
    },
    own,
    name(text) {
      if (text === undefined) {
        u16(0);
        return;
      }
      const known = numbers.get(text);
      if (known !== undefined) {
        u16(known);
        return;
      }
      if (names.length >= MOST_NAMES || text.length > MOST_UNITS) {
        u16(NO_NAME);
        own(text);
        return;
      }
      numbers.set(text, names.length);
      u16(NEW_NAME);
      u16(names.push(text) - 1);
      own(text);
    },
    octets(bytes, length) {
      memory.set(length === bytes.length ? bytes : bytes.subarray(0, length), at);
      at += length;
    },
    names: () => names,
  };
}
