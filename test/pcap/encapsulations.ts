// Every layer that may stand between a frame and a SIP message: as hex vectors, held against tshark where it is installed.
import { hasTshark } from "../support/tshark.ts";
import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { createAttemptReader } from "../../src/replay/captured-attempts.ts";
import { createSignallingReader } from "../../src/replay/signalling.ts";
import { LinkType } from "../../src/pcap/links/link-layer.ts";
import { addressBytes, writeEthernet, writeIp, writeUdp } from "../../src/pcap/packet.ts";
import { createRandom } from "./reading.ts";
import { writeInterfaces } from "./interfaces.ts";

const A = { address: "192.0.2.1", port: 5060 };
const B = { address: "198.51.100.2", port: 5060 };
const A6 = { address: "2001:db8::1", port: 5060 };
const B6 = { address: "2001:db8::2", port: 5060 };
const outer = [addressBytes("10.0.0.1"), addressBytes("10.0.0.2")] as const;
const outer6 = [addressBytes("2001:db8:1::1"), addressBytes("2001:db8:1::2")] as const;
const STATIONS = "020000000002020000000001";

const invite =
  "INVITE sip:b@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\nFrom: <sip:a@a>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";

function sip(from: typeof A, to: typeof A): Buffer {
  const udp = writeUdp(from, to, Buffer.from(invite));
  return writeIp(addressBytes(from.address), addressBytes(to.address), 17, udp);
}

/** What vectors may name: IP packets with an INVITE, and Ethernet around them. */
const contents: Readonly<Record<string, Buffer>> = {
  v4: sip(A, B),
  v6: sip(A6, B6),
  eth: writeEthernet(sip(A, B)),
  eth6: writeEthernet(sip(A6, B6)),
  tagged: writeEthernet(sip(A, B), [7]),
  sip: Buffer.from(invite),
};

/** Octets from hex, with the names of {@link contents} between it. */
function octets(text: string): Buffer {
  const words = text.split(" ").filter((word) => word !== "");
  return Buffer.concat(words.map((word) => contents[word] ?? Buffer.from(word, "hex")));
}

function inIp(protocol: number, payload: Buffer, version: 4 | 6 = 4): Buffer {
  return version === 4 ? writeIp(...outer, protocol, payload) : writeIp(...outer6, protocol, payload);
}

function inUdp(port: number, payload: Buffer, version: 4 | 6 = 4): Buffer {
  const [from, to] = version === 4 ? ["10.0.0.1", "10.0.0.2"] : ["2001:db8:1::1", "2001:db8:1::2"];
  return inIp(17, writeUdp({ address: from, port: 50_000 }, { address: to, port }, payload), version);
}

/** What becomes of the vector here, and in tshark where that differs. */
type Reading = "read" | "unread" | "read, tshark does not" | "unread, tshark reads it";
type Row = readonly [name: string, linkType: number, bytes: Buffer, reading?: Reading];

const ethernet = (name: string, hex: string, reading?: Reading): Row => [
  name,
  1,
  octets(`${STATIONS} ${hex}`),
  reading ?? "read",
];
const link = (name: string, linkType: number, hex: string, reading?: Reading): Row => [
  name,
  linkType,
  octets(hex),
  reading ?? "read",
];
const gre = (name: string, hex: string, reading?: Reading): Row => [
  `GRE, ${name}`,
  1,
  writeEthernet(inIp(47, octets(hex))),
  reading ?? "read",
];
const udp = (name: string, port: number, hex: string, reading?: Reading): Row => [
  name,
  1,
  writeEthernet(inUdp(port, octets(hex))),
  reading ?? "read",
];

/** A packet of NFLOG: header and attributes, then the attribute with the packet. */
function nflog(
  name: string,
  header: string,
  attributes: string,
  content: string,
  isLittle = true,
  reading: Reading = "read",
): Row {
  const packet = octets(content);
  const head = Buffer.alloc(4);
  if (isLittle) head.writeUInt32LE((9 << 16) | (packet.length + 4));
  else head.writeUInt32BE(((packet.length + 4) << 16) | 9);
  return [name, 239, Buffer.concat([octets(header), octets(attributes), head, packet]), reading];
}

const tags: readonly Row[] = [
  ethernet("no tag", "0800 v4"),
  ethernet("802.1Q", "8100 0064 0800 v4"),
  ethernet("802.1ad over 802.1Q", "88a8 00c8 8100 0064 86dd v6"),
  ethernet("802.1Q twice", "8100 00c8 8100 0064 0800 v4"),
  ethernet("QinQ before the standard", "9100 00c8 8100 0064 0800 v4"),
  ethernet("four tags", "88a8 0001 88a8 0002 8100 0003 8100 0004 0800 v4"),
  ethernet("VN-tag", "8926 00000000 0800 v4"),
  ethernet("VN-tag over 802.1Q", "8926 80010002 8100 0064 86dd v6"),
  ethernet("802.1Q over VN-tag", "8100 0064 8926 00000000 0800 v4"),
  ethernet("802.1ah", "88a8 0001 88e7 00000001 eth"),
  ethernet(
    "MACsec, authenticated only",
    "88e5 2000 00000001 0200000000010001 0800 v4 00000000000000000000000000000000",
  ),
  ethernet("MACsec, without SCI", "88e5 0000 00000001 0800 v4 00000000000000000000000000000000"),
  ethernet("MACsec, encrypted", "88e5 2c00 00000001 0200000000010001 0800 v4", "unread"),
  ethernet("ARP", "0806 v4", "unread"),
];

const llc: readonly Row[] = [
  ethernet("802.2 SNAP", "022c aaaa03 000000 0800 v4"),
  ethernet("802.2 SNAP, IPv6", "022c aaaa03 000000 86dd v6"),
  ethernet("802.2 SNAP, bridge tunnel", "022c aaaa03 0000f8 0800 v4"),
  ethernet("802.2 SNAP behind a tag", "8100 0064 022c aaaa03 000000 0800 v4"),
  ethernet("802.2, tag behind SNAP", "022c aaaa03 000000 8100 0064 0800 v4"),
  ethernet("802.2, IP by its own SAP", "022c 060603 v4"),
  ethernet("802.2, spanning tree", "0026 424203 0000", "unread"),
  ethernet("802.2 SNAP, CDP", "0026 aaaa03 00000c 2000 v4", "unread"),
];

const mpls: readonly Row[] = [
  ethernet("MPLS, one label", "8847 00010140 v4"),
  ethernet("MPLS, three labels", "8847 00010040 00020040 00030140 v6"),
  ethernet("MPLS behind a tag", "8100 0064 8847 00010140 v4"),
  ethernet("pseudowire, control word", "8847 00010140 00000000 eth", "read, tshark does not"),
  ethernet("pseudowire, numbered control word", "8847 00010140 00000005 tagged", "read, tshark does not"),
  ethernet("pseudowire, no control word", "8847 00010140 eth", "read, tshark does not"),
  ethernet(
    "pseudowire to a station that begins like IPv4",
    "8847 00010140 450000000002020000000001 0800 v4",
    "read, tshark does not",
  ),
  ethernet("MPLS around something else", "8847 00010140 10000000", "unread"),
];

const serial: readonly Row[] = [
  link("PPP", 9, "ff03 0021 v4"),
  link("PPP, IPv6", 9, "ff03 0057 v6"),
  link("PPP, protocol of one octet", 9, "ff03 21 v4"),
  link("PPP, no address and control", 9, "0021 v4"),
  link("PPP, neither", 9, "21 v4"),
  link("PPP, MPLS", 9, "ff03 0281 00010140 v4"),
  link("PPP, bridged Ethernet", 9, "ff03 0031 0001 eth"),
  link("PPP, multilink in one piece", 9, "ff03 003d c0000001 0021 v4", "read"),
  link("PPP, LCP", 9, "ff03 c021 01010004", "unread"),
  link("PPP in HDLC", 50, "ff03 0021 v4"),
  link("Cisco HDLC on a PPP link", 50, "0f00 0800 v4"),
  link("PPPoE as a link", 51, "1100 0001 0226 0021 v4"),
  ethernet("PPPoE session", "8864 1100 0001 0226 0021 v4"),
  ethernet("PPPoE session behind tags", "88a8 0001 8100 0002 8864 1100 0001 0226 0057 v6"),
  link("PPP with direction", 204, "00 ff03 0021 v4"),
  link("PPP with direction, sent, no address", 204, "01 0021 v4"),
  link("Cisco HDLC", 104, "0f00 0800 v4"),
  link("Cisco HDLC, multicast, IPv6", 104, "8f00 86dd v6"),
  link("Cisco HDLC, SLARP", 104, "8f00 8035 00000002", "unread"),
  link("Frame Relay, NLPID of IP", 107, "1841 03cc v4"),
  link("Frame Relay, NLPID of IPv6", 107, "1841 038e v6"),
  link("Frame Relay, padding", 107, "1841 0300cc v4"),
  link("Frame Relay, SNAP", 107, "1841 0380 000000 0800 v4"),
  link("Frame Relay, padded SNAP", 107, "1841 030080 000000 86dd v6"),
  link("Frame Relay, bridged Ethernet", 107, "1841 030080 0080c2 0007 eth"),
  link("Frame Relay, EtherType", 107, "1841 0800 v4"),
  link("Frame Relay, address of four octets", 107, "18400041 03cc v4", "read"),
  link("Frame Relay, LMI", 107, "0001 0308 0075", "unread"),
];

const wlan: readonly Row[] = [
  link("802.11", 105, `0800 0000 ${STATIONS} 020000000003 1000 aaaa03 000000 0800 v4`),
  link(
    "802.11 to the distribution system",
    105,
    `0801 0000 ${STATIONS} 020000000003 1000 aaaa03 000000 86dd v6`,
  ),
  link(
    "802.11 between access points",
    105,
    `0803 0000 ${STATIONS} 020000000003 1000 020000000004 aaaa03 000000 0800 v4`,
  ),
  link("802.11 QoS", 105, `8802 0000 ${STATIONS} 020000000003 1000 0000 aaaa03 000000 0800 v4`),
  link(
    "802.11 QoS, HT control",
    105,
    `8882 0000 ${STATIONS} 020000000003 1000 0000 00000000 aaaa03 000000 0800 v4`,
  ),
  link(
    "802.11, encrypted",
    105,
    `0842 0000 ${STATIONS} 020000000003 1000 0000002000000000 aaaa03 000000 0800 v4`,
    "unread",
  ),
  link("802.11, null data", 105, `4801 0000 ${STATIONS} 020000000003 1000`, "unread"),
  link("802.11, beacon", 105, `8000 0000 ${STATIONS} 020000000003 1000 00000000`, "unread"),
  link("radiotap", 127, `00000800 00000000 0800 0000 ${STATIONS} 020000000003 1000 aaaa03 000000 0800 v4`),
  link(
    "radiotap, flags and rate",
    127,
    `00000a00 06000000 0002 8802 0000 ${STATIONS} 020000000003 1000 0000 aaaa03 000000 0800 v4`,
  ),
  link(
    "radiotap, padded header",
    127,
    `00000900 02000000 20 8802 0000 ${STATIONS} 020000000003 1000 0000 0000 aaaa03 000000 0800 v4`,
  ),
  link(
    "radiotap, timer and padded header",
    127,
    `00001100 03000000 0000000000000000 20 8802 0000 ${STATIONS} 020000000003 1000 0000 0000 aaaa03 000000 0800 v4`,
  ),
  link(
    "radiotap, two words of fields",
    127,
    `00000d00 02000080 00000000 00 0800 0000 ${STATIONS} 020000000003 1000 aaaa03 000000 0800 v4`,
  ),
  link(
    "Prism",
    119,
    `44000000 90000000 ${"00".repeat(136)} 0800 0000 ${STATIONS} 020000000003 1000 aaaa03 000000 0800 v4`,
  ),
  link(
    "AVS",
    163,
    `80211001 00000040 ${"00".repeat(56)} 0800 0000 ${STATIONS} 020000000003 1000 aaaa03 000000 0800 v4`,
  ),
  link("PPI", 192, `00000800 69000000 0800 0000 ${STATIONS} 020000000003 1000 aaaa03 000000 0800 v4`),
];

const pseudo: readonly Row[] = [
  nflog("NFLOG", "02000001", "0800 0100 00000800", "v4"),
  nflog(
    "NFLOG, attributes padded to four octets",
    "0200000a",
    "0800 0100 00000800 0700 0a00 73697000 0500 0a00 00000000",
    "v4",
  ),
  nflog("NFLOG, IPv6", "0a000000", "", "v6"),
  nflog("NFLOG, a bridge", "07000000", "", "v4", true, "unread"),
  nflog("NFLOG, big-endian host", "02000001", "0008 0001 00000800", "v4", false, "read, tshark does not"),
  link("NFLOG, no payload", 239, "02000001 0800 0100 00000800", "unread"),
  link("cooked, 802.2", 113, "0000 0001 0006 0200000000010000 0004 aaaa03 000000 0800 v4"),
  link("cooked, VLAN tag", 113, "0000 0001 0006 0200000000010000 8100 0064 0800 v4"),
  link("cooked v2, QinQ", 276, "88a8 0000 00000001 0001 00 06 0200000000010000 0064 8100 0065 0800 v4"),
  link("cooked v2, 802.2", 276, "0004 0000 00000001 0001 00 06 0200000000010000 aaaa03 000000 86dd v6"),
  link("null", 0, "02000000 v4"),
  link("raw", 101, "v6"),
  link("a link type that is not read", 147, "v4", "unread"),
];

const tunnels: readonly Row[] = [
  gre("Ethernet", "0000 6558 eth"),
  gre("NVGRE", "2000 6558 00123401 tagged"),
  gre("key, checksum and sequence", "b000 0800 0000 0000 00000007 00000001 v4", "read"),
  gre("ERSPAN I", "0000 88be eth"),
  gre("ERSPAN I with a tag", "0000 88be tagged"),
  gre("ERSPAN II", "1000 88be 00000001 1001000100000000 eth"),
  gre("ERSPAN II with a key", "3000 88be 00000007 00000001 1001180100000000 tagged"),
  gre("ERSPAN III", "1000 22eb 00000001 200100010000000000000000 eth6"),
  gre("ERSPAN III, platform header", "1000 22eb 00000001 200100010000000000000001 1c00000000000000 eth"),
  gre("ERSPAN III under the number of II", "1000 88be 00000001 200100010000000000000000 eth"),
  gre("ERSPAN III, IP alone", "1000 22eb 00000001 200100010000000000000800 v4", "read, tshark does not"),
  gre("ERSPAN of another version", "1000 88be 00000001 3001000100000000 eth", "unread"),
  gre("PPTP", "3001 880b 02340007 00000001 ff03 0021 v4"),
  gre("PPTP, acknowledgment", "3081 880b 02340007 00000001 00000001 21 v4"),
  gre("PPP", "0000 880b 0021 v4"),
  gre("something else", "0000 88b5 v4", "unread"),
  udp("VXLAN", 4789, "0800000000002a00 eth"),
  udp("VXLAN with a tag, IPv6", 4789, "0800000000002a00 eth6"),
  udp("VXLAN, group policy", 4789, "8800000700002a00 tagged"),
  udp("VXLAN on its old port", 8472, "0800000000002a00 eth", "read, tshark does not"),
  udp("VXLAN-GPE, Ethernet", 4790, "0c00000300002a00 eth"),
  udp("VXLAN-GPE, IPv4", 4790, "0c00000100002a00 v4"),
  udp("VXLAN-GPE, IPv6", 4790, "0c00000200002a00 v6"),
  udp("GENEVE", 6081, "0000655800002a00 eth"),
  udp("GENEVE, options", 6081, "0300655800002a00 0102800100000007 01028000 eth"),
  udp(
    "GENEVE, most options",
    6081,
    `3f40655800002a00 ${"0102801e".padEnd(248, "0")} ${"0102801f".padEnd(256, "0")} eth`,
  ),
  udp("GENEVE, IP", 6081, "0000080000002a00 v4"),
  udp("GENEVE, IPv6", 6081, "000086dd00002a00 v6"),
  udp("TZSP", 37_008, "01000001 01 eth"),
  udp("TZSP, tags", 37_008, "01000001 00 0a01c8 0b0101 2902ffff 01 eth"),
  udp("TZSP, 802.11", 37_008, `01000012 01 0800 0000 ${STATIONS} 020000000003 1000 aaaa03 000000 0800 v4`),
  udp("L2TP", 1701, "0002 0001 0001 ff03 0021 v4"),
  udp("L2TP, protocol of one octet", 1701, "0002 0001 0001 21 v4"),
  udp("L2TP, length", 1701, "4002 0230 0001 0001 ff03 0021 v4"),
  udp("L2TP, length, sequence and offset", 1701, "4a02 0238 0001 0001 0001 0002 0002 0000 ff03 0057 v6"),
  udp("L2TP, control message", 1701, "c802 000c 0001 0000 0000 0001", "unread"),
  udp("GTP-U", 2152, "30ff 0234 00000001 v4"),
  udp("GTP-U, extension", 2152, "34ff 023c 00000001 0000 00 85 01 1009 00 v6"),
  ["Ethernet in IP", 1, writeEthernet(inIp(97, octets("3000 eth")))],
  ["MPLS in IP", 1, writeEthernet(inIp(137, octets("00010140 v4")))],
  ["IPv4 in IPv6", 1, writeEthernet(inIp(4, octets("v4"), 6))],
  ["IPv6 in IPv6", 1, writeEthernet(inIp(41, octets("v6"), 6))],
  ["GRE in IPv6", 1, writeEthernet(inIp(47, octets("0000 88be eth6"), 6))],
  ["VXLAN in IPv6", 1, writeEthernet(inUdp(4789, octets("0800000000002a00 eth6"), 6))],
  ["VXLAN behind tags", 1, writeEthernet(inUdp(4789, octets("0800000000002a00 tagged")), [1, 2])],
  [
    "VXLAN in ERSPAN",
    1,
    writeEthernet(
      inIp(
        47,
        Buffer.concat([
          octets("1000 88be 00000001 1001000100000000"),
          writeEthernet(inUdp(4789, octets("0800000000002a00 eth"))),
        ]),
      ),
    ),
  ],
  [
    "GENEVE in GTP-U in GRE",
    1,
    writeEthernet(
      inIp(
        47,
        Buffer.concat([
          octets("0000 0800"),
          inUdp(
            2152,
            Buffer.concat([octets("30ff 0300 00000001"), inUdp(6081, octets("0000655800002a00 eth6"))]),
          ),
        ]),
      ),
    ),
  ],
  ["ESP", 1, writeEthernet(inIp(50, octets("00000001 00000001 v4"))), "unread"],
];

/** A tag of an exported PDU. */
function tag(code: number, value: string | Buffer): Buffer {
  const content = typeof value === "string" ? Buffer.from(value, "latin1") : value;
  const head = Buffer.alloc(4);
  head.writeUInt16BE(code);
  head.writeUInt16BE(content.length, 2);
  return Buffer.concat([head, content]);
}

const word = (value: number): Buffer => Buffer.from(value.toString(16).padStart(8, "0"), "hex");
const pdu = (name: string, tagsOfPdu: readonly Buffer[], content: string, reading: Reading = "read"): Row => [
  `exported PDU, ${name}`,
  252,
  Buffer.concat([...tagsOfPdu, Buffer.alloc(4), octets(content)]),
  reading,
];
const ends4 = [tag(20, Buffer.from(addressBytes(A.address))), tag(21, addressBytes(B.address))];
const ends6 = [tag(22, addressBytes(A6.address)), tag(23, addressBytes(B6.address))];
const ports = [tag(24, word(3)), tag(25, word(5060)), tag(26, word(5060))];

const pdus: readonly Row[] = [
  pdu("SIP", [tag(12, "sip\0"), ...ends4, ...ports], "sip"),
  pdu(
    "SIP, IPv6, TCP",
    [tag(12, "sip"), ...ends6, tag(24, word(2)), tag(25, word(5060)), tag(26, word(5060))],
    "sip",
  ),
  pdu(
    "SIP, length of tags first",
    [tag(10, word(8)), tag(12, "sip\0"), tag(30, word(9)), ...ends4, ...ports],
    "sip",
  ),
  pdu("SIP by a heuristic dissector", [tag(13, "sip_udp\0"), ...ends4, ...ports], "sip"),
  pdu(
    "SIP by a dissector table",
    [tag(14, "udp.port\0\0\0\0"), tag(32, word(5060)), ...ends4, ...ports],
    "sip",
  ),
  pdu("IP", [tag(12, "ip\0\0")], "v4"),
  pdu("Ethernet", [tag(12, "eth_withoutfcs")], "eth"),
  pdu("another protocol", [tag(12, "dns\0")], "sip", "unread"),
  pdu("no end of tags", [tag(12, "sip\0"), Buffer.from("00630400", "hex")], "sip", "unread"),
];

const chunk = (type: number, value: Buffer): Buffer => {
  const head = Buffer.alloc(6);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(6 + value.length, 4);
  return Buffer.concat([head, value]);
};

function hep(protocolType: number, content: Buffer): Buffer {
  const chunks = Buffer.concat([
    chunk(1, Buffer.from([2])),
    chunk(2, Buffer.from([17])),
    chunk(3, addressBytes(A.address)),
    chunk(4, addressBytes(B.address)),
    chunk(7, Buffer.from([0x13, 0xc4])),
    chunk(8, Buffer.from([0x13, 0xc4])),
    chunk(11, Buffer.from([protocolType])),
    chunk(15, content),
  ]);
  const head = Buffer.from("48455033 0000".replace(" ", ""), "hex");
  head.writeUInt16BE(head.length + chunks.length, 4);
  return Buffer.concat([head, chunks]);
}

const copies: readonly Row[] = [
  ["HEP", 1, writeEthernet(inUdp(9060, hep(1, octets("sip")))), "read, tshark does not"],
  [
    "HEP in VXLAN",
    1,
    writeEthernet(
      inUdp(
        4789,
        Buffer.concat([octets("0800000000002a00"), writeEthernet(inUdp(9060, hep(1, octets("sip"))))]),
      ),
    ),
    "read, tshark does not",
  ],
  ["HEP, RTCP", 1, writeEthernet(inUdp(9060, hep(5, Buffer.alloc(8)))), "unread"],
];

const rows: readonly Row[] = [
  ...tags,
  ...llc,
  ...mpls,
  ...serial,
  ...wlan,
  ...pseudo,
  ...tunnels,
  ...pdus,
  ...copies,
];

/** Frames of a capture that hold an INVITE, with its source, and the reasons for the others. */
function readFrames(file: Buffer): { readonly found: ReadonlyMap<number, string>; readonly unread: number } {
  const found = new Map<number, string>();
  const reader = createSignallingReader(
    createAttemptReader({
      invite: ({ frame, origin }) =>
        void found.set(frame, `${origin.sourceAddress} ${origin.destinationAddress}`),
      iam: () => {},
      malformed: ({ frame }, why) => void found.set(frame, why),
    }),
  );
  reader.push(file);
  t.equal(reader.end(), undefined);
  return { found, unread: reader.unread().reduce((sum, { packets }) => sum + packets, 0) };
}

const ends = [`${A.address} ${B.address}`, `${A6.address} ${B6.address}`, " "];

void t.test("the INVITE is found behind every layer, in both byte orders of the file", (t) => {
  for (const isLittle of [true, false]) {
    const packets = rows.map(([, linkType, bytes]) => ({ linkType, bytes }));
    const { found, unread } = readFrames(writeInterfaces(packets, isLittle));
    for (const [i, [name, , , reading = "read"]] of rows.entries()) {
      if (reading.startsWith("read")) t.ok(ends.includes(found.get(i + 1) ?? "missing"), name);
      else t.equal(found.get(i + 1), undefined, name);
    }
    t.equal(unread, rows.length - found.size, "every packet that is not read is counted once");
  }
  t.end();
});

void t.test("the page about captures names every link type that is read", (t) => {
  const page = readFileSync("docs/captures.md", "utf8");
  const numbers = new Set(page.split(/[^0-9]+/));
  for (const [name, value] of Object.entries(LinkType)) t.ok(numbers.has(String(value)), name);
  t.end();
});

void t.test(
  "tshark finds the same INVITEs",
  { skip: hasTshark() ? false : "tshark is not installed" },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "sigwall-"));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "layers.pcapng");
    writeFileSync(
      path,
      writeInterfaces(
        rows.map(([, linkType, bytes]) => ({ linkType, bytes })),
        true,
      ),
    );
    const fields = ["frame.number", "sip.Method", "frame.protocols"].flatMap((field) => ["-e", field]);
    const text = execFileSync("tshark", ["-r", path, "-T", "fields", ...fields], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const theirs = new Map(
      text.split("\n").map((line) => {
        const [frame, method, protocols] = line.split("\t");
        return [Number(frame), { isRead: method === "INVITE", protocols }];
      }),
    );
    for (const [i, [name, , , reading = "read"]] of rows.entries()) {
      const expected = reading === "read" || reading === "unread, tshark reads it";
      const { isRead = false, protocols = "" } = theirs.get(i + 1) ?? {};
      t.equal(isRead, expected, `${name}: ${protocols}`);
    }
  },
);

void t.test("a packet that ends anywhere is never read beyond its end", (t) => {
  for (const [name, linkType, bytes] of rows) {
    // What follows in memory is another packet: it must not be taken for a part of this one.
    const whole = bytes.length;
    const cut = Array.from({ length: Math.min(whole, 200) }, (_, size) => ({
      linkType,
      bytes: bytes.subarray(0, size),
      originalLength: whole,
    }));
    const { found } = readFrames(writeInterfaces(cut, true));
    t.ok(
      [...found.values()].every((text) => text === "the capture holds only a part of the packet"),
      name,
    );
  }
  t.end();
});

void t.test("layers that lie: nothing throws, and nothing is followed without end", (t) => {
  const random = createRandom(14);
  for (let round = 0; round < 40; round++) {
    const packets = rows.map(([, linkType, bytes]) => {
      const bad = Buffer.from(bytes);
      const head = Math.min(bad.length, 90);
      for (let changes = 1 + random(4); changes > 0; changes--)
        bad[random(head)] = random(3) === 0 ? 0xff : random(256);
      return { linkType: random(20) === 0 ? random(300) : linkType, bytes: bad };
    });
    readFrames(writeInterfaces(packets, random(2) === 0));
  }
  const nested: readonly (readonly [string, string])[] = [
    ["tags", "81000064"],
    ["MPLS in Ethernet", `8847 00010140 ${STATIONS}`],
    ["bridged PPP", `880b 0031 0001 ${STATIONS}`],
    ["SNAP", `0040 aaaa03 0080c2 0007 ${STATIONS}`],
  ];
  for (const [name, layer] of nested) {
    const bytes = octets(`${STATIONS} ${`${layer} `.repeat(3000)} 0800 v4`);
    const { found, unread } = readFrames(writeInterfaces([{ linkType: 1, bytes }], true));
    t.same([found.size, unread], [0, 1], name);
  }
  t.end();
});
