import t from "tap";
import { readTransport, udpPacket } from "./datagrams.ts";

const STATIONS = "020000000002020000000001";
const v4 = udpPacket("hello").toString("hex");
const v6 = udpPacket("hello", 6).toString("hex");
const HELLO_V4 = ["1 udp 192.0.2.1 1000 > 198.51.100.2 2000: hello"];
const HELLO_V6 = ["1 udp 2001:db8::1 1000 > 2001:db8:0:1::2 2000: hello"];
const NOTHING: string[] = [];

const rows: readonly (readonly [name: string, linkType: number, hex: string, expected: string[]])[] = [
  ["Ethernet, IPv4", 1, `${STATIONS}0800${v4}`, HELLO_V4],
  ["Ethernet, IPv6", 1, `${STATIONS}86dd${v6}`, HELLO_V6],
  ["Ethernet, padded to its least length", 1, `${STATIONS}0800${v4}${"00".repeat(12)}`, HELLO_V4],
  ["Ethernet, ARP", 1, `${STATIONS}0806${v4}`, NOTHING],
  ["Ethernet, shorter than its header", 1, STATIONS.slice(2), NOTHING],
  ["802.1Q", 1, `${STATIONS}810000640800${v4}`, HELLO_V4],
  ["802.1ad over 802.1Q", 1, `${STATIONS}88a80064810000c886dd${v6}`, HELLO_V6],
  [
    "three tags, 0x9100 outside",
    1,
    `${STATIONS}91000001810000028100000308 00${v4}`.replaceAll(" ", ""),
    HELLO_V4,
  ],
  ["seventeen tags", 1, `${STATIONS}${"81000064".repeat(17)}0800${v4}`, NOTHING],
  ["a tag with nothing behind it", 1, `${STATIONS}8100`, NOTHING],
  ["PPPoE session, IPv4", 1, `${STATIONS}88641100000100000021${v4}`, HELLO_V4],
  ["PPPoE session, IPv6", 1, `${STATIONS}88641100000100000057${v6}`, HELLO_V6],
  ["PPPoE session, compressed protocol field", 1, `${STATIONS}886411000001000021${v4}`, HELLO_V4],
  ["PPPoE session behind a VLAN tag", 1, `${STATIONS}8100006488641100000100000021${v4}`, HELLO_V4],
  ["PPPoE session, LCP", 1, `${STATIONS}8864110000010000c021${v4}`, NOTHING],
  ["PPPoE discovery", 1, `${STATIONS}88631100000100000021${v4}`, NOTHING],
  ["PPPoE, cut in its header", 1, `${STATIONS}886411000001`, NOTHING],
  ["MPLS, two labels", 1, `${STATIONS}88470001003f0002013f` + v4, HELLO_V4],
  ["MPLS without a bottom of stack", 1, `${STATIONS}88470001003f0002003f`, NOTHING],
  ["raw IP, IPv4", 101, v4, HELLO_V4],
  ["raw IP, IPv6", 101, v6, HELLO_V6],
  ["raw IP as BSD numbers it", 12, v4, HELLO_V4],
  ["raw IP as OpenBSD numbers it", 14, v4, HELLO_V4],
  ["IPv4 alone", 228, v4, HELLO_V4],
  ["IPv6 alone", 229, v6, HELLO_V6],
  ["raw IP of version 5", 101, `5${v4.slice(1)}`, NOTHING],
  ["raw IP, empty", 101, "", NOTHING],
  ["null, little-endian host", 0, `02000000${v4}`, HELLO_V4],
  ["null, big-endian host", 0, `00000002${v4}`, HELLO_V4],
  ["null, IPv6 on macOS", 0, `1e000000${v6}`, HELLO_V6],
  ["null, IPv6 on FreeBSD", 0, `1c000000${v6}`, HELLO_V6],
  ["null, AppleTalk", 0, `10000000${v4}`, NOTHING],
  ["loop", 108, `00000002${v4}`, HELLO_V4],
  ["loop, three bytes", 108, "000000", NOTHING],
  ["cooked", 113, `00000001000602000000000100000800${v4}`, HELLO_V4],
  ["cooked, VLAN tag", 113, `0000000100060200000000010000810000640800${v4}`, HELLO_V4],
  ["cooked, ARP", 113, `00000001000602000000000100000806${v4}`, NOTHING],
  ["cooked v2, IPv4", 276, `0800000000000001000100060200000000010000${v4}`, HELLO_V4],
  ["cooked v2, IPv6", 276, `86dd000000000001000100060200000000010000${v6}`, HELLO_V6],
  ["cooked v2, VLAN tag", 276, `810000000000000100010006020000000001000000640800${v4}`, HELLO_V4],
  ["cooked v2, cut in its header", 276, `08000000000000010001000602000000000100`, NOTHING],
  ["a link type that is not known", 147, v4, NOTHING],
];

void t.test("IP is found behind every link header", async (t) => {
  for (const [name, linkType, hex, expected] of rows) {
    t.same(readTransport([{ bytes: Buffer.from(hex, "hex"), linkType }]), expected, name);
  }
});

void t.test("a packet that ends anywhere is never read beyond its end", async (t) => {
  for (const [name, linkType, hex] of rows) {
    const whole = Buffer.from(hex, "hex");
    // What follows in memory is another packet: it must not be taken for a part of this one.
    const memory = Buffer.concat([whole, Buffer.alloc(64, 0xff)]);
    const cut = Array.from(whole, (_, size) => ({ bytes: memory, end: size, linkType }));
    t.notMatch(readTransport(cut).join(), "ÿ", name);
  }
});
