import t from "tap";
import { writePcap, writePcapng, type CaptureOptions, type PacketRecord } from "../../src/pcap/writer.ts";
import { createRandom, readCapture } from "./reading.ts";

const packets: readonly PacketRecord[] = [
  { seconds: 1_791_015_302, nanos: 123_456_000, bytes: Buffer.from("first packet") },
  { seconds: 1_791_015_302, nanos: 999_999_000, bytes: Buffer.from(""), originalLength: 60 },
  { seconds: 1_791_015_303, nanos: 1_000, bytes: Buffer.from("a packet cut short"), originalLength: 1500 },
];

const formats: readonly (readonly [
  name: string,
  write: typeof writePcap,
  options: CaptureOptions,
  lastNanos: number,
])[] = [
  ["pcap, little-endian, µs", writePcap, {}, 1_000],
  ["pcap, big-endian, µs", writePcap, { bigEndian: true }, 1_000],
  ["pcap, little-endian, ns", writePcap, { nanoseconds: true }, 1_001],
  ["pcap, big-endian, ns", writePcap, { bigEndian: true, nanoseconds: true }, 1_001],
  ["pcapng, little-endian, µs", writePcapng, {}, 1_000],
  ["pcapng, big-endian, µs", writePcapng, { bigEndian: true }, 1_000],
  ["pcapng, little-endian, ns", writePcapng, { nanoseconds: true }, 1_001],
  ["pcapng, big-endian, ns", writePcapng, { bigEndian: true, nanoseconds: true }, 1_001],
];

for (const [name, write, options, lastNanos] of formats) {
  const written = packets.map((packet, i) => (i === 2 ? { ...packet, nanos: lastNanos } : packet));
  const file = write(written, { ...options, linkType: 101 });
  const expected = written.map((packet, i) => ({
    frame: i + 1,
    seconds: packet.seconds,
    nanos: packet.nanos,
    linkType: 101,
    bytes: packet.bytes.toString("hex"),
    originalLength: packet.originalLength ?? packet.bytes.length,
  }));

  void t.test(`${name}: what was written is read`, async (t) => {
    t.same(readCapture(file), { frames: expected, fault: undefined });
    t.same(
      readCapture(file, () => 1),
      { frames: expected, fault: undefined },
      "byte by byte",
    );
    const random = createRandom(7);
    for (let round = 0; round < 50; round += 1) {
      const result = readCapture(file, () => 1 + random(40));
      if (result.frames.length !== 3 || result.fault !== undefined) t.fail(`round ${round}`);
      t.same(result.frames, expected, `random pieces, round ${round}`);
    }
  });

  void t.test(`${name}: cut anywhere, the whole packets are read and the cut is said`, async (t) => {
    // Where each packet's record ends: a file that ends there is whole.
    const ends = expected.map((_, i) => write(written.slice(0, i + 1), options).length);
    const empty = write([], options).length;
    for (let size = 0; size < file.length; size += 1) {
      const { frames, fault } = readCapture(file.subarray(0, size));
      const whole = ends.filter((end) => end <= size).length;
      if (frames.length !== whole) t.fail(`${size} bytes: ${frames.length} packets instead of ${whole}`);
      const atBoundary = size === empty || ends.includes(size);
      // pcapng: a file may also end between the section header and the interface description.
      const betweenBlocks = write === writePcapng && size === 28;
      if (atBoundary || betweenBlocks) {
        t.equal(fault, undefined, `${size} bytes are a whole file`);
      } else if (size >= 4) {
        if (fault?.kind !== "truncated" && size >= 24) t.fail(`${size} bytes: ${fault?.kind}`);
        const start = [...ends, empty].filter((end) => end <= size).toSorted((a, b) => b - a)[0];
        if (size >= empty) t.equal(fault?.offset, start, `${size} bytes: the offset is the last record's`);
      } else {
        t.equal(fault?.kind, "foreign", `${size} bytes are no capture`);
      }
    }
  });
}

void t.test("what is no capture is said to be none", async (t) => {
  const rows: readonly (readonly [string, Buffer, string])[] = [
    ["empty", Buffer.alloc(0), "the file is empty"],
    ["three bytes", Buffer.from([0xd4, 0xc3, 0xb2]), "too short for a capture"],
    ["text", Buffer.from("INVITE sip:a@b SIP/2.0\r\n"), "neither a pcap nor a pcapng file"],
    ["gzip", Buffer.from("1f8b08000000", "hex"), "a gzip file: unpack it first"],
    ["a magic that is nearly right", Buffer.from("a1b2c3d5", "hex"), "neither a pcap nor a pcapng file"],
  ];
  for (const [name, file, why] of rows) {
    t.same(readCapture(file).fault, { kind: "foreign", offset: 0, frames: 0, why }, name);
  }
});

void t.test("a captured length is believed up to 262,144 bytes", async (t) => {
  const [first] = packets;
  if (first === undefined) return;
  for (const write of [writePcap, writePcapng]) {
    const largest = write([first, { ...first, bytes: Buffer.alloc(262_144, 1) }, first]);
    t.equal(readCapture(largest, () => 4096).frames.length, 3, "262,144 are read");
    const tooLarge = write([first, { ...first, bytes: Buffer.alloc(262_145, 1) }, first]);
    const { frames, fault } = readCapture(tooLarge, () => 4096);
    t.equal(frames.length, 1, "what stands before is read");
    t.match(fault, { kind: "damaged", offset: write([first]).length, frames: 1 });
  }
});

void t.test("a damaged length does not make the reader ask for memory", async (t) => {
  const file = Buffer.from(writePcap(packets));
  file.writeUInt32LE(0xffff_fff0, 24 + 8);
  const { frames, fault } = readCapture(file);
  t.equal(frames.length, 0);
  t.match(fault, { kind: "damaged", offset: 24 });
  t.match(fault?.why, "packet 1 claims 4294967280 captured bytes");
});
