import { Buffer } from "node:buffer";
import type { Random } from "./random.ts";

/** Bytes that mean something to somebody. */
const pieces = [
  "\r\n",
  "\n",
  "\r",
  "\0",
  '"',
  "<",
  ">",
  ";",
  ",",
  "@",
  ":",
  "%",
  "\\",
  "\xff",
  " ",
  "\t",
  "=",
  "[",
  "]",
];

/** A datagram of UDP holds no more. */
const MOST = 65_507;

/** Damages bytes without regard for what they say: bits, chunks, the end. */
export function damage(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length + 1);
  const length = random.below(20);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (random.below(6)) {
    case 0: {
      const flipped = Buffer.from(bytes);
      if (at < flipped.length) flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8));
      return flipped;
    }
    case 1:
      return Buffer.concat([before, after.subarray(length)]);
    case 2:
      return Buffer.concat([before, Buffer.from(random.pick(pieces), "latin1"), after]);
    case 3: {
      const from = random.below(bytes.length + 1);
      return Buffer.concat([before, bytes.subarray(from, from + length * 10), after]).subarray(0, MOST);
    }
    case 4:
      return before;
    default:
      return Buffer.concat([before, Buffer.from([random.below(256)]), after.subarray(1)]);
  }
}
