import {
  addressBytes,
  writeEthernet,
  writeIp,
  writeTcp,
  writeUdp,
  type PacketEnd,
} from "../src/pcap/packet.ts";
import { writePcap, writePcapng, type PacketRecord } from "../src/pcap/writer.ts";
import { writeSctp } from "../src/pcap/sctp-packet.ts";
import type { CaptureSource, SourceMessage } from "./capture-source.ts";
import { writeMessage } from "./message-text.ts";

/** Who talks in the captures: documentation addresses (RFC 5737, RFC 3849), which the policy of the verify cases knows. */
export const endpoints: Readonly<Record<string, PacketEnd>> = {
  filter: { address: "198.51.100.1", port: 5060 },
  filter6: { address: "2001:db8::1", port: 5060 },
  core: { address: "198.51.100.90", port: 5060 },
  lease: { address: "192.0.2.11", port: 5060 },
  lease6: { address: "2001:db8:11::1", port: 5060 },
  named: { address: "192.0.2.14", port: 5060 },
  moved: { address: "192.0.2.15", port: 5060 },
  stopped: { address: "192.0.2.16", port: 5060 },
  watched: { address: "192.0.2.17", port: 5060 },
  reopened: { address: "192.0.2.18", port: 5060 },
  promo: { address: "192.0.2.19", port: 5060 },
  loose: { address: "192.0.2.12", port: 5060 },
  slow: { address: "192.0.2.13", port: 5060 },
  national: { address: "192.0.2.21", port: 5060 },
  abroad: { address: "203.0.113.7", port: 5060 },
  discreet: { address: "203.0.113.9", port: 5060 },
  sent: { address: "203.0.113.10", port: 5060 },
  roaming: { address: "203.0.113.8", port: 5060 },
  stranger: { address: "203.0.113.99", port: 5060 },
};

/** SS7 travels on M3UA over SCTP. */
const M3UA = { port: 2905, payloadProtocol: 3 } as const;

/** Each direction of an association has a verification tag of its own. */
function tagOf(from: Buffer, to: Buffer): number {
  return (from.readUInt32BE(from.length - 4) ^ (to.readUInt32BE(to.length - 4) << 1)) >>> 0;
}

/** 2026-10-03T08:15:02Z: when every capture begins. */
const BEGIN_MS = 1_791_015_302_000;

/** One captured packet, and what it is for people. */
export interface MadePacket {
  readonly at: number;
  readonly bytes: Buffer;
  readonly from: string;
  readonly to: string;
  readonly what: string;
}

function endpointOf(name: string, line: number): PacketEnd {
  const endpoint = endpoints[name];
  if (endpoint === undefined) throw new Error(`line ${line}: nobody is called "${name}"`);
  return endpoint;
}

/** Pieces of `bytes` cut at offsets, in the order of capture; each with its offset. */
function cutPieces(
  bytes: Buffer,
  { cuts, order }: SourceMessage,
): readonly { readonly offset: number; readonly bytes: Buffer; readonly number: number }[] {
  const edges = [0, ...cuts, bytes.length];
  const pieces = edges.slice(1).map((end, i) => {
    const offset = edges[i] ?? 0;
    return { offset, bytes: bytes.subarray(offset, end), number: i + 1 };
  });
  if (order.length === 0) return pieces;
  return order.flatMap((number) => pieces.filter((piece) => piece.number === number));
}

/** What a message of a circuit says, for people. */
function describeIsup({ circuit: { opc, dpc, cic } }: SourceMessage, text: string): string {
  return `${opc}-${dpc}-${cic} ${text}`;
}

/** Makes the packets of a capture, one millisecond between the pieces of a message. */
export function makePackets(source: CaptureSource, name: string): readonly MadePacket[] {
  const packets: MadePacket[] = [];
  /** Next TCP sequence number by direction. */
  const sequences = new Map<string, number>();
  let at = BEGIN_MS;
  let serial = 0;
  let previous: Buffer = Buffer.alloc(0);
  let previousText = "";

  function emit(message: SourceMessage, payload: Buffer): void {
    const from = endpointOf(message.from, message.line);
    const to = endpointOf(message.to, message.line);
    const [source4, target4] = [addressBytes(from.address), addressBytes(to.address)];
    const isIsup = message.transport === "isup";
    const text = isIsup ? describeIsup(message, previousText) : payload.toString("utf8");
    const first = text.split(/\r?\n/)[0] ?? "";
    const add = (ip: Buffer, piece: string, reversed = false): void => {
      const [sender, receiver] = reversed ? [message.to, message.from] : [message.from, message.to];
      packets.push({
        at,
        bytes: writeEthernet(ip, message.vlans),
        from: sender,
        to: receiver,
        what: first + piece,
      });
      at += 1;
    };
    const label = (number: number): string => (message.cuts.length === 0 ? "" : ` (piece ${number})`);
    if (message.transport === "tcp") {
      const direction = `${message.from} ${message.to}`;
      const sequence = sequences.get(direction) ?? 1000;
      sequences.set(direction, sequence + payload.length);
      for (const piece of cutPieces(payload, message)) {
        const segment = writeTcp(from, to, piece.bytes, { sequence: sequence + piece.offset, flags: {} });
        add(writeIp(source4, target4, 6, segment), label(piece.number));
      }
      return;
    }
    if (isIsup) {
      const direction = `${message.from} ${message.to}`;
      const sender = { address: from.address, port: M3UA.port };
      const receiver = { address: to.address, port: M3UA.port };
      const begin = sequences.get(direction) ?? 1000;
      const pieces = cutPieces(payload, message);
      sequences.set(direction, begin + message.cuts.length + 1);
      for (const { offset, bytes, number } of pieces) {
        const chunk = {
          tsn: begin + number - 1,
          stream: 1,
          payloadProtocol: M3UA.payloadProtocol,
          payload: bytes,
          begins: offset === 0,
          ends: offset + bytes.length === payload.length,
        };
        add(
          writeIp(source4, target4, 132, writeSctp(sender, receiver, tagOf(source4, target4), [chunk])),
          label(number),
        );
      }
      return;
    }
    const datagram = writeUdp(from, to, payload);
    if (message.quoted) {
      const error = Buffer.concat([
        Buffer.from("0303000000000000", "hex"),
        writeIp(source4, target4, 17, datagram),
      ]);
      add(writeIp(target4, source4, 1, error), " (quoted in an ICMP error)", true);
      return;
    }
    for (const piece of cutPieces(datagram, message)) {
      const more = piece.offset + piece.bytes.length < datagram.length;
      const fragment = message.cuts.length === 0 ? undefined : { offset: piece.offset, more };
      add(writeIp(source4, target4, 17, piece.bytes, serial, fragment), label(piece.number));
    }
  }

  for (const message of source.messages) {
    at += packets.length === 0 ? 0 : message.after;
    for (let i = 0; i < message.times; i += 1) {
      if (i > 0) at += message.every - 1;
      serial += 1;
      const { address, port } = endpointOf(message.from, message.line);
      const host = `${address.includes(":") ? `[${address}]` : address}:${port}`;
      if (!message.again) previousText = message.text;
      if (!message.again) previous = writeMessage(message, `${name}-${serial}`, host);
      emit(message, previous);
    }
  }
  return packets;
}

/** The capture file of a source. The same source always gives the same bytes. */
export function writeCapture(source: CaptureSource, packets: readonly MadePacket[]): Buffer {
  const { pcapng, bigEndian, nanoseconds } = source.format;
  const records: readonly PacketRecord[] = packets.map(({ at, bytes }, i) => ({
    seconds: Math.floor(at / 1000),
    // Microseconds that differ from packet to packet, so that a reader that drops them is found out.
    nanos: (at % 1000) * 1_000_000 + (i % 1000) * 1000,
    bytes,
  }));
  return (pcapng ? writePcapng : writePcap)(records, { bigEndian, nanoseconds });
}

/** Where a capture comes from and what is in it, for people. */
export function describeCapture(source: CaptureSource, packets: readonly MadePacket[], file: string): string {
  const rows = packets.map(
    ({ from, to, what }, i) =>
      `| ${i + 1} | ${from} | ${to} | \`${what.replaceAll("|", "\\|").replaceAll("`", "'")}\` |`,
  );
  return [
    `# ${source.title}`,
    "",
    ...source.prose,
    "",
    `Made by \`npm run pcaps\` from [src/${file}](src/${file}): no packet of it was ever on a wire. Apache-2.0, as the project.`,
    "",
    "| frame | from | to | begins |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
