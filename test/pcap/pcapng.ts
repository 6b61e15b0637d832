import t from "tap";
import { formatTime, toMillis } from "../../src/pcap/timestamp.ts";
import { createCaptureReader } from "../../src/pcap/reader.ts";
import { readCapture } from "./reading.ts";

/** A pcapng block of 32-bit words in one byte order. */
function block(little: boolean, type: number, ...words: readonly (number | Buffer)[]): Buffer {
  const put = (value: number): Buffer => {
    const word = Buffer.alloc(4);
    if (little) word.writeUInt32LE(value >>> 0);
    else word.writeUInt32BE(value >>> 0);
    return word;
  };
  const body = Buffer.concat(words.map((word) => (typeof word === "number" ? put(word) : word)));
  const size = put(body.length + 12);
  return Buffer.concat([put(type), size, body, size]);
}

const section = (little: boolean): Buffer =>
  block(little, 0x0a0d0d0a, 0x1a2b3c4d, little ? 0x0000_0001 : 0x0001_0000, 0xffff_ffff, 0xffff_ffff);

/** An interface description; option codes 9 if_tsresol and 14 if_tsoffset as little-endian hex. */
const networkInterface = (linkType: number, options = "", snapLength = 0): Buffer =>
  block(true, 1, linkType, snapLength, Buffer.from(options, "hex"));

const packet = (id: number, high: number, low: number, bytes = "abcd"): Buffer =>
  block(
    true,
    6,
    id,
    high,
    low,
    bytes.length,
    bytes.length,
    Buffer.from(bytes.padEnd(Math.ceil(bytes.length / 4) * 4, "\0")),
  );

const SECONDS = 1_791_015_302;

/** A tick count in two halves. */
function ticks(count: bigint): readonly [high: number, low: number] {
  return [Number(count >> 32n), Number(count & 0xffff_ffffn)];
}

void t.test("every interface counts time in its own way", async (t) => {
  const seconds = BigInt(SECONDS);
  const rows: readonly (readonly [
    name: string,
    options: string,
    count: bigint,
    nanos: number,
    shift?: number,
  ])[] = [
    ["microseconds where nothing is said", "", seconds * 1_000_000n + 123_456n, 123_456_000],
    ["seconds", "0900010000000000", seconds, 0],
    ["milliseconds", "0900010003000000", seconds * 1000n + 123n, 123_000_000],
    ["nanoseconds", "0900010009000000", seconds * 1_000_000_000n + 123_456_789n, 123_456_789],
    [
      "picoseconds, from an offset",
      "090001000c0000000e00080058b8c06a00000000",
      302_123_456_789_012n,
      123_456_789,
    ],
    ["1/1024 of a second", "090001008a000000", seconds * 1024n + 512n, 500_000_000],
    ["2^-32 of a second", "09000100a0000000", (seconds << 32n) + (1n << 30n), 250_000_000],
    ["an offset of an hour", "0e000800100e000000000000", seconds * 1_000_000n, 0, 3600],
    ["an offset before 1970", "0e000800f0f1ffffffffffff", seconds * 1_000_000n, 0, -3600],
    [
      "a comment before the resolution",
      "0100030068690000090001000300000000000000",
      seconds * 1000n + 5n,
      5_000_000,
    ],
    ["a resolution behind the end of options", "000000000900010003000000", seconds * 1_000_000n, 0],
  ];
  for (const [name, options, count, nanos, shift = 0] of rows) {
    const file = Buffer.concat([section(true), networkInterface(1, options), packet(0, ...ticks(count))]);
    const { frames, fault } = readCapture(file);
    t.equal(fault, undefined, name);
    t.match(frames, [{ seconds: SECONDS + shift, nanos }], name);
  }
});

void t.test("a time stamp beyond the calendar is brought back into it", async (t) => {
  const file = Buffer.concat([
    section(true),
    networkInterface(1, "0900010000000000"),
    packet(0, 0xffff_ffff, 0xffff_ffff),
  ]);
  const [frame] = readCapture(file).frames;
  t.equal(frame && formatTime(frame), "9999-12-31T23:59:59.000000Z");
});

void t.test("several interfaces and sections, of both byte orders", async (t) => {
  const bigEndian = Buffer.concat([
    section(false),
    block(false, 1, 0x0065_0000, 0),
    block(false, 6, 0, ...ticks(BigInt(SECONDS) * 1_000_000n), 2, 2, Buffer.from("xy\0\0")),
  ]);
  const file = Buffer.concat([
    section(true),
    networkInterface(1),
    networkInterface(113),
    packet(1, ...ticks(BigInt(SECONDS) * 1_000_000n), "one"),
    packet(0, ...ticks(BigInt(SECONDS) * 1_000_000n), "two"),
    bigEndian,
  ]);
  for (const size of [file.length, 1, 5]) {
    const { frames, fault } = readCapture(file, () => size);
    t.equal(fault, undefined);
    t.match(frames, [
      { frame: 1, linkType: 113, bytes: Buffer.from("one").toString("hex") },
      { frame: 2, linkType: 1, bytes: Buffer.from("two").toString("hex") },
      { frame: 3, linkType: 101, seconds: SECONDS, bytes: Buffer.from("xy").toString("hex") },
    ]);
  }
});

void t.test("simple and old packet blocks are packets, other blocks are none", async (t) => {
  const nameResolution = block(true, 4, 0);
  const secrets = block(true, 10, 0x544c_534b, 4, Buffer.alloc(100_000, 0x61));
  const file = Buffer.concat([
    section(true),
    networkInterface(1, "", 6),
    nameResolution,
    packet(0, ...ticks(BigInt(SECONDS) * 1_000_000n + 7n)),
    secrets,
    block(true, 3, 9, Buffer.from("cut at\0\0")),
    block(true, 2, 0, ...ticks(BigInt(SECONDS) * 1_000_000n), 3, 3, Buffer.from("old\0")),
  ]);
  const { frames, fault } = readCapture(file, () => 1000);
  t.equal(fault, undefined);
  t.match(frames, [
    { frame: 1, seconds: SECONDS, nanos: 7000 },
    {
      frame: 2,
      seconds: SECONDS,
      nanos: 7000,
      originalLength: 9,
      bytes: Buffer.from("cut at").toString("hex"),
    },
    { frame: 3, bytes: Buffer.from("old").toString("hex") },
  ]);
});

void t.test("custom blocks and journals count as frames, as in Wireshark", (t) => {
  const at = ticks(BigInt(SECONDS) * 1_000_000n);
  const custom = (type: number): Buffer => block(true, type, 32_473, Buffer.from("abcd"));
  const journal = block(true, 9, Buffer.from("__REALTIME_TIMESTAMP=1760000000000000\nMESSAGE=hello\n"));
  const rows: readonly (readonly [name: string, blocks: readonly Buffer[], frame: number])[] = [
    ["none", [], 1],
    ["a custom block", [custom(0xbad)], 2],
    ["one that is not to be copied", [custom(0x4000_0bad)], 2],
    ["a journal", [journal], 2],
    ["an event of Sysdig", [block(true, 0x204, Buffer.alloc(32))], 2],
    [
      "one of its second version",
      [block(true, 0x216, Buffer.alloc(40)), block(true, 0x221, Buffer.alloc(44))],
      3,
    ],
    ["all", [custom(0xbad), journal, custom(0x4000_0bad), journal], 5],
    [
      "near miss: names, statistics, secrets, others",
      [4, 5, 10, 0x201, 0x12345].map((type) => block(true, type, 0, 0)),
      1,
    ],
    ["a custom block of more than is held", [block(true, 0xbad, 32_473, Buffer.alloc(2 << 20))], 2],
  ];
  for (const [name, blocks, frame] of rows)
    for (const size of [1 << 22, 13]) {
      const file = Buffer.concat([
        section(true),
        networkInterface(1),
        ...blocks,
        packet(0, ...at),
        ...blocks,
      ]);
      const reader = createCaptureReader((given) => t.equal(given.frame, frame, name));
      for (let from = 0; from < file.length; from += size) reader.push(file.subarray(from, from + size));
      t.equal(reader.end(), undefined, name);
      t.equal(reader.frames(), 2 * frame - 1, `${name}: behind the last packet too`);
    }
  t.match(readCapture(Buffer.concat([section(true), block(true, 0xbad)])).fault, {
    why: "a custom block of only 12 bytes",
  });
  t.end();
});

/** The same bytes with another word at `at`. */
function change(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt32LE(value, at);
  return copy;
}

void t.test("damage is said with the offset of the block", async (t) => {
  const start = Buffer.concat([section(true), networkInterface(1)]);
  const good = packet(0, 0, 1);
  const rows: readonly (readonly [name: string, block: Buffer, why: string])[] = [
    [
      "an interface that was never described",
      packet(1, 0, 0),
      "packet 2 came in on interface 1, which the file does not describe",
    ],
    [
      "a captured length beyond the block",
      change(good, 20, 9),
      "packet 2 claims 9 captured bytes in a block of 36",
    ],
    ["two lengths that differ", change(good, 32, 40), "a block of 36 bytes ends with a length of 40"],
    ["a length of no whole words", change(good, 4, 35), "a block of type 6 claims a length of 35"],
    ["a length below the least", change(good, 4, 8), "a block of type 6 claims a length of 8"],
    [
      "a length of a gigabyte",
      change(good, 4, 0x4000_0000),
      "a block of type 6 claims a length of 1073741824",
    ],
    [
      "an interface description too short",
      block(true, 1, 1),
      "an interface description that is too short, or one too many",
    ],
    [
      "a section of no byte order",
      change(section(true), 8, 1),
      "a section header without a byte-order magic",
    ],
  ];
  for (const [name, wrong, why] of rows) {
    const { frames, fault } = readCapture(Buffer.concat([start, good, wrong, good]));
    t.equal(frames.length, 1, name);
    t.same(fault, { kind: "damaged", offset: start.length + good.length, frames: 1, why }, name);
  }
});

void t.test("times are written exactly to the microsecond", async (t) => {
  t.equal(formatTime({ seconds: 1_791_015_302, nanos: 123_456_789 }), "2026-10-03T08:15:02.123456Z");
  t.equal(formatTime({ seconds: 1_791_015_302, nanos: 999 }), "2026-10-03T08:15:02.000000Z");
  t.equal(formatTime({ seconds: 1_791_015_303, nanos: 1000 }), "2026-10-03T08:15:03.000001Z");
  t.equal(formatTime({ seconds: -1, nanos: 5000 }), "1969-12-31T23:59:59.000005Z");
  t.equal(toMillis({ seconds: 1_791_015_302, nanos: 123_456_000 }), 1_791_015_302_123.456);
});
