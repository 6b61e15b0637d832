// The summary of a capture: what was not read, by link type, EtherType, protocol or port.
import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { addressBytes, writeEthernet, writeIp, writeTcp, writeUdp } from "../../src/pcap/packet.ts";
import { writePcap } from "../../src/pcap/writer.ts";
import { inspect, replay } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "sigwall-"));
t.teardown(() => rmSync(folder, { recursive: true }));

const udp = (from: number, to: number, payload: string): Buffer => {
  const datagram = writeUdp(
    { address: "192.0.2.1", port: from },
    { address: "192.0.2.2", port: to },
    Buffer.from(payload),
  );
  return writeEthernet(writeIp(addressBytes("192.0.2.1"), addressBytes("192.0.2.2"), 17, datagram));
};
const tcp = (sequence: number, payload: string): Buffer => {
  const segment = writeTcp(
    { address: "192.0.2.1", port: 40_000 },
    { address: "192.0.2.2", port: 5061 },
    Buffer.from(payload, "latin1"),
    { sequence, flags: {} },
  );
  return writeEthernet(writeIp(addressBytes("192.0.2.1"), addressBytes("192.0.2.2"), 6, segment));
};
const ip = (protocol: number): Buffer =>
  writeEthernet(writeIp(addressBytes("192.0.2.1"), addressBytes("192.0.2.2"), protocol, Buffer.alloc(40)));
const ether = (type: string): Buffer =>
  Buffer.from(`020000000002020000000001${type}${"00".repeat(50)}`, "hex");

void t.test("a summary names what was not read, and calls encrypted only what is", async (t) => {
  const options = udp(5060, 5060, "OPTIONS sip:b@192.0.2.2 SIP/2.0\r\n\r\n");
  const vxlan = udp(50_000, 4789, "\x08\0\0\0\0\0\x2a\0aaaaaabbbbbbzz");
  const tls = "\x16\x03\x01\x00\x05hello";
  const wlan = Buffer.from(`08420000${"02".repeat(18)}1000${"00".repeat(40)}`, "hex");
  const rows: readonly (readonly [
    name: string,
    packets: readonly Buffer[],
    summary: string,
    linkType?: number,
  ])[] = [
    [
      "EtherType",
      [ether("88b5"), ether("88b5")],
      "2 packets, 0 SIP messages, 2 packets of EtherType 0x88b5 not read",
    ],
    ["UDP port", [udp(40_000, 4500, "abc")], "1 packet of UDP port 4500 not read"],
    ["TCP port", [tcp(1, "GET / HTTP/1.1"), tcp(15, "abc")], "2 packets of TCP port 5061 not read"],
    ["TLS", [tcp(1, tls), tcp(11, tls)], "2 packets of TCP port 5061 (TLS, encrypted) not read"],
    ["ESP", [ip(50)], "1 packet of IP protocol 50 (ESP, encrypted) not read"],
    ["GRE", [ip(47)], "1 packet of GRE protocol 0x0000 not read"],
    ["a tunnel with something else in it", [vxlan], "1 packet of EtherType 0x7a7a not read"],
    ["802.11", [wlan], "1 packet of IEEE 802.11 (encrypted) not read", 105],
    ["link type", [ip(17)], "1 packet of link type 147 not read", 147],
    ["cut short", [options.subarray(0, 20)], "1 packet damaged, cut short or in fragments"],
    [
      "the most frequent first, five of them named",
      [1, 2, 3, 4, 5, 6, 6, 7].map((port) => udp(40_000, port, "abc")),
      "8 packets, 0 SIP messages, 2 packets of UDP port 6 not read, 1 packet of UDP port 1 not read, 1 packet of UDP port 2 not read, 1 packet of UDP port 3 not read, 1 packet of UDP port 4 not read, 2 packets more not read",
    ],
    [
      "beside messages only what may hide calls",
      [options, ip(1), ether("0806"), udp(40_000, 4500, "abc"), ether("88b5")],
      "no call attempt: 5 packets, 1 SIP message, 1 packet of EtherType 0x88b5 not read",
    ],
    [
      "SCCP",
      [Buffer.from("83bc4153e0090003", "hex")],
      "1 packet of SS7 other than ISUP and BICC not read",
      141,
    ],
    ["nothing to tell", [options], "no call attempt: 1 packet, 1 SIP message\n"],
    ["no packet", [], "no call attempt: 0 packets, 0 SIP messages\n"],
  ];
  for (const [name, packets, summary, linkType = 1] of rows) {
    const file = writePcap(
      packets.map((bytes) => ({ seconds: 1_791_015_302, nanos: 0, bytes })),
      { linkType },
    );
    const path = join(folder, `${name}.pcap`);
    writeFileSync(path, file);
    const { stdout } = await inspect([path], false);
    t.ok(stdout.includes(summary), `${name}: ${stdout}`);
    t.equal(stdout.includes("encrypted"), summary.includes("encrypted"), name);
    t.match(
      (await replay([path], { json: false })).stdout,
      summary.split("\n")[0]?.replace("no call attempt: ", ""),
    );
  }
});
