import { hasTshark } from "../support/tshark.ts";
import { execFileSync } from "node:child_process";
import { Buffer } from "node:buffer";
import t from "tap";
import { encodeIsup, writeM3ua } from "../../pcaps/isup-text.ts";
import type { SignallingSource } from "../../src/domain/attempt.ts";
import { parseLines, replay } from "../verify/run.ts";
import { block, createPlace, invite, noon, openLog, segmentsBelow, udp4, verify } from "./evidence-place.ts";

const wide = { sourceAddress: "2001:db8::9", destinationAddress: "2001:db8::1" };
const iam = encodeIsup("IAM called=3:2787654321 calling=3:1087654321");
const m3ua = writeM3ua({ opc: 1, dpc: 2, cic: 14 }, iam);
const m3uaOfTcp = writeM3ua({ opc: 1, dpc: 2, cic: 15 }, iam);
const ss7 = { signalling: "isup", transport: "sctp", sourcePort: 2905, destinationPort: 2905 } as const;

/** Each origin with its message, and what tshark sees of it: protocol, addresses and Call-ID or CIC. */
const rows: readonly (readonly [SignallingSource, Buffer, string])[] = [
  [udp4, invite("c-udp4"), "SIP 192.0.2.9 198.51.100.1 5060 c-udp4"],
  [{ ...udp4, ...wide }, invite("c-udp6"), "SIP 2001:db8::9 2001:db8::1 5060 c-udp6"],
  [{ ...udp4, transport: "tcp" }, invite("c-tcp4"), "SIP 192.0.2.9 198.51.100.1 5060 c-tcp4"],
  [{ ...udp4, transport: "tcp" }, invite("c-same"), "SIP 192.0.2.9 198.51.100.1 5060 c-same"],
  [{ ...udp4, ...wide, transport: "tcp" }, invite("c-tcp6"), "SIP 2001:db8::9 2001:db8::1 5060 c-tcp6"],
  [
    { ...udp4, transport: "tls", destinationPort: 5061 },
    invite("c-tls"),
    "SIP 192.0.2.9 198.51.100.1 5061 c-tls",
  ],
  [{ ...udp4, sourceAddress: "::ffff:192.0.2.9" }, invite("c-map"), "SIP 192.0.2.9 198.51.100.1 5060 c-map"],
  [
    { ...udp4, sourceAddress: "fe80::9%eth0", destinationAddress: "fe80::1%eth0" },
    invite("c-zone"),
    "SIP fe80::9 fe80::1 5060 c-zone",
  ],
  [
    { ...udp4, sourceAddress: "", destinationAddress: "", sourcePort: 0 },
    invite("c-none"),
    "SIP 0.0.0.0 0.0.0.0 5060 c-none",
  ],
  [{ ...udp4, ...ss7 }, m3ua, "ISUP(ITU) 192.0.2.9 198.51.100.1 2905 14"],
  [{ ...udp4, ...ss7, transport: "tcp" }, m3uaOfTcp, "ISUP(ITU) 192.0.2.9 198.51.100.1 2905 15"],
  [{ ...udp4, ...wide, ...ss7 }, m3ua, "ISUP(ITU) 2001:db8::9 2001:db8::1 2905 14"],
  [{ ...udp4, sourcePort: 5062 }, invite("c-odd", "x"), "SIP 192.0.2.9 198.51.100.1 5060 c-odd"],
];

function writeRows(t: Parameters<typeof createPlace>[0]): string {
  const place = createPlace(t);
  const log = openLog(place);
  for (const [i, [origin, bytes]] of rows.entries())
    log.append({
      at: noon + i + 0.25,
      origin,
      bytes,
      originalLength: bytes.length,
      line: `{"row":${i},"note":"拦截"}`,
    });
  log.gap('{"record":"gap","lost":3}', noon + 100);
  log.checkpoint(noon);
  log.close();
  t.same(verify(place.folder).faults, []);
  return segmentsBelow(place.folder)[0] ?? "";
}

void t.test(
  "tshark decodes SIP over UDP, TCP and TLS, and ISUP over SCTP, with valid checksums and the line as comment",
  { skip: hasTshark() ? false : "tshark is not installed" },
  (t) => {
    const path = writeRows(t);
    const fields = ["ip.src", "ipv6.src", "ip.dst", "ipv6.dst", "udp.dstport", "tcp.dstport", "sctp.dstport"];
    const checks = [
      "ip.checksum.status",
      "udp.checksum.status",
      "tcp.checksum.status",
      "sctp.checksum.status",
    ];
    const more = ["sip.Call-ID", "isup.cic", "_ws.col.Protocol", "frame.comment", "frame.time_epoch"];
    const options = ["ip.check_checksum", "udp.check_checksum", "tcp.check_checksum"].map(
      (name) => `${name}:TRUE`,
    );
    const text = execFileSync(
      "tshark",
      [
        "-r",
        path,
        "-T",
        "fields",
        "-E",
        "separator=|",
        ...[...options, "sctp.checksum:TRUE"].flatMap((option) => ["-o", option]),
        ...[...fields, ...checks, ...more].flatMap((field) => ["-e", field]),
      ],
      { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
    );
    const lines = text.trimEnd().split("\n");
    t.equal(lines.length, rows.length + 1);
    for (const [i, [, , expected]] of rows.entries()) {
      const cells = (lines[i] ?? "").split("|");
      const [v4, v6, to4, to6, udp, tcp, sctp, ...rest] = cells;
      const [callId, cic, protocol, comment, time] = rest.slice(4);
      t.equal(
        [protocol, `${v4}${v6}`, `${to4}${to6}`, `${udp}${tcp}${sctp}`, `${callId}${cic}`].join(" "),
        expected,
      );
      t.notOk(rest.slice(0, 4).includes("0"), `no checksum is bad: ${rest.slice(0, 4).join(",")}`);
      t.equal(comment, `{"row":${i},"note":"拦截"}`);
      t.equal(time, `${noon / 1000}.${String(i).padStart(3, "0")}250000`);
    }
    t.match(lines.at(-1), '{"record":"gap","lost":3}', "the gap has no packet, and its line");
    t.end();
  },
);

void t.test("replay judges an evidence file again", async (t) => {
  const { code, stdout, stderr } = await replay([writeRows(t)]);
  t.equal(code, 0, stderr);
  const lines = parseLines(stdout);
  t.equal(lines.filter(({ callId }) => typeof callId === "string").length, 10);
  t.equal(lines.filter(({ isup }) => isup !== undefined).length, 3);
  t.equal(lines.length, rows.length);
  t.ok(
    lines.every(({ verdict }) => verdict !== undefined),
    "each has a verdict",
  );
});

void t.test("a message that is longer than 16 KiB is cut; its true length is said", (t) => {
  const place = createPlace(t);
  const log = openLog(place);
  for (const origin of [udp4, { ...udp4, ...wide, transport: "tcp" } as const, { ...udp4, ...ss7 }]) {
    const bytes = Buffer.concat([invite("long"), Buffer.alloc(20_000, "x")]);
    log.append({ ...block("long"), origin, bytes, originalLength: bytes.length });
    log.append({ ...block("longest"), origin, bytes, originalLength: 70_000 });
  }
  log.checkpoint(noon);
  log.close();
  t.same(verify(place.folder).faults, []);
  const [path = ""] = segmentsBelow(place.folder);
  if (hasTshark()) {
    const args = ["-r", path, "-T", "fields", "-e", "frame.cap_len", "-e", "frame.len"];
    const text = execFileSync("tshark", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const size = invite("long").length + 20_000;
    t.same(text.trimEnd().split("\n"), [
      `${28 + 16_384}\t${28 + size}`,
      `${28 + 16_384}\t${28 + 70_000}`,
      `${60 + 16_384}\t${60 + size}`,
      `${60 + 16_384}\t${60 + 70_000}`,
      `${48 + 16_384}\t${48 + size}`,
      `${48 + 16_384}\t${48 + 70_000}`,
    ]);
  } else t.pass("lengths", { skip: "tshark is not installed" });
  t.end();
});
