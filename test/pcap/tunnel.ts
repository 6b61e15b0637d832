// Packets in packets: IP in IP, GRE and GTP-U.
import { Buffer } from "node:buffer";
import t from "tap";
import { addressBytes, writeEthernet, writeIp, writeUdp } from "../../src/pcap/packet.ts";
import { findInnerIp } from "../../src/pcap/tunnels/tunnel.ts";
import { readTransport } from "./datagrams.ts";

const outer = [addressBytes("10.0.0.1"), addressBytes("10.0.0.2")] as const;
const A = { address: "192.0.2.1", port: 5060 };
const B = { address: "198.51.100.2", port: 5061 };
const A6 = { address: "2001:db8::1", port: 5060 };
const B6 = { address: "2001:db8::2", port: 5061 };

const inner = writeIp(
  addressBytes(A.address),
  addressBytes(B.address),
  17,
  writeUdp(A, B, Buffer.from("hello")),
);
const inner6 = writeIp(
  addressBytes(A6.address),
  addressBytes(B6.address),
  17,
  writeUdp(A6, B6, Buffer.from("hello")),
);
const read = "1 udp 192.0.2.1 5060 > 198.51.100.2 5061: hello";
const read6 = "1 udp 2001:db8::1 5060 > 2001:db8::2 5061: hello";

function through(protocol: number, ...pieces: readonly (Buffer | string)[]): string[] {
  const payload = Buffer.concat(
    pieces.map((piece) => (typeof piece === "string" ? Buffer.from(piece, "hex") : piece)),
  );
  return readTransport([{ bytes: writeEthernet(writeIp(...outer, protocol, payload)) }]);
}

function gtp(...pieces: readonly (Buffer | string)[]): string[] {
  const payload = Buffer.concat(
    pieces.map((piece) => (typeof piece === "string" ? Buffer.from(piece, "hex") : piece)),
  );
  const udp = writeUdp({ address: "10.0.0.1", port: 2152 }, { address: "10.0.0.2", port: 2152 }, payload);
  return readTransport([{ bytes: writeEthernet(writeIp(...outer, 17, udp)) }]);
}

void t.test("the innermost packet counts", (t) => {
  t.same(through(4, inner), [read], "IP in IP");
  t.same(through(41, inner6), [read6], "IPv6 in IPv4");
  t.same(through(4, writeIp(...outer, 4, inner)), [read], "twice");
  t.same(through(47, "00000800", inner), [read], "GRE");
  t.same(through(47, "000086dd", inner6), [read6], "GRE of IPv6");
  t.same(
    through(47, "b0000800 00000000 00000007 00000001".replaceAll(" ", ""), inner),
    [read],
    "with every field",
  );
  t.same(through(47, "00006558", writeEthernet(inner, [5])), [read], "GRE of Ethernet");
  t.same(gtp("30ff002100000001", inner), [read], "GTP-U");
  t.same(gtp("32ff002500000001 0001 00 00".replaceAll(" ", ""), inner), [read], "with a sequence number");
  t.same(
    gtp("34ff002900000001 0000 00 85 01 1009 00".replaceAll(" ", ""), inner6),
    [read6],
    "with an extension",
  );
  t.end();
});

/** The optional fields of GRE that bits of the first octet announce. */
const greFields = [
  [0x80, "cccc0000"],
  [0x20, "44444444"],
  [0x10, "55555555"],
] as const;
/** A VLAN tag and an MPLS label, each in front of an IP packet. */
const vlanTag = "00050800";
const label = "00010140";

void t.test("GRE: the payload follows the fields that the bits announce", (t) => {
  for (let mask = 0; mask < 8; mask++) {
    const present = greFields.filter((_, i) => (mask & (1 << i)) !== 0);
    const bits = present.reduce((sum, [bit]) => sum + bit, 0);
    const first = bits.toString(16).padStart(2, "0");
    const fields = present.map(([, field]) => field).join("");
    const name = `first octet ${first}`;
    t.same(through(47, `${first}000800${fields}`, inner), [read], name);
    t.same(through(47, `${first}0086dd${fields}`, inner6), [read6], `${name}, IPv6`);
    t.same(through(47, `${first}006558${fields}`, writeEthernet(inner, [5])), [read], `${name}, Ethernet`);
    t.same(through(47, `${first}008100${fields}${vlanTag}`, inner), [read], `${name}, VLAN tag`);
    t.same(through(47, `${first}008847${fields}${label}`, inner), [read], `${name}, MPLS`);
    t.same(through(47, `${first}000800${fields}00000000`, inner), [], `${name}, four octets too many`);
    const header = Buffer.from(`${first}000800${fields}`, "hex");
    for (let end = 0; end <= header.length; end++)
      t.same(through(47, header.subarray(0, end)), [], `${name}, cut at ${end}`);
  }
  t.end();
});

void t.test("GRE: a position behind the packet is none", (t) => {
  const buffer = Buffer.concat([Buffer.from("b0000800000000000000000700000001", "hex"), inner]);
  for (let end = 0; end <= 16; end++) {
    t.ok(findInnerIp(47, buffer, 0, end) < 0, `the packet ends at ${end}`);
  }
  t.equal(findInnerIp(47, buffer, 0, 17), 16);
  t.end();
});

void t.test("GRE: bits of RFC 1701 are refused, reserved bits are ignored (RFC 2784 section 2)", (t) => {
  for (const first of ["40", "08", "04", "48", "c0", "60"]) {
    const fields = "00000000".repeat(2);
    t.same(through(47, `${first}000800`, inner), [], first);
    t.same(through(47, `${first}000800${fields}`, inner), [], `${first}, with fields`);
  }
  t.same(through(47, "03f80800", inner), [read], "near miss: bits 6 to 12");
  t.same(through(47, "00070800", inner), [], "version 7");
  t.end();
});

void t.test("near misses and bad input", (t) => {
  t.same(through(47, "40000800", inner), [], "routed by GRE itself");
  t.same(through(47, "00010800", inner), [], "PPTP");
  t.same(through(47, "000088b5", inner), [], "another protocol");
  t.same(through(47, "0000"), []);
  t.same(through(4), []);
  t.same(through(4, "ff"), []);
  t.equal(gtp("30fe002100000001", inner).length, 1, "an end marker is a datagram like others");
  t.match(gtp("34ff002900000001 0000 00 85 00 1009 00".replaceAll(" ", ""), inner)[0], /^1 udp 10\.0\.0\.1/);
  let nested = inner;
  for (let depth = 0; depth < 9; depth++) nested = writeIp(...outer, 4, nested);
  t.same(through(4, nested), [], "more than anybody nests");
  t.same(through(4, nested.subarray(40)), [read], "near miss: one less");
  t.end();
});

void t.test("what the capture cut short in a tunnel is cut", (t) => {
  const whole = writeEthernet(writeIp(...outer, 4, inner));
  t.same(readTransport([{ bytes: whole.subarray(0, whole.length - 2) }]), [`${read.slice(0, -2)} cut`]);
  t.end();
});
