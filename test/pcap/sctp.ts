// SCTP of captures: user messages, their fragments, and the memory that fragments take.
import { Buffer } from "node:buffer";
import t from "tap";
import { addressBytes, writeEthernet, writeIp, writeUdp } from "../../src/pcap/packet.ts";
import { writeSctp, type DataChunk } from "../../src/pcap/sctp-packet.ts";
import { createIpPacket } from "../../src/pcap/ip.ts";
import { createSctpLayer } from "../../src/pcap/sctp.ts";
import { readTransport, type TestFrame } from "./datagrams.ts";

const A = { address: "192.0.2.1", port: 2905 };
const B = { address: "198.51.100.2", port: 2906 };
const A6 = { address: "2001:db8::1", port: 2905 };
const B6 = { address: "2001:db8::2", port: 2906 };

function chunk(tsn: number, text: string, edges = "be"): DataChunk {
  const [begins, ends] = [edges.includes("b"), edges.includes("e")];
  return { tsn, stream: 1, payloadProtocol: 3, payload: Buffer.from(text), begins, ends };
}

function packet(from: typeof A, to: typeof A, tag: number, chunks: readonly DataChunk[]): TestFrame {
  const sctp = writeSctp(from, to, tag, chunks);
  return { bytes: writeEthernet(writeIp(addressBytes(from.address), addressBytes(to.address), 132, sctp)) };
}

/** What came of packets from A to B, without the addresses. */
function read(...packets: readonly (readonly DataChunk[])[]): string[] {
  return readTransport(packets.map((chunks) => packet(A, B, 7, chunks))).map((line) =>
    line.replace("sctp 192.0.2.1 2905 > 198.51.100.2 2906: 1/3 ", ""),
  );
}

void t.test("user messages, their stream and payload protocol", (t) => {
  t.same(readTransport([packet(A, B, 7, [chunk(1, "one")]), packet(B6, A6, 8, [chunk(1, "two")])]), [
    "1 sctp 192.0.2.1 2905 > 198.51.100.2 2906: 1/3 one",
    "2 sctp 2001:db8::2 2906 > 2001:db8::1 2905: 1/3 two",
  ]);
  t.same(
    read([chunk(1, "one"), chunk(2, "three"), chunk(3, "four")]),
    ["1 one", "1 three", "1 four"],
    "bundled",
  );
  t.end();
});

void t.test("a TSN counts once for each direction and tag", (t) => {
  t.same(read([chunk(1, "one")], [chunk(1, "one"), chunk(2, "two")], [chunk(2, "two")]), ["1 one", "2 two"]);
  t.same(read([chunk(3, "c")], [chunk(1, "a")], [chunk(2, "b")], [chunk(1, "a")]), ["1 c", "2 a", "3 b"]);
  t.same(read([chunk(-1, "a")], [chunk(0, "b")], [chunk(-1, "a")]), ["1 a", "2 b"], "around zero");
  t.same(read([chunk(9000, "a")], [chunk(1, "old")], [chunk(20_000, "b")], [chunk(20_000, "b")]), [
    "1 a",
    "3 b",
  ]);
  t.equal(readTransport([packet(A, B, 7, [chunk(1, "a")]), packet(A, B, 8, [chunk(1, "a")])]).length, 2);
  t.equal(readTransport([packet(A, B, 7, [chunk(1, "a")]), packet(B, A, 7, [chunk(1, "a")])]).length, 2);
  t.end();
});

/** Frame and text of each message alone. */
const shorten = (lines: readonly string[]): string[] =>
  lines.map((line) => `${line.split(" ")[0]} ${line.split("1/3 ")[1]}`);

void t.test("an association is its tag and its ports: its hosts may send from any address", (t) => {
  const other = { address: "203.0.113.1", port: A.port };
  const otherB = { address: "203.0.113.2", port: B.port };
  const v6 = { address: "2001:db8::1", port: A.port };
  const v6B = { address: "2001:db8::2", port: B.port };
  const [first, second] = [chunk(1, "ab", "b"), chunk(2, "cd", "e")];
  t.same(shorten(readTransport([packet(A, B, 7, [first]), packet(other, otherB, 7, [second])])), ["2 abcd"]);
  t.same(
    shorten(readTransport([packet(v6, v6B, 7, [second]), packet(A, B, 7, [first])])),
    ["2 abcd"],
    "IPv6",
  );
  t.same(
    shorten(readTransport([packet(A, B, 7, [chunk(1, "a")]), packet(other, otherB, 7, [chunk(1, "a")])])),
    ["1 a"],
    "sent again by the other path",
  );
  t.same(
    shorten(readTransport([packet(A, B, 7, [first]), packet(other, otherB, 8, [second])])),
    [],
    "near miss: another tag",
  );
  t.same(
    shorten(readTransport([packet(A, B, 0, [chunk(0, "a")]), packet(A, B, 0, [chunk(0, "b")])])),
    ["1 a", "2 b"],
    "no tag: what tools write around single messages repeats nothing",
  );
  t.same(
    shorten(
      readTransport([
        packet(A, B, 0, [first]),
        packet(other, otherB, 0, [second]),
        packet(A, B, 0, [second]),
      ]),
    ),
    ["3 abcd"],
    "no tag: the addresses tell directions apart",
  );
  t.end();
});

void t.test("fragments come together by TSN, whatever their order", (t) => {
  const [first, second, third] = [chunk(1, "ab", "b"), chunk(2, "cd", ""), chunk(3, "e", "e")];
  t.same(read([first], [second], [third]), ["3 abcde"]);
  t.same(read([third], [first], [second]), ["3 abcde"]);
  t.same(read([first, second, third]), ["1 abcde"]);
  t.same(read([first], [first], [second], [second], [third], [third]), ["5 abcde"], "repeats");
  t.same(read([first], [third]), [], "one is missing");
  t.same(
    read([chunk(1, "ab", "b")], [chunk(2, "x", "b")], [chunk(3, "y", "e")]),
    ["3 xy"],
    "a second beginning",
  );
  t.same(read([first, second], [chunk(4, "whole")], [third]), ["2 whole", "3 abcde"]);
  t.end();
});

/** An I-DATA chunk. */
const interleaved = (tsn: number, mid: number, flags: number, field: number, text: string): Buffer => {
  const bytes = Buffer.alloc(20 + Math.ceil(text.length / 4) * 4);
  bytes[0] = 64;
  bytes[1] = flags;
  bytes.writeUInt16BE(20 + text.length, 2);
  bytes.writeUInt32BE(tsn, 4);
  bytes.writeUInt16BE(1, 8);
  bytes.writeUInt32BE(mid, 12);
  bytes.writeUInt32BE(field, 16);
  bytes.write(text, 20);
  return bytes;
};
const wrapChunks = (...chunks: readonly Buffer[]): TestFrame => {
  const sctp = Buffer.concat([writeSctp(A, B, 7, []), ...chunks]);
  return { bytes: writeEthernet(writeIp(addressBytes(A.address), addressBytes(B.address), 132, sctp)) };
};

void t.test("interleaved fragments (RFC 8260) come together by message and place", (t) => {
  const frames = [
    wrapChunks(interleaved(1, 0, 2, 3, "ab"), interleaved(2, 1, 2, 3, "xy")),
    wrapChunks(interleaved(3, 1, 1, 1, "z")),
    wrapChunks(interleaved(4, 0, 1, 1, "c"), interleaved(5, 2, 3, 3, "whole")),
  ];
  const head = "sctp 192.0.2.1 2905 > 198.51.100.2 2906: 1/3";
  t.same(readTransport(frames), [`2 ${head} xyz`, `3 ${head} abc`, `3 ${head} whole`]);
  t.end();
});

void t.test("an interleaved fragment that takes the place of another counts once", (t) => {
  const layer = createSctpLayer();
  const given: string[] = [];
  let tsn = 1;
  const take = (mid: number, flags: number, field: number, text: string): void => {
    const buffer = Buffer.concat([writeSctp(A, B, 7, []), interleaved(tsn++, mid, flags, field, text)]);
    const addresses = Buffer.alloc(8);
    const from = { ...createIpPacket(), buffer, end: buffer.length, addresses };
    layer.read(from, ({ buffer: bytes, start, end }) => given.push(bytes.toString("latin1", start, end)));
  };
  take(0, 2, 3, "ab");
  t.equal(layer.held, 2);
  take(0, 0, 1, "cd");
  take(0, 0, 1, "cdef");
  t.equal(layer.held, 6, "the longer one in place of the shorter one");
  take(0, 0, 1, "c");
  t.equal(layer.held, 3, "the shorter one in place of the longer one");
  take(0, 1, 2, "z");
  t.same(given, ["abcz"]);
  t.equal(layer.held, 0, "a whole message leaves nothing");
  for (let i = 0; i < 2000; i++) take(1, 0, 1, "xyz");
  t.equal(layer.held, 3, "however often");
  for (let i = 0; i < 1024; i++) take(2, 0, i + 1, "x");
  t.equal(layer.held, 1, "too many pieces: all are forgotten but the last");
  t.end();
});

void t.test("replaced fragments take no room from other associations", (t) => {
  // More than 64 MiB pass through one place of one message, at most 60,000 octets at a time.
  const half = packet(A6, B6, 8, [chunk(1, "ab", "b")]);
  const other = packet(A6, B6, 8, [chunk(2, "c", "e")]);
  const text = "x".repeat(60_000);
  const replaced = Array.from({ length: 1200 }, (_, tsn) => wrapChunks(interleaved(tsn, 0, 0, 1, text)));
  t.same(readTransport([half, ...replaced, other]), [
    "1202 sctp 2001:db8::1 2905 > 2001:db8::2 2906: 1/3 abc",
  ]);
  t.end();
});

void t.test("bad input: short packets, lengths that lie, and fragments without end", (t) => {
  const whole = packet(A, B, 7, [chunk(1, "abcdefgh")]);
  for (let end = 14; end < whole.bytes.length; end++) {
    const lines = readTransport([{ bytes: whole.bytes.subarray(0, end) }]);
    t.ok(lines.length <= 1 && lines.every((line) => line.endsWith(" cut")), `cut at ${end}`);
  }
  const lying = Buffer.from(whole.bytes);
  lying.writeUInt16BE(3, 14 + 20 + 12 + 2);
  t.same(readTransport([{ bytes: lying }]), [], "a chunk shorter than its header");
  const pieces = Array.from({ length: 3000 }, (_, i) => [chunk(i + 2, "x", "")]);
  t.same(read(...pieces, [chunk(3002, "e", "e")], [chunk(3003, "whole")]), ["3002 whole"]);
  t.end();
});

void t.test("SCTP inside UDP (RFC 6951)", (t) => {
  const port = 9899;
  const wrap = (payload: Buffer): TestFrame => {
    const udp = writeUdp({ address: A.address, port }, { address: B.address, port }, payload);
    return { bytes: writeEthernet(writeIp(addressBytes(A.address), addressBytes(B.address), 17, udp)) };
  };
  t.same(readTransport([wrap(writeSctp(A, B, 7, [chunk(1, "one")]))]), [
    "1 sctp 192.0.2.1 2905 > 198.51.100.2 2906: 1/3 one",
  ]);
  t.same(
    readTransport([wrap(Buffer.from("OPTIONS sip:a"))]),
    ["1 udp 192.0.2.1 9899 > 198.51.100.2 9899: OPTIONS sip:a"],
    "near miss: a datagram like others",
  );
  t.end();
});
