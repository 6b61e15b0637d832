// Finds UDP datagrams, TCP bytes and SCTP messages in captured frames, tunnels included.
import type { CapturedFrame } from "./frame.ts";
import { createIpLayer, createIpPacket, type IpPacket } from "./ip.ts";
import { findIp } from "./link-layer.ts";
import { createSctpLayer, maySctpStart, type SctpMessage } from "./sctp.ts";
import { createTcpStreams, type StreamConsumer } from "./tcp-stream.ts";
import { findInnerIp } from "./tunnel.ts";

/**
 * A UDP datagram, TCP segment or SCTP packet with its ports. `buffer[start, end)` of a datagram is
 * its payload. The object is reused: it is valid only during the call.
 */
export interface TransportPacket extends IpPacket {
  sourcePort: number;
  destinationPort: number;
}

/** Takes what the packets of a capture carry. */
export interface TransportSink {
  /** Takes one UDP datagram, whole unless `truncated`. */
  datagram(packet: TransportPacket): void;
  /** Takes one SCTP user message, whole unless `truncated`. `packet` completed it. */
  sctp(message: SctpMessage, packet: TransportPacket): void;
  /** Opens a direction of a TCP connection. `packet` is its first segment. */
  open(packet: TransportPacket): StreamConsumer;
}

/**
 * Finds UDP, TCP and SCTP in captured packets of any link type. Inside tunnels the innermost packet
 * counts.
 */
export interface TransportLayer {
  frame(frame: CapturedFrame): void;
  /** @returns true while TCP bytes wait for others that have not come */
  waiting(): boolean;
  /** Ends the capture. Waiting bytes are given as they are. */
  end(): void;
}

const TCP = 6;
const UDP = 17;
const SCTP = 132;
/** The UDP port of SCTP packets inside UDP (RFC 6951). */
const SCTP_IN_UDP = 9899;
/** At most this many tunnels inside each other. */
const MAX_TUNNELS = 4;

/** Creates a layer without connections. */
export function createTransportLayer(sink: TransportSink): TransportLayer {
  const ip = createIpLayer();
  const streams = createTcpStreams();
  const sctp = createSctpLayer();
  const packet: TransportPacket = { ...createIpPacket(), sourcePort: 0, destinationPort: 0 };
  // A direction is opened while `packet` holds its first segment.
  const open = (): StreamConsumer => sink.open(packet);
  const give = (message: SctpMessage): void => sink.sctp(message, packet);

  function readPorts(): boolean {
    if (packet.start + 8 > packet.end) return false;
    packet.sourcePort = packet.buffer.readUInt16BE(packet.start);
    packet.destinationPort = packet.buffer.readUInt16BE(packet.start + 2);
    return true;
  }

  /**
   * Goes on to the innermost packet.
   * @returns false when it is not whole, or not yet
   */
  function enterTunnels(): boolean {
    for (let depth = 0; depth < MAX_TUNNELS; depth += 1) {
      const inner = findInnerIp(packet);
      if (inner < 0) return true;
      const isCut = packet.truncated;
      if (!ip.read(packet, inner, packet)) return false;
      packet.truncated ||= isCut;
    }
    return true;
  }

  function readDatagram(): void {
    const length = packet.buffer.readUInt16BE(packet.start + 4) || packet.end - packet.start;
    const end = packet.start + Math.max(length, 8);
    packet.truncated = end > packet.end;
    packet.end = Math.min(end, packet.end);
    packet.start += 8;
    const isEncapsulated = packet.sourcePort === SCTP_IN_UDP || packet.destinationPort === SCTP_IN_UDP;
    if (isEncapsulated && maySctpStart(packet) && readPorts()) sctp.read(packet, give);
    else sink.datagram(packet);
  }

  function frame(captured: CapturedFrame): void {
    const at = findIp(captured.linkType, captured.buffer, captured.start, captured.end);
    // A packet quoted by ICMP never counts as a message, because ICMP is another protocol.
    if (at < 0 || !ip.read(captured, at, packet) || !enterTunnels()) return;
    if (packet.protocol === UDP && readPorts()) readDatagram();
    else if (packet.protocol === TCP && readPorts()) streams.segment(packet, open);
    else if (packet.protocol === SCTP && readPorts()) sctp.read(packet, give);
  }

  return { frame, waiting: () => streams.waiting(), end: () => streams.end(packet) };
}
