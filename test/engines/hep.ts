import { Buffer } from "node:buffer";
import { spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import type { Decision } from "../../src/domain/decision.ts";
import type { SignallingSource } from "../../src/domain/attempt.ts";
import { openHepExport, type HepExport } from "../../src/records/hep/hep-export.ts";
import { HepProtocol, LONGEST_HEP, writeHep, type HepPacket } from "../../src/records/hep/hep-packet.ts";
import { openDatagramPort } from "../../src/wire/udp/udp.ts";
import { LinkType } from "../../src/pcap/links/link-layer.ts";
import { writePcap } from "../../src/pcap/writer.ts";
import { decidedOf } from "../observe/decision.ts";
import { freePort } from "../support/free-port.ts";
import { request } from "../support/proxy.ts";
import { inTime, until } from "../support/until.ts";

const origin: SignallingSource = {
  signalling: "sip",
  transport: "udp",
  sourceAddress: "192.0.2.1",
  sourcePort: 5061,
  destinationAddress: "198.51.100.2",
  destinationPort: 5060,
};
const overIpv6 = { ...origin, sourceAddress: "2001:db8::1", destinationAddress: "2001:db8::2" };
const invite = Buffer.from(request({ callId: "one@example" }));

const packet: HepPacket = {
  protocol: HepProtocol.sip,
  at: Date.UTC(2026, 9, 3, 8, 15, 2) + 123.456,
  origin,
  captureId: 2001,
  password: "secret",
  correlationId: "one@example",
  payload: invite,
};

function write(given: Partial<HepPacket> = {}): Buffer {
  const into = Buffer.alloc(LONGEST_HEP);
  return into.subarray(0, writeHep(into, { ...packet, ...given }));
}

/** The chunks of a packet by type, as the specification lays them out: vendor, type, length with header, value. */
function read(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const chunks = new Map<number, Buffer>();
  let at = 6;
  while (at < bytes.length) {
    const [vendor, type, length] = [0, 2, 4].map((offset) => bytes.readUInt16BE(at + offset));
    if (vendor !== 0 || type === undefined || length === undefined) throw new Error("no generic chunk");
    chunks.set(type, bytes.subarray(at + 6, at + length));
    at += length;
  }
  if (
    bytes.toString("latin1", 0, 4) !== "HEP3" ||
    bytes.readUInt16BE(4) !== bytes.length ||
    at !== bytes.length
  )
    throw new Error("no HEP packet of this length");
  return chunks;
}

/** The same, as hexadecimal digits. */
function hex(given?: Partial<HepPacket>): Record<number, string> {
  return Object.fromEntries([...read(write(given))].map(([type, value]) => [type, value.toString("hex")]));
}

void t.test("HEP packet: chunks as the specification has them", (t) => {
  const v4 = hex();
  t.match(v4, { 1: "02", 2: "11", 3: "c0000201", 4: "c6336402", 7: "13c5", 8: "13c4" });
  t.match(v4, { 10: (123_456).toString(16).padStart(8, "0"), 11: "01", 12: "000007d1" });
  t.equal(Number.parseInt(v4[9] ?? "", 16), Date.UTC(2026, 9, 3, 8, 15, 2) / 1000);
  t.equal(v4[14], Buffer.from("secret").toString("hex"));
  t.equal(v4[15], invite.toString("hex"), "the message, byte for byte");
  t.equal(v4[17], Buffer.from("one@example").toString("hex"));
  t.match(hex({ origin: overIpv6 }), {
    1: "0a",
    3: undefined,
    5: "20010db8000000000000000000000001",
    6: "20010db8000000000000000000000002",
  });
  t.match(
    hex({ origin: { ...overIpv6, sourceAddress: "192.0.2.1" } })[5],
    "00000000000000000000ffffc0000201",
    "IPv4 beside IPv6 is mapped",
  );
  t.equal(hex({ origin: { ...origin, transport: "tcp" } })[2], "06");
  t.equal(hex({ origin: { ...origin, transport: "tls" } })[2], "06");
  t.equal(hex({ protocol: HepProtocol.log })[11], "64");
  t.equal(hex({ password: undefined })[14], undefined);
  t.equal(hex({ correlationId: "ü" })[17], "c3bc", "UTF-8");
  t.end();
});

void t.test("HEP packet: as long as a datagram, and no byte longer", (t) => {
  const overhead = write().length - invite.length;
  const most = LONGEST_HEP - overhead;
  t.equal(write({ payload: Buffer.alloc(most) }).length, LONGEST_HEP);
  t.equal(write({ payload: Buffer.alloc(most + 1) }).length, 0);
  t.equal(write({ correlationId: "ü".repeat(40_000) }).length, 0, "characters of two bytes");
  t.equal(write({ correlationId: "x".repeat(70_000) }).length, 0);
  t.equal(write({ origin: { ...origin, sourceAddress: "" } }).length, 0, "an address that is none");
  t.end();
});

async function settle(hep: HepExport, messages: number): Promise<void> {
  const { lost } = hep.figures();
  await until(() => hep.figures().sent + lost.queue + lost.size + lost.socket >= messages);
}

void t.test("HEP export: a message and its verdict; what finds no room is counted", async (t) => {
  const collector = createSocket("udp4");
  collector.bind(0, "127.0.0.1");
  await once(collector, "listening");
  const faults: unknown[] = [];
  const target = { address: "127.0.0.1", port: collector.address().port };
  const hep = await openHepExport({ target, captureId: 7, password: undefined }, openDatagramPort, (error) =>
    faults.push(error),
  );
  const heard: Buffer[] = [];
  const two = new Promise<void>((resolve) => {
    collector.on("message", (bytes) => {
      heard.push(bytes);
      if (heard.length === 2) resolve();
    });
  });
  const bytes = Buffer.from(invite);
  const told = decidedOf({
    shadow: [{ rule: "hidden-caller", verdict: { kind: "reject", reason: "cli-hidden" } }],
  });
  hep.push({ ...told, bytes });
  bytes.fill(0);
  hep.push(told);
  await two;
  const [sip, log] = heard.map(read);
  t.equal(sip?.get(15)?.toString(), invite.toString(), "copied: the buffer belongs to the next message");
  t.same(sip?.get(17), log?.get(17), "joined by the Call-ID");
  t.equal(log?.get(11)?.[0], 100);
  t.same(JSON.parse(log?.get(15)?.toString() ?? ""), {
    trunk: "lease",
    verdict: "reject",
    reason: "cli-not-listed",
    rule: "caller-authentication",
    marks: [],
    shadow: [{ rule: "hidden-caller", verdict: "reject", reason: "cli-hidden" }],
    action: "answered",
    status: 403,
    why: "not in the lessee's list",
    revision: "9f2c",
  });
  t.same(hep.figures(), { sent: 1, lost: { queue: 0, size: 0, socket: 0 } });

  hep.push({ ...told, bytes: Buffer.alloc(LONGEST_HEP) });
  await settle(hep, 2);
  t.equal(hep.figures().lost.size, 1, "larger than a datagram");
  for (let call = 0; call < 5000; call++) hep.push({ ...told, bytes: invite });
  t.equal(hep.figures().lost.queue, 5000 - 4096, "as many wait, the rest is lost at once");
  await settle(hep, 5002);
  for (let call = 0; call < 200; call++) hep.push({ ...told, bytes: Buffer.alloc(60_000) });
  t.equal(hep.figures().lost.queue, 5000 - 4096 + 200 - 139, "and so many bytes");
  await hep.close();
  const { sent, lost } = hep.figures();
  t.equal(sent + lost.queue + lost.size, 5202, "nothing is forgotten");
  t.same(faults, []);
  collector.close();
});

void t.test(
  "HEP export: another request, one that was refused before any rule was asked included",
  async (t) => {
    const collector = createSocket("udp4");
    collector.bind(0, "127.0.0.1");
    await once(collector, "listening");
    const heard: Buffer[] = [];
    collector.on("message", (bytes) => void heard.push(bytes));
    const target = { address: "127.0.0.1", port: collector.address().port };
    const hep = await openHepExport(
      { target, captureId: 7, password: undefined },
      openDatagramPort,
      (error) => void t.fail(String(error)),
    );
    const { decision, action } = decidedOf({});
    const asked = { kind: "request", call: undefined, trunk: "lease", at: 0, action } as const;
    const message = Buffer.from("MESSAGE sip:a SIP/2.0\r\n\r\n");
    const bye = Buffer.from("BYE sip:a SIP/2.0\r\n\r\n");
    const unknown: Decision = {
      ...decision,
      verdict: { kind: "reject", reason: "dialog-unknown", facts: { fault: "no Route of ours" } },
      rule: "protocol",
    };
    hep.push({
      ...asked,
      method: "BYE",
      reason: "dialog-unknown",
      decision: unknown,
      refusedAs: "kind",
      bytes: bye,
    });
    hep.push({ ...asked, method: "MESSAGE", reason: "cli-not-listed", decision, bytes: message });
    await until(() => heard.length === 4);
    t.same(
      heard.map(read).map((chunks) => chunks.get(15)?.toString().split("\r\n")[0]),
      [
        "BYE sip:a SIP/2.0",
        '{"trunk":"lease","verdict":"reject","reason":"dialog-unknown","rule":"protocol","marks":[],"shadow":[],"action":"answered","status":403,"why":"no Route of ours","revision":"9f2c"}',
        "MESSAGE sip:a SIP/2.0",
        `{"trunk":"lease","verdict":"reject","reason":"cli-not-listed","rule":"caller-authentication","marks":[],"shadow":[],"action":"answered","status":403,"why":"not in the lessee's list","revision":"9f2c"}`,
      ],
    );
    t.same(hep.figures(), { sent: 2, lost: { queue: 0, size: 0, socket: 0 } });
    await hep.close();
    collector.close();
  },
);

/** A packet to port 9060 in a capture: IPv4 without a link layer. */
function inCapture(packets: readonly Buffer[]): Buffer {
  return writePcap(
    packets.map((payload, index) => {
      const header = Buffer.alloc(28);
      header.writeUInt8(0x45, 0);
      header.writeUInt16BE(28 + payload.length, 2);
      header.writeUInt8(17, 9);
      header.set([127, 0, 0, 1, 127, 0, 0, 1], 12);
      header.writeUInt16BE(9060, 22);
      header.writeUInt16BE(8 + payload.length, 24);
      return { seconds: index, nanos: 0, bytes: Buffer.concat([header, payload]) };
    }),
    { linkType: LinkType.raw },
  );
}

function tshark(args: readonly string[]): readonly string[] | undefined {
  const { error, stdout } = spawnSync("tshark", args, { encoding: "utf8" });
  return error === undefined ? stdout.trimEnd().split("\n") : undefined;
}

void t.test("HEP packet: as a dissector of other authors reads it", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  // tshark has no dissector for HEP of its own; that of github.com/sipcapture/hep-wireshark is a script in Lua.
  const script = process.env["HEP_DISSECTOR"];
  const known = tshark(["-G", "protocols"])?.some((line) => line.endsWith("\thep3")) ?? false;
  if (!known && script === undefined) {
    t.pass("tshark", { skip: "HEP_DISSECTOR does not name hep.lua: what tshark makes of HEP is left out" });
    t.end();
    return;
  }
  const log = { protocol: HepProtocol.log, payload: Buffer.from('{"verdict":"reject"}') };
  const packets = [write(), write(log), write({ origin: overIpv6 }), write({ ...log, origin: overIpv6 })];
  const capture = join(folder, "hep.pcap");
  writeFileSync(capture, inCapture(packets));
  const names =
    "ip_family transport_layer_protocol application_protocol source_ipv4_address source_ipv6_address " +
    "destination_ipv6_address source_port destination_port timestamp_unix timestamp_microsec " +
    "capture_node_id auth_key correlation_id";
  const fields = names.split(" ").flatMap((name) => ["-e", `hep3.${name}`]);
  const lua = script === undefined ? [] : ["-X", `lua_script:${script}`];
  const lines = tshark([
    ...lua,
    "-r",
    capture,
    "-T",
    "fields",
    "-E",
    "separator=|",
    ...fields,
    "-e",
    "sip.Method",
  ]);
  const rest = `5061|5060|${Date.UTC(2026, 9, 3, 8, 15, 2) / 1000}|123456|2001|secret|one@example`;
  t.same(lines, [
    `IPv4|UDP|SIP|192.0.2.1|||${rest}|INVITE`,
    `IPv4|UDP|LOG|192.0.2.1|||${rest}|`,
    `IPv6|UDP|SIP||2001:db8::1|2001:db8::2|${rest}|INVITE`,
    `IPv6|UDP|LOG||2001:db8::1|2001:db8::2|${rest}|`,
  ]);
  t.end();
});

void t.test("HEP packet: as sngrep takes it", async (t) => {
  if (spawnSync("sngrep", ["--version"]).error !== undefined) {
    t.pass("sngrep", { skip: "not installed: what it makes of HEP is left out" });
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "sigwall-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const capture = join(folder, "taken.pcap");
  const port = await freePort("127.0.0.1");
  const child = spawn("sngrep", ["-F", "-N", "-L", `udp:127.0.0.1:${port}`, "-O", capture], {
    env: { ...process.env, TERM: "dumb" },
  });
  const socket = createSocket("udp4");
  // It does not say when it is there: the same call again is no other call.
  const timer = setInterval(() => socket.send(write({ password: undefined }), port, "127.0.0.1"), 50);
  let said = "";
  const counted = new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes("count: 1")) resolve();
    });
    child.once("close", (code) => reject(new Error(`sngrep ended with ${code}: ${said}`)));
  });
  try {
    await inTime(counted, () => `sngrep has taken no call: ${said}`);
  } finally {
    clearInterval(timer);
  }
  socket.close();
  child.kill("SIGINT");
  await once(child, "close");
  const fields = ["ip.src", "ip.dst", "udp.srcport", "udp.dstport", "frame.time_epoch", "sip.Call-ID"];
  const lines = tshark([
    "-r",
    capture,
    "-T",
    "fields",
    "-E",
    "separator=|",
    ...fields.flatMap((name) => ["-e", name]),
  ]);
  if (lines === undefined) t.pass("tshark", { skip: "not installed: what sngrep wrote is not read" });
  else
    t.match(
      lines[0],
      `192.0.2.1|198.51.100.2|5061|5060|${Date.UTC(2026, 9, 3, 8, 15, 2) / 1000}.123456000|one@example`,
    );
});
