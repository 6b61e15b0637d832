import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import t from "tap";
import { encodeIsup, writeM3ua } from "../../pcaps/isup-text.ts";
import { createAttemptReader } from "../../src/replay/captured-attempts.ts";
import { createSignallingReader } from "../../src/replay/signalling.ts";
import { LinkType } from "../../src/pcap/links/link-layer.ts";
import { addressBytes, writeEthernet, writeIp, writeTcp } from "../../src/pcap/packet.ts";
import { writeSctp } from "../../src/pcap/sctp-packet.ts";
import { writePcap } from "../../src/pcap/writer.ts";
import { readCapture } from "./reading.ts";

const A = { address: "192.0.2.1", port: 2905 };
const B = { address: "198.51.100.2", port: 2905 };

const iam = encodeIsup("IAM called=3:2787654321 calling=3:1087654321");
const rel = encodeIsup("REL cause=16");

/** Service information octet and label of 14-bit point codes in front of circuit 5. */
function unit(message: Buffer, service = 0x85): Buffer {
  // DPC 444, OPC 333, SLS 14 (vector P5 of the protocol reference).
  const circuit = (service & 15) === 13 ? "05000000" : "0500";
  return Buffer.concat([Buffer.from([service]), Buffer.from(`bc4153e0${circuit}`, "hex"), message]);
}

/** The same with the 24-bit point codes 10-11-1 and 10-11-2. */
function chineseUnit(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from("85020b0a010b0a020500", "hex"), message]);
}

function mtp2(content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x82, Math.min(content.length, 63)]), content]);
}

/** Calls found in packets of one link type: frame, circuit, repeats; or why there is none. */
function calls(linkType: number, packets: readonly Buffer[]): string[] {
  const seen: string[] = [];
  const reader = createSignallingReader(
    createAttemptReader({
      invite: ({ frame }) => void seen.push(`${frame} INVITE`),
      iam({ frame, msu, origin, retransmissionOf }) {
        const repeats = retransmissionOf === undefined ? "" : ` repeats ${retransmissionOf}`;
        seen.push(`${frame} ${origin.transport} ${msu.opc}-${msu.dpc}-${msu.cic}${repeats}`);
      },
      malformed: ({ frame }, why) => void seen.push(`${frame} ${why}`),
    }),
  );
  const records = packets.map((bytes, i) => ({ seconds: 1_791_015_302, nanos: i * 1_000_000, bytes }));
  reader.push(writePcap(records, { linkType }));
  t.equal(reader.end(), undefined);
  return seen;
}

void t.test("signalling links: MTP3, MTP2, and MTP2 with its pseudo header", (t) => {
  t.same(calls(LinkType.mtp3, [unit(iam)]), ["1 mtp 333-444-5"]);
  t.same(calls(LinkType.mtp2, [mtp2(unit(iam)), mtp2(Buffer.alloc(0)), mtp2(Buffer.from("0000", "hex"))]), [
    "1 mtp 333-444-5",
  ]);
  const header = Buffer.from("00000001", "hex");
  t.same(calls(LinkType.mtp2WithHeader, [Buffer.concat([header, mtp2(unit(iam))])]), ["1 mtp 333-444-5"]);
  const extended = Buffer.concat([
    Buffer.from("0001000101000200", "hex"),
    Buffer.from([unit(iam).length, 0]),
    unit(iam),
  ]);
  t.same(calls(LinkType.mtp2WithHeader, [extended]), ["1 mtp 333-444-5"], "12-bit sequence numbers");
  t.same(calls(LinkType.mtp3, [unit(iam, 0x8d)]), ["1 mtp 333-444-5"], "BICC");
  t.same(calls(LinkType.mtp3, [unit(iam, 0x83), unit(rel)]), [], "SCCP, and what begins no call");
  t.same(calls(LinkType.mtp2, [mtp2(unit(iam)).subarray(0, 20)]), [
    "1 IAM: the capture holds only a part of it",
  ]);
  t.end();
});

void t.test("14-bit and 24-bit labels are told apart by what reads as a call", (t) => {
  t.same(calls(LinkType.mtp3, [chineseUnit(iam)]), ["1 mtp 658177-658178-5"]);
  t.same(
    calls(LinkType.mtp3, [
      chineseUnit(rel),
      chineseUnit(encodeIsup("ACM")),
      chineseUnit(iam),
      chineseUnit(iam),
    ]),
    ["3 mtp 658177-658178-5", "4 mtp 658177-658178-5 repeats 3"],
  );
  // SLS 1 of a 24-bit label stands where the type of a 14-bit one does.
  const sls1 = chineseUnit(iam);
  sls1[7] = 1;
  t.same(calls(LinkType.mtp3, [sls1]), ["1 mtp 658177-658178-5"]);
  t.end();
});

void t.test("repeats: the same octets on a circuit that was not released", (t) => {
  const again = encodeIsup("IAM called=3:2787654321 calling=3:1087654322");
  t.same(calls(LinkType.mtp3, [unit(iam), unit(iam), unit(again), unit(iam)]), [
    "1 mtp 333-444-5",
    "2 mtp 333-444-5 repeats 1",
    "3 mtp 333-444-5",
    "4 mtp 333-444-5 repeats 1",
  ]);
  for (const [what, release] of [
    ["REL", rel],
    ["RLC", encodeIsup("RLC")],
    ["RSC", encodeIsup("RSC")],
    ["GRS of this circuit and the next", Buffer.from("17010101", "hex")],
  ] as const)
    t.same(
      calls(LinkType.mtp3, [unit(iam), unit(release), unit(iam)]),
      ["1 mtp 333-444-5", "3 mtp 333-444-5"],
      what,
    );
  t.same(
    calls(LinkType.mtp3, [unit(iam), unit(encodeIsup("ACM")), unit(iam)]),
    ["1 mtp 333-444-5", "3 mtp 333-444-5 repeats 1"],
    "near miss: ACM",
  );
  t.end();
});

function sctp(payloadProtocol: number, payload: Buffer, tsn = 1): Buffer {
  const packet = writeSctp(A, B, 7, [{ tsn, stream: 1, payloadProtocol, payload }]);
  return writeEthernet(writeIp(addressBytes(A.address), addressBytes(B.address), 132, packet));
}

function framed(head: string, content: Buffer): Buffer {
  const bytes = Buffer.concat([Buffer.from(head, "hex"), content]);
  bytes.writeUInt32BE(bytes.length, 4);
  return bytes;
}

function parameter(tag: string, content: Buffer): Buffer {
  const head = Buffer.from(`${tag}0000`, "hex");
  head.writeUInt16BE(4 + content.length, 2);
  return Buffer.concat([head, content, Buffer.alloc((4 - (content.length % 4)) % 4)]);
}

void t.test("SIGTRAN: M3UA, its old draft, M2UA, M2PA", (t) => {
  const circuit = { opc: 333, dpc: 444, cic: 5 };
  const found = ["1 sctp 333-444-5"];
  t.same(calls(LinkType.ethernet, [sctp(3, writeM3ua(circuit, iam))]), found);
  t.same(calls(LinkType.ethernet, [sctp(0, writeM3ua(circuit, iam))]), found, "no payload protocol");
  t.same(calls(LinkType.ethernet, [sctp(60, writeM3ua(circuit, iam))]), [], "near miss: that of NGAP");
  t.same(
    calls(LinkType.ethernet, [sctp(3, framed("0100010100000000", parameter("0002", unit(iam))))]),
    found,
  );
  t.same(
    calls(LinkType.ethernet, [sctp(2, framed("0100060100000000", parameter("0300", unit(iam))))]),
    found,
  );
  const m2pa = Buffer.concat([Buffer.from("00ffffff0000000100", "hex"), unit(iam)]);
  t.same(calls(LinkType.ethernet, [sctp(5, framed("01000b0100000000", m2pa))]), found);
  const cut = writeM3ua(circuit, iam).subarray(0, 50);
  t.same(calls(LinkType.ethernet, [sctp(3, cut)]), ["1 IAM: ends before its length"]);
  t.same(
    calls(LinkType.ethernet, [sctp(3, framed("0100010100000000", Buffer.from("0210000400000000", "hex")))]),
    [],
    "no label",
  );
  t.end();
});

/** An M2UA message around a unit. */
const m2ua = framed("0100060100000000", parameter("0300", unit(iam)));
const m2pa = framed("01000b0100000000", Buffer.concat([Buffer.from("00ffffff0000000100", "hex"), unit(iam)]));
const m3ua = writeM3ua({ opc: 333, dpc: 444, cic: 5 }, iam);

void t.test(
  "the layer over SCTP is that of the payload protocol, or of the port where that says nothing",
  (t) => {
    const rows: readonly (readonly [
      name: string,
      payloadProtocol: number,
      ports: readonly [number, number],
      payload: Buffer,
      isRead: boolean,
    ])[] = [
      ["M3UA, whatever the ports", 3, [40_000, 40_001], m3ua, true],
      ["M3UA on the port of M2UA", 3, [2904, 2904], m3ua, true],
      ["M2UA named M3UA", 3, [2905, 2905], m2ua, false],
      ["no name, port of M3UA", 0, [40_000, 2905], m3ua, true],
      ["no name, port of M2UA", 0, [2904, 40_000], m2ua, true],
      ["no name, port of M2PA", 0, [3565, 3565], m2pa, true],
      ["no name, the lower port counts first", 0, [2905, 2904], m2ua, true],
      ["no name, the higher port is not asked", 0, [2905, 2904], m3ua, false],
      ["no name, another port", 0, [2906, 2906], m3ua, false],
      ["an unassigned name, port of M3UA", 100, [2905, 2905], m3ua, true],
      ["the name in the byte order of an x86 host", 0x0300_0000, [2905, 2905], m3ua, true],
      ["the same, another port", 0x0300_0000, [2906, 2906], m3ua, false],
      ["Diameter's name, but no Diameter", 46, [2905, 2905], m3ua, true],
      ["SUA's name", 4, [2905, 2905], m3ua, false],
    ];
    for (const [name, payloadProtocol, [sourcePort, destinationPort], payload, isRead] of rows) {
      const from = { ...A, port: sourcePort };
      const to = { ...B, port: destinationPort };
      const chunk = { tsn: 1, stream: 1, payloadProtocol, payload };
      const ip = writeIp(
        addressBytes(A.address),
        addressBytes(B.address),
        132,
        writeSctp(from, to, 7, [chunk]),
      );
      t.same(calls(LinkType.ethernet, [writeEthernet(ip)]), isRead ? ["1 sctp 333-444-5"] : [], name);
    }
    t.end();
  },
);

/** An exported PDU of a dissector, with more tags in hex. */
const named = (name: string, payload: Buffer, ...tags: readonly string[]): Buffer => {
  const head = Buffer.from("000c0000", "hex");
  head.writeUInt16BE(name.length, 2);
  return Buffer.concat([head, Buffer.from(name), Buffer.from(`${tags.join("")}00000000`, "hex"), payload]);
};
/** The tags of an entry of a dissector table. */
const table = (entry: string, value: string): string =>
  `000e00${entry.length.toString(16).padStart(2, "0")}${Buffer.from(entry).toString("hex")}00200004${value}`;

void t.test("messages without layers below them: SCTP as a link, and exported PDUs", (t) => {
  const chunk = { tsn: 1, stream: 1, payloadProtocol: 3, payload: m3ua };
  t.same(calls(LinkType.sctp, [writeSctp(A, B, 7, [chunk])]), ["1 sctp 333-444-5"]);
  t.same(calls(LinkType.sctp, [Buffer.alloc(7)]), []);
  const codes = ["001c0008000001bb00010000", "001d0008000001bc00010000"];
  const rows: readonly (readonly [name: string, packet: Buffer, found: readonly string[]])[] = [
    ["MTP3", named("mtp3\0\0\0\0", unit(iam)), ["1 mtp 333-444-5"]],
    ["MTP2", named("mtp2", mtp2(unit(iam))), ["1 mtp 333-444-5"]],
    ["M3UA", named("m3ua", m3ua), ["1 mtp 333-444-5"]],
    ["M2UA", named("m2ua", m2ua), ["1 mtp 333-444-5"]],
    ["M2PA", named("m2pa", m2pa), ["1 mtp 333-444-5"]],
    ["SCTP", named("sctp", writeSctp(A, B, 7, [chunk])), ["1 sctp 333-444-5"]],
    ["ISUP with its point codes", named("isup", unit(iam).subarray(5), ...codes), ["1 mtp 443-444-5"]],
    ["BICC without point codes", named("bicc", unit(iam, 0x8d).subarray(5)), ["1 mtp 0-0-5"]],
    [
      "ISUP by the table of MTP3",
      Buffer.concat([
        Buffer.from(`${table("mtp3.service_indicator", "00000005")}${codes.join("")}00000000`, "hex"),
        unit(iam).subarray(5),
      ]),
      ["1 mtp 443-444-5"],
    ],
    ["near miss: MAP", named("gsm_map", unit(iam)), []],
  ];
  for (const [name, packet, found] of rows) t.same(calls(LinkType.exportedPdu, [packet]), found, name);
  t.end();
});

void t.test("SIP over SCTP", (t) => {
  const invite =
    "INVITE sip:b@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/SCTP a;branch=z9hG4bKa\r\nFrom: <sip:a@a>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n\r\n";
  t.same(calls(LinkType.ethernet, [sctp(0, Buffer.from(invite))]), ["1 INVITE"]);
  t.end();
});

void t.test("M3UA over TCP, cut anywhere", (t) => {
  const bytes = Buffer.concat([
    Buffer.from("0100030100000008", "hex"),
    writeM3ua({ opc: 1, dpc: 2, cic: 3 }, iam),
    writeM3ua({ opc: 1, dpc: 2, cic: 4 }, iam),
  ]);
  const segment = (from: number, to: number): Buffer => {
    const tcp = writeTcp(A, B, bytes.subarray(from, to), { sequence: 1 + from, flags: {} });
    return writeEthernet(writeIp(addressBytes(A.address), addressBytes(B.address), 6, tcp));
  };
  for (let cut = 1; cut < bytes.length; cut++) {
    const lines = calls(LinkType.ethernet, [segment(0, cut), segment(cut, bytes.length)]);
    t.same(
      lines.map((line) => line.slice(2)),
      ["tcp 1-2-3", "tcp 1-2-4"],
      `cut at ${cut}`,
    );
  }
  bytes[8] = 2;
  t.same(calls(LinkType.ethernet, [segment(0, bytes.length)]), [], "what is no M3UA ends the reading");
  t.end();
});

void t.test("the modified pcap format has 24 octets in front of each packet", (t) => {
  for (const bigEndian of [false, true]) {
    const packets = ["first", "second"].map((text) => ({
      seconds: 1,
      nanos: 5000,
      bytes: Buffer.from(text),
    }));
    const plain = writePcap(packets, { bigEndian });
    const header = Buffer.from(plain.subarray(0, 24));
    if (bigEndian) header.writeUInt32BE(0xa1b2cd34);
    else header.writeUInt32LE(0xa1b2cd34);
    const records = [plain.subarray(24, 45), plain.subarray(45)].flatMap((record) => [
      record.subarray(0, 16),
      Buffer.alloc(8, 0xee),
      record.subarray(16),
    ]);
    const { frames, fault } = readCapture(Buffer.concat([header, ...records]), () => 7);
    t.equal(fault, undefined);
    t.same(frames, readCapture(plain).frames);
  }
  t.equal(readCapture(readFileSync("pcaps/isup-callers.pcap")).frames.length, 21);
  t.end();
});
