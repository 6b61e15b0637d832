import { hasTshark } from "../support/tshark.ts";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { parse, type ParsedPacket } from "pcap-parser";
import t from "tap";
import { createSignallingReader } from "../../src/replay/signalling.ts";
import { addressBytes, writeEthernet, writeIp, writeUdp } from "../../src/pcap/packet.ts";
import { writePcap, writePcapng, type PacketRecord } from "../../src/pcap/writer.ts";
import { readCapture } from "./reading.ts";

const FROM = { address: "192.0.2.1", port: 5060 };
const TO = { address: "198.51.100.2", port: 5061 };
const FROM6 = { address: "2001:db8::1", port: 5060 };
const TO6 = { address: "2001:db8::2", port: 5061 };

function packet(nanos: number, text: string, version: 4 | 6, tags: readonly number[] = []): PacketRecord {
  const [from, to] = version === 4 ? [FROM, TO] : [FROM6, TO6];
  const ip = writeIp(
    addressBytes(from.address),
    addressBytes(to.address),
    17,
    writeUdp(from, to, Buffer.from(text)),
  );
  return { seconds: 1_791_015_302, nanos, bytes: writeEthernet(ip, tags) };
}

const packets = [
  packet(123_456_000, "one", 4),
  packet(123_457_000, "three", 6),
  packet(999_999_000, "an odd text", 4, [100]),
  packet(999_999_000, "stacked", 6, [100, 200]),
];

void t.test("pcap-parser reads the same packets from classic captures", async (t) => {
  for (const bigEndian of [false, true]) {
    const file = writePcap(packets, { bigEndian });
    const parser = parse(Readable.from([file]));
    const theirs: object[] = [];
    parser.on("packet", ({ header, data }: ParsedPacket) => {
      theirs.push({
        seconds: header.timestampSeconds,
        nanos: header.timestampMicroseconds * 1000,
        bytes: data.toString("hex"),
        originalLength: header.originalLength,
      });
    });
    await once(parser, "end");
    const ours = readCapture(file).frames.map(({ seconds, nanos, bytes, originalLength }) => ({
      seconds,
      nanos,
      bytes,
      originalLength,
    }));
    t.equal(ours.length, packets.length);
    t.same(theirs, ours, bigEndian ? "big-endian" : "little-endian");
  }
});

function hex(value: string): string {
  return Buffer.from(value).toString("hex");
}

void t.test(
  "tshark reads what was written",
  { skip: hasTshark() ? false : "tshark is not installed" },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "sigwall-"));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const formats = [
      ["le.pcap", writePcap(packets)],
      ["be.pcap", writePcap(packets, { bigEndian: true, nanoseconds: true })],
      ["le.pcapng", writePcapng(packets.map((record) => ({ ...record, comment: "judged: 允许" })))],
      ["be.pcapng", writePcapng(packets, { bigEndian: true, nanoseconds: true })],
    ] as const;
    for (const [name, file] of formats) {
      const path = join(folder, name);
      writeFileSync(path, file);
      const fields = [
        "frame.time_epoch",
        "ip.src",
        "ipv6.src",
        "udp.dstport",
        "udp.checksum.status",
        "vlan.id",
        "data.data",
        "frame.comment",
      ];
      const text = execFileSync(
        "tshark",
        [
          "-r",
          path,
          "-T",
          "fields",
          "-o",
          "udp.check_checksum:TRUE",
          ...fields.flatMap((field) => ["-e", field]),
        ],
        { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
      );
      const comment = name === "le.pcapng" ? "judged: 允许" : "";
      t.same(
        text.split("\n").filter((line) => line !== ""),
        [
          `1791015302.123456000\t192.0.2.1\t\t5061\t1\t\t${hex("one")}\t${comment}`,
          `1791015302.123457000\t\t2001:db8::1\t5061\t1\t\t${hex("three")}\t${comment}`,
          `1791015302.999999000\t192.0.2.1\t\t5061\t1\t100\t${hex("an odd text")}\t${comment}`,
          `1791015302.999999000\t\t2001:db8::1\t5061\t1\t200\t${hex("stacked")}\t${comment}`,
        ],
        name,
      );
    }
  },
);

/** IPv6 as RFC 5952 writes it: tshark may write its last half as IPv4. */
function normalAddress(address = ""): string {
  return address.includes(":") ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}

/** Captures of others with facts that tshark read from them, where they lie beside the project. */
const shelf = join("..", "shared", "captures");

interface Facts {
  readonly packets: number;
  readonly events: readonly {
    readonly kind: string;
    readonly frame: number;
    readonly transport?: string;
    readonly srcIp?: string;
    readonly srcPort?: number;
  }[];
}

void t.test(
  "captures of others hold what tshark found",
  { skip: existsSync(shelf) ? false : "no captures of others beside the project" },
  async (t) => {
    for (const name of readdirSync(shelf).filter((file) => file.endsWith(".expected.json"))) {
      const capture = name.slice(0, -".expected.json".length);
      const facts: Facts = JSON.parse(readFileSync(join(shelf, name), "utf8"));
      for (const size of [1 << 20, 977]) {
        const seen: string[] = [];
        const reader = createSignallingReader({
          message(bytes, { transport, sourceAddress, sourcePort }, { frame }) {
            if (bytes.toString("latin1", 0, 7) === "INVITE ")
              seen.push(`${frame} ${transport} ${sourceAddress} ${sourcePort}`);
          },
          broken() {},
          msu() {},
        });
        const file = readFileSync(join(shelf, capture));
        for (let at = 0; at < file.length; at += size) reader.push(file.subarray(at, at + size));
        t.equal(reader.end(), undefined, capture);
        t.equal(reader.frames(), facts.packets, `${capture}: packets`);
        const invites = facts.events.filter((event) => event.kind === "INVITE");
        t.same(
          seen,
          invites.map(
            (event) =>
              `${event.frame} ${event.transport?.toLowerCase()} ${normalAddress(event.srcIp)} ${event.srcPort}`,
          ),
          `${capture}: INVITEs`,
        );
      }
    }
  },
);
