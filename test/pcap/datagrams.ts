import { addressBytes, writeEthernet, writeIp, writeUdp } from "../../src/pcap/packet.ts";
import { destinationOf, sourceOf } from "../../src/pcap/ip.ts";
import { createTransportLayer } from "../../src/pcap/transport.ts";

/** One captured packet for a layer above the files: bytes, where they end, link type (default Ethernet) and time in seconds. */
export interface TestFrame {
  readonly bytes: Buffer;
  readonly end?: number;
  readonly linkType?: number;
  readonly seconds?: number;
}

/** What came of the packets: UDP payloads, SCTP messages (stream, payload protocol, text) and TCP bytes, each with the frame that completed it. */
export function readTransport(frames: readonly TestFrame[]): string[] {
  const seen: string[] = [];
  const layer = createTransportLayer({
    datagram(packet) {
      const text = packet.buffer.toString("latin1", packet.start, packet.end);
      const cut = packet.truncated ? " cut" : "";
      seen.push(
        `${packet.frame} udp ${sourceOf(packet)} ${packet.sourcePort} > ${destinationOf(packet)} ${packet.destinationPort}: ${text}${cut}`,
      );
    },
    sctp({ buffer, start, end, stream, payloadProtocol, truncated }, packet) {
      const text = `${stream}/${payloadProtocol} ${buffer.toString("latin1", start, end)}${truncated ? " cut" : ""}`;
      seen.push(
        `${packet.frame} sctp ${sourceOf(packet)} ${packet.sourcePort} > ${destinationOf(packet)} ${packet.destinationPort}: ${text}`,
      );
    },
    open(packet) {
      const name = `tcp ${packet.sourcePort}`;
      return {
        data: (bytes, arrival) => seen.push(`${arrival.frame} ${name}: ${bytes.toString("latin1")}`),
        gap: () => seen.push(`${name} gap`),
        end: () => {},
        held: () => 0,
      };
    },
  });
  let number = 0;
  for (const { bytes, end = bytes.length, linkType = 1, seconds = 0 } of frames) {
    number += 1;
    layer.frame({
      frame: number,
      seconds,
      nanos: 0,
      linkType,
      buffer: bytes,
      start: 0,
      end,
      originalLength: bytes.length,
    });
  }
  layer.end();
  return seen;
}

const IPV4 = [addressBytes("192.0.2.1"), addressBytes("198.51.100.2")] as const;
const IPV6 = [addressBytes("2001:db8::1"), addressBytes("2001:db8:0:1::2")] as const;

/** A UDP packet from port 1000 to port 2000, as IP. */
export function udpPacket(text: string, version: 4 | 6 = 4): Buffer {
  const [source, destination] = version === 4 ? IPV4 : IPV6;
  const from = { address: version === 4 ? "192.0.2.1" : "2001:db8::1", port: 1000 };
  const to = { address: version === 4 ? "198.51.100.2" : "2001:db8:0:1::2", port: 2000 };
  return writeIp(source, destination, 17, writeUdp(from, to, Buffer.from(text)));
}

/** The same packet in pieces that end at `cuts` (bytes of the UDP header and payload), as Ethernet frames. */
export function udpFragments(
  text: string,
  cuts: readonly number[],
  identification: number,
  version: 4 | 6 = 4,
): Buffer[] {
  const [source, destination] = version === 4 ? IPV4 : IPV6;
  const whole = udpPacket(text, version).subarray(version === 4 ? 20 : 40);
  const edges = [0, ...cuts, whole.length];
  return cuts.concat(whole.length).map((end, i) => {
    const offset = edges[i] ?? 0;
    const more = end < whole.length;
    return writeEthernet(
      writeIp(source, destination, 17, whole.subarray(offset, end), identification, { offset, more }),
    );
  });
}
