import t from "tap";
import { addressBytes, writeEthernet, writeIp, writeUdp } from "../../src/pcap/packet.ts";
import { readTransport, udpFragments, udpPacket } from "./datagrams.ts";

const TEXT = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const WHOLE_V4 = `udp 192.0.2.1 1000 > 198.51.100.2 2000: ${TEXT}`;
const WHOLE_V6 = `udp 2001:db8::1 1000 > 2001:db8:0:1::2 2000: ${TEXT}`;

/** Reads frames in order; `order` picks from `frames`, from 0. */
function readInOrder(frames: readonly Buffer[], order: readonly number[]): string[] {
  return readTransport(order.map((i) => ({ bytes: frames[i] ?? Buffer.alloc(0) })));
}

for (const [version, whole] of [
  [4, WHOLE_V4],
  [6, WHOLE_V6],
] as const) {
  void t.test(`IPv${version} fragments come together in any order`, async (t) => {
    const three = udpFragments(TEXT, [24, 48], 7, version);
    const other = udpFragments(TEXT.toLowerCase(), [16], 8, version);
    const rows: readonly (readonly [
      name: string,
      frames: readonly Buffer[],
      order: readonly number[],
      expected: string[],
    ])[] = [
      ["in order", three, [0, 1, 2], [`3 ${whole}`]],
      ["reversed", three, [2, 1, 0], [`3 ${whole}`]],
      ["the last one first", three, [2, 0, 1], [`3 ${whole}`]],
      ["one missing", three, [0, 2], []],
      ["the first missing", three, [1, 2], []],
      ["each twice", three, [0, 0, 1, 1, 2], [`5 ${whole}`]],
      [
        "between those of another datagram",
        [...three, ...other],
        [0, 3, 1, 4, 2],
        [`4 ${whole.replace(TEXT, TEXT.toLowerCase())}`, `5 ${whole}`],
      ],
      ["again with the same identification", three, [0, 1, 2, 0, 1, 2], [`3 ${whole}`, `6 ${whole}`]],
    ];
    for (const [name, frames, order, expected] of rows) t.same(readInOrder(frames, order), expected, name);
  });

  void t.test(`IPv${version} fragments that contradict each other give nothing (RFC 5722)`, async (t) => {
    const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = udpFragments(TEXT, [32], 9, version);
    const [, overlapping = Buffer.alloc(0)] = udpFragments(TEXT.toUpperCase(), [24], 9, version);
    const [, longer = Buffer.alloc(0)] = udpFragments(`${TEXT}and more`, [32], 9, version);
    const [otherFirst = Buffer.alloc(0)] = udpFragments(TEXT.toUpperCase(), [32], 9, version);
    const rows: readonly (readonly [name: string, frames: readonly Buffer[]])[] = [
      ["the second begins before the first ends", [first, overlapping]],
      ["also when all that is needed follows", [first, overlapping, second]],
      ["the same place with other bytes", [first, otherFirst, second]],
      ["two ends", [longer, second, first]],
    ];
    for (const [name, frames] of rows) t.same(readTransport(frames.map((bytes) => ({ bytes }))), [], name);
  });

  void t.test(`IPv${version} fragments wait a minute of packet time`, async (t) => {
    const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = udpFragments(TEXT, [32], 10, version);
    const at = (later: number): string[] =>
      readTransport([
        { bytes: first, seconds: 1000 },
        { bytes: second, seconds: 1000 + later },
      ]);
    t.same(at(60), [`2 ${whole}`]);
    t.same(at(61), []);
  });
}

const lastOfTwo = (identification: number) => ({
  bytes: udpFragments(TEXT, [32], identification)[1] ?? Buffer.alloc(0),
});

void t.test("fragments hold a bounded amount of memory", async (t) => {
  const lonely = Array.from({ length: 5000 }, (_, i) => ({
    bytes: udpFragments(TEXT, [32], i)[0] ?? Buffer.alloc(0),
  }));
  t.same(readTransport([...lonely, lastOfTwo(10)]), [], "the oldest gave way");
  t.same(readTransport([...lonely, lastOfTwo(4999)]), [`5001 ${WHOLE_V4}`], "the newest is there");
});

void t.test("a fragment is a multiple of eight bytes, but for the last", async (t) => {
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = udpFragments(TEXT, [32], 11);
  const odd = Buffer.from(first.subarray(0, first.length - 4));
  odd.writeUInt16BE(20 + 28, 16);
  t.same(readTransport([{ bytes: odd }, { bytes: first }, { bytes: second }]), []);
});

/** An IPv6 packet with extension headers before the UDP one. */
function withExtensions(protocols: readonly (readonly [protocol: number, body: string])[]): Buffer {
  const packet = udpPacket("hello", 6);
  const types = [...protocols.map(([protocol]) => protocol), 17];
  const bodies = protocols.map(([, body], i) => {
    const bytes = Buffer.from(body, "hex");
    bytes[0] = types[i + 1] ?? 17;
    return bytes;
  });
  const whole = Buffer.concat([packet.subarray(0, 40), ...bodies, packet.subarray(40)]);
  whole[6] = types[0] ?? 17;
  whole.writeUInt16BE(whole.length - 40, 4);
  return whole;
}

void t.test("IPv6 extension headers are passed over", async (t) => {
  const hello = ["1 udp 2001:db8::1 1000 > 2001:db8:0:1::2 2000: hello"];
  const options = "0000010400000000";
  const rows: readonly (readonly [
    name: string,
    headers: readonly (readonly [number, string])[],
    expected: string[],
  ])[] = [
    ["none", [], hello],
    ["hop-by-hop", [[0, options]], hello],
    ["hop-by-hop of 16 bytes", [[0, `0001010c${"00".repeat(12)}`]], hello],
    [
      "hop-by-hop, routing, destination",
      [
        [0, options],
        [43, "0000000000000000"],
        [60, options],
      ],
      hello,
    ],
    ["authentication counts in words of four", [[51, `00040000${"00".repeat(20)}`]], hello],
    ["a fragment header around the whole (RFC 6946)", [[44, "0000000000000001"]], hello],
    ["a header that claims more than is there", [[0, "00ff010400000000"]], []],
    ["no next header", [[59, options]], []],
    ["seventeen headers", Array.from({ length: 17 }, () => [60, options] as const), []],
  ];
  for (const [name, headers, expected] of rows) {
    t.same(readTransport([{ bytes: withExtensions(headers), linkType: 101 }]), expected, name);
  }
});

void t.test("lengths that do not fit", async (t) => {
  const packet = udpPacket("hello");
  const change = (at: number, value: number): Buffer => {
    const copy = Buffer.from(packet);
    copy.writeUInt16BE(value, at);
    return copy;
  };
  const hello = "1 udp 192.0.2.1 1000 > 198.51.100.2 2000: hello";
  const rows: readonly (readonly [name: string, bytes: Buffer, expected: string[]])[] = [
    ["a total length of 0 (segmentation offload)", change(2, 0), [hello]],
    ["a total length beyond the capture", change(2, 40), [hello]],
    ["a UDP length beyond the packet", change(24, 14), [`${hello} cut`]],
    ["a UDP length within the packet", change(24, 12), [hello.slice(0, -1)]],
    ["a UDP length of 0 (RFC 2675)", change(24, 0), [hello]],
    ["a total length below the header", change(2, 19), []],
    ["a header length of 4 words", Buffer.concat([Buffer.from([0x44]), packet.subarray(1)]), []],
    ["a header length beyond the packet", Buffer.concat([Buffer.from([0x4f]), packet.subarray(1)]), []],
  ];
  for (const [name, bytes, expected] of rows)
    t.same(readTransport([{ bytes, linkType: 101 }]), expected, name);
});

void t.test("a packet quoted in ICMP is no packet", async (t) => {
  const error = Buffer.concat([Buffer.from("0303000000000000", "hex"), udpPacket("INVITE sip:a@b SIP/2.0")]);
  const bytes = writeEthernet(writeIp(addressBytes("198.51.100.2"), addressBytes("192.0.2.1"), 1, error));
  t.same(readTransport([{ bytes }]), []);
});

void t.test("addresses are written as RFC 5952 says", async (t) => {
  const rows: readonly (readonly [hex: string, text: string])[] = [
    ["00000000000000000000000000000000", "::"],
    ["00000000000000000000000000000001", "::1"],
    ["20010db8000000000000000000000001", "2001:db8::1"],
    ["20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1"],
    ["20010db8000000000001000000000001", "2001:db8::1:0:0:1"],
    ["20010db8000100000001000000000000", "2001:db8:1:0:1::"],
    ["fe80000000000000000000000000abcd", "fe80::abcd"],
    ["00010002000300040005000600070008", "1:2:3:4:5:6:7:8"],
  ];
  for (const [hex, text] of rows) {
    const source = Buffer.from(hex, "hex");
    const from = { address: "2001:db8::1", port: 1 };
    const bytes = writeIp(source, source, 17, writeUdp(from, from, Buffer.from("x")));
    t.same(readTransport([{ bytes, linkType: 101 }]), [`1 udp ${text} 1 > ${text} 1: x`]);
  }
});
