import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";

/** Records of one name and type: what stands behind "A sbc.test". */
export type Zone = Map<string, readonly DnsRecord[]>;

/** One answer. `data`: an IPv4 or IPv6 literal, or "PRIORITY WEIGHT PORT TARGET" of a SRV record. */
export interface DnsRecord {
  readonly data: string;
  readonly ttl: number;
}

/** A name server on loopback that says what the test writes into `zone`. */
export interface DnsServer {
  /** "127.0.0.1:PORT", as `nameServers` takes it. */
  readonly place: string;
  readonly zone: Zone;
  /** `answer`; `silence`: the datagram is lost; `failure`: SERVFAIL. */
  mode: "answer" | "silence" | "failure";
  /** Questions that came, "A sbc.test". */
  readonly asked: string[];
  close(): Promise<void>;
}

const types = new Map([
  [1, "A"],
  [28, "AAAA"],
  [33, "SRV"],
]);

/** RFC 1035, as much of it as these tests need: one question, uncompressed names. */
export async function openDnsServer(): Promise<DnsServer> {
  const socket = createSocket("udp4");
  await new Promise<void>((bound) => socket.bind(0, "127.0.0.1", bound));
  const server: DnsServer = {
    place: `127.0.0.1:${socket.address().port}`,
    zone: new Map(),
    mode: "answer",
    asked: [],
    close: () => new Promise((closed) => socket.close(() => closed())),
  };
  socket.on("message", (query, { address, port }) => {
    let at = 12;
    const labels: string[] = [];
    for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
      labels.push(query.toString("latin1", at + 1, at + 1 + length));
      at += 1 + length;
    }
    const type = types.get(query.readUInt16BE(at + 1)) ?? "other";
    const name = labels.join(".").toLowerCase();
    server.asked.push(`${type} ${name}`);
    if (server.mode === "silence") return;
    const records = server.mode === "failure" ? [] : (server.zone.get(`${type} ${name}`) ?? []);
    const isKnown = [...server.zone.keys()].some((key) => key.endsWith(` ${name}`));
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    const code = server.mode === "failure" ? 2 : isKnown ? 0 : 3;
    header.writeUInt16BE(0x8180 | code, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    const question = query.subarray(12, at + 5);
    const answers = records.map(({ data, ttl }) => {
      const bytes = dataOf(type, data);
      const fixed = Buffer.alloc(10);
      question.copy(fixed, 0, question.length - 4);
      fixed.writeUInt32BE(ttl, 4);
      fixed.writeUInt16BE(bytes.length, 8);
      return Buffer.concat([nameBytes(name), fixed, bytes]);
    });
    socket.send(Buffer.concat([header, question, ...answers]), port, address);
  });
  return server;
}

function dataOf(type: string, data: string): Buffer {
  if (type === "A") return Buffer.from(data.split(".").map(Number));
  if (type === "AAAA")
    return Buffer.from(data.split(":").flatMap((group) => wordOf(Number.parseInt(group, 16))));
  const [priority = "", weight = "", port = "", target = ""] = data.split(" ");
  return Buffer.concat([
    Buffer.from([priority, weight, port].map(Number).flatMap(wordOf)),
    nameBytes(target),
  ]);
}

function wordOf(value: number): number[] {
  return [value >> 8, value & 255];
}

function nameBytes(name: string): Buffer {
  const labels = name.split(".").filter((label) => label !== "");
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0]),
  ]);
}
