import type { CapturedFrame } from "./frame.ts";
import { createIpLayer, createIpPacket, type IpPacket } from "./ip.ts";
import { findIp } from "./link.ts";
import { createTcpStreams, type StreamConsumer } from "./tcp-stream.ts";

/** A UDP datagram or TCP segment with its ports; of a datagram `buffer[start, end)` is the payload. Reused: never kept. */
export interface TransportPacket extends IpPacket {
  sourcePort: number;
  destinationPort: number;
}

/** Takes what the packets of a capture carry. */
export interface TransportSink {
  /** One UDP datagram, whole unless `truncated`. */
  datagram(packet: TransportPacket): void;
  /** A direction of a TCP connection begins; `packet` tells whose. */
  open(packet: TransportPacket): StreamConsumer;
}

/** Finds UDP and TCP in captured packets of any link type. */
export interface TransportLayer {
  frame(frame: CapturedFrame): void;
  /** True while some TCP bytes wait for others that have not come. */
  waiting(): boolean;
  /** The capture is over: what waits is given as it is. */
  end(): void;
}

const TCP = 6;
const UDP = 17;

/** Makes a layer that has seen nothing. */
export function createTransportLayer(sink: TransportSink): TransportLayer {
  const ip = createIpLayer();
  const streams = createTcpStreams();
  const packet: TransportPacket = { ...createIpPacket(), sourcePort: 0, destinationPort: 0 };
  // A direction is opened while its first segment is at hand.
  const open = (): StreamConsumer => sink.open(packet);

  function readPorts(): boolean {
    if (packet.start + 8 > packet.end) return false;
    packet.sourcePort = packet.buffer.readUInt16BE(packet.start);
    packet.destinationPort = packet.buffer.readUInt16BE(packet.start + 2);
    return true;
  }

  function frame(captured: CapturedFrame): void {
    const at = findIp(captured.linkType, captured.buffer, captured.start, captured.end);
    // What quotes a packet (ICMP) is another protocol, so it never counts as a message.
    if (at < 0 || !ip.read(captured, at, packet)) return;
    if (packet.protocol === UDP) {
      if (!readPorts()) return;
      const length = packet.buffer.readUInt16BE(packet.start + 4) || packet.end - packet.start;
      const end = packet.start + Math.max(length, 8);
      packet.truncated = end > packet.end;
      packet.end = Math.min(end, packet.end);
      packet.start += 8;
      sink.datagram(packet);
    } else if (packet.protocol === TCP && readPorts()) {
      streams.segment(packet, open);
    }
  }

  return { frame, waiting: () => streams.waiting(), end: () => streams.end(packet) };
}
