import t from "tap";
import { addressBytes, writeIp, writeTcp, type SegmentFields } from "../../src/pcap/packet.ts";
import { readTransport, type TestFrame } from "./datagrams.ts";
import { createRandom } from "./reading.ts";

const CALLER = { address: "192.0.2.1", port: 40_001 };
const CALLED = { address: "198.51.100.2", port: 5060 };

/** A segment from the caller; `sequence` is relative to `ISN`. */
const ISN = 0xffff_fff0;
function segment(sequence: number, text: string, flags: SegmentFields["flags"] = {}, seconds = 0): TestFrame {
  const tcp = writeTcp(CALLER, CALLED, Buffer.from(text), { sequence: ISN + sequence, flags });
  const bytes = writeIp(addressBytes(CALLER.address), addressBytes(CALLED.address), 6, tcp);
  return { bytes, linkType: 101, seconds };
}

const syn = segment(-1, "", { syn: true });

void t.test("segments are put in order, each byte once", async (t) => {
  const rows: readonly (readonly [name: string, segments: readonly TestFrame[], expected: string[]])[] = [
    [
      "in order, over the end of sequence space",
      [syn, segment(0, "0123456789abcdef"), segment(16, "ghij")],
      ["2 tcp 40001: 0123456789abcdef", "3 tcp 40001: ghij"],
    ],
    [
      "the second before the first",
      [syn, segment(4, "efgh"), segment(0, "abcd")],
      ["3 tcp 40001: abcd", "3 tcp 40001: efgh"],
    ],
    [
      "three reversed",
      [syn, segment(8, "ijkl"), segment(4, "efgh"), segment(0, "abcd")],
      ["4 tcp 40001: abcd", "4 tcp 40001: efgh", "4 tcp 40001: ijkl"],
    ],
    [
      "repeated",
      [syn, segment(0, "abcd"), segment(0, "abcd"), segment(4, "efgh")],
      ["2 tcp 40001: abcd", "4 tcp 40001: efgh"],
    ],
    [
      "repeated with more behind it",
      [syn, segment(0, "abcd"), segment(0, "abcdefgh")],
      ["2 tcp 40001: abcd", "3 tcp 40001: efgh"],
    ],
    [
      "repeated with other bytes: the first that came count",
      [syn, segment(0, "abcd"), segment(0, "ABCDefgh")],
      ["2 tcp 40001: abcd", "3 tcp 40001: efgh"],
    ],
    [
      "overlap behind a hole",
      [syn, segment(4, "efgh"), segment(6, "GHij"), segment(0, "abcd")],
      ["4 tcp 40001: abcd", "4 tcp 40001: efgh", "4 tcp 40001: ij"],
    ],
    [
      "a repeat behind a hole",
      [syn, segment(4, "efgh"), segment(4, "efgh"), segment(0, "abcd")],
      ["4 tcp 40001: abcd", "4 tcp 40001: efgh"],
    ],
    [
      "a keep-alive probe",
      [syn, segment(0, "abcd"), segment(3, "d"), segment(4, "e")],
      ["2 tcp 40001: abcd", "4 tcp 40001: e"],
    ],
    [
      "the beginning is not in the capture",
      [segment(100, "abcd"), segment(104, "efgh")],
      ["1 tcp 40001: abcd", "2 tcp 40001: efgh"],
    ],
    [
      "bytes with the SYN (RFC 7413)",
      [segment(-1, "abcd", { syn: true }), segment(4, "e")],
      ["1 tcp 40001: abcd", "2 tcp 40001: e"],
    ],
    ["bytes with the FIN", [syn, segment(0, "abcd", { fin: true })], ["2 tcp 40001: abcd"]],
    [
      "the SYN repeated",
      [syn, segment(0, "abcd"), syn, segment(4, "efgh")],
      ["2 tcp 40001: abcd", "4 tcp 40001: efgh"],
    ],
    [
      "the ports used again",
      [syn, segment(0, "abcd"), segment(7000, "", { syn: true }), segment(7001, "again")],
      ["2 tcp 40001: abcd", "4 tcp 40001: again"],
    ],
    ["acknowledgements alone", [segment(0, ""), segment(0, "")], []],
  ];
  for (const [name, segments, expected] of rows) t.same(readTransport(segments), expected, name);
});

void t.test("a segment that never comes is given up", async (t) => {
  const gap = "tcp 40001 gap";
  const rows: readonly (readonly [name: string, segments: readonly TestFrame[], expected: string[]])[] = [
    [
      "at the end of the capture; frames are those of the segments",
      [syn, segment(4, "efgh"), segment(8, "ijkl")],
      [gap, "2 tcp 40001: efgh", "3 tcp 40001: ijkl"],
    ],
    [
      "when the connection is reset",
      [syn, segment(4, "efgh"), segment(8, "", { rst: true })],
      [gap, "2 tcp 40001: efgh"],
    ],
    [
      "when the ports are used again",
      [syn, segment(4, "efgh"), segment(9000, "x", { syn: true })],
      [gap, "2 tcp 40001: efgh", "3 tcp 40001: x"],
    ],
    [
      "after ten seconds, when more comes",
      [syn, segment(4, "efgh"), segment(8, "ijkl", {}, 11), segment(12, "mnop", {}, 11)],
      [gap, "2 tcp 40001: efgh", "3 tcp 40001: ijkl", "4 tcp 40001: mnop"],
    ],
    [
      "not before",
      [syn, segment(4, "efgh"), segment(8, "ijkl", {}, 10), segment(0, "abcd", {}, 10)],
      ["4 tcp 40001: abcd", "4 tcp 40001: efgh", "4 tcp 40001: ijkl"],
    ],
    [
      "each hole for itself",
      [syn, segment(4, "efgh"), segment(12, "mnop")],
      [gap, "2 tcp 40001: efgh", gap, "3 tcp 40001: mnop"],
    ],
    [
      "a sequence number far away begins anew",
      [syn, segment(0, "abcd"), segment(1 << 25, "far"), segment((1 << 25) + 3, "ther")],
      ["2 tcp 40001: abcd", gap, "3 tcp 40001: far", "4 tcp 40001: ther"],
    ],
  ];
  for (const [name, segments, expected] of rows) t.same(readTransport(segments), expected, name);
});

void t.test("what waits behind a hole is bounded", async (t) => {
  const many = Array.from({ length: 600 }, (_, i) => segment(1 + i, "x"));
  const seen = readTransport([syn, ...many]);
  t.equal(seen[0], "tcp 40001 gap");
  t.equal(seen.length, 601, "600 bytes and one gap");
  t.equal(seen.at(-1), "601 tcp 40001: x");
  const large = Array.from({ length: 10 }, (_, i) => segment(1 + i * 60_000, "y".repeat(60_000)));
  t.match(readTransport([syn, ...large]), ["tcp 40001 gap", /^2 tcp 40001: y+$/]);
});

void t.test("damaged headers", async (t) => {
  const whole = segment(0, "abcd").bytes;
  const change = (offset: number, value: number): TestFrame => {
    const bytes = Buffer.from(whole);
    bytes[offset] = value;
    return { bytes, linkType: 101 };
  };
  t.same(readTransport([change(32, 0x40)]), [], "a header of four words");
  t.same(readTransport([change(32, 0xf0)]), [], "a header beyond the packet");
  t.same(readTransport([{ bytes: whole.subarray(0, 39), linkType: 101 }]), [], "cut in the header");
});

void t.test("any order with repeats and overlaps gives the same bytes", async (t) => {
  const text = Array.from({ length: 400 }, (_, i) => String.fromCharCode(97 + (i % 26))).join("");
  const random = createRandom(11);
  for (let round = 0; round < 200; round += 1) {
    const pieces: TestFrame[] = [];
    for (let at = 0; at < text.length;) {
      const size = 1 + random(30);
      pieces.push(segment(at, text.slice(at, at + size + random(5))));
      if (random(4) === 0)
        pieces.push(segment(Math.max(0, at - 5), text.slice(Math.max(0, at - 5), at + size)));
      at += size;
    }
    for (let i = pieces.length - 1; i > 0; i -= 1) {
      const other = Math.max(0, i - random(6));
      const piece = pieces[i];
      const swapped = pieces[other];
      if (piece !== undefined && swapped !== undefined) [pieces[i], pieces[other]] = [swapped, piece];
    }
    const seen = readTransport([syn, ...pieces]);
    const bytes = seen.map((line) => line.slice(line.indexOf(": ") + 2)).join("");
    if (bytes !== text) t.fail(`round ${round}: ${bytes}`);
    t.notOk(seen.includes("tcp 40001 gap"), `round ${round}: no gap`);
  }
});
