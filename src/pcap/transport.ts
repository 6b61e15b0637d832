// Finds UDP datagrams, TCP bytes, SCTP messages and single messages in captured frames, tunnels included.
import { createExportedPdu, readExportedPdu, type PduProtocol } from "./exported-pdu.ts";
import type { CapturedFrame } from "./frame.ts";
import { createHepMessage, isHep, readHep } from "./hep.ts";
import { createIpLayer, createIpPacket, type IpPacket } from "./ip.ts";
import { findIp, findIpBehind, LinkType } from "./links/link-layer.ts";
import { Header } from "./links/place.ts";
import { DAMAGED, NO_TUNNEL, unread, Unread } from "./links/unread.ts";
import { createSctpLayer, maySctpStart, type SctpMessage } from "./sctp.ts";
import { createTcpStreams, type StreamConsumer } from "./tcp-stream.ts";
import { findInnerIp } from "./tunnels/tunnel.ts";
import { createUnreadCounts, type UnreadCounts } from "./unread-counts.ts";

/**
 * A UDP datagram, TCP segment, SCTP packet or single message with its ports. `buffer[start, end)` of a datagram is its
 * payload. The object is reused: it is valid only during the call.
 */
export interface TransportPacket extends IpPacket {
  sourcePort: number;
  destinationPort: number;
  /** Why the tunnel in this datagram leads to no packet: a reason of `unread`. `NO_TUNNEL`: the datagram is none. */
  tunnel: number;
}

/** The protocols of a single message that is no SIP. */
export type SignallingPdu = Exclude<PduProtocol, "sctp" | "udp" | "tcp" | "ip" | "ethernet" | "hep">;

/** The point codes that a capture gives beside a message; -1 when it gives none. */
export interface GivenCodes {
  readonly opc: number;
  readonly dpc: number;
}

/** Takes what the packets of a capture carry. */
export interface TransportSink {
  /** Takes one UDP datagram, whole unless `truncated`. */
  datagram(packet: TransportPacket): void;
  /** Takes one SCTP user message, whole unless `truncated`. `packet` completed it. */
  sctp(message: SctpMessage, packet: TransportPacket): void;
  /** Opens a direction of a TCP connection. `packet` is its first segment. */
  open(packet: TransportPacket): StreamConsumer;
  /**
   * Takes a message that stands alone: an exported PDU, or one out of HEP. `packet.protocol` is its transport protocol, -1
   * when nobody says it. Left out: such messages are passed over.
   */
  pdu?(protocol: SignallingPdu, packet: TransportPacket, codes: GivenCodes): void;
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
const MAX_TUNNELS = 8;

/** Protocols by the protocol type of HEP. */
const hepProtocols: ReadonlyMap<number, SignallingPdu> = new Map([
  [1, "sip"],
  [8, "m2ua"],
  [9, "m3ua"],
  [13, "m2pa"],
]);
const noCodes: GivenCodes = { opc: -1, dpc: -1 };

/**
 * Creates a layer without connections.
 *
 * @param counts gets the packets that lead to none of these. Left out: nobody counts them
 */
export function createTransportLayer(
  sink: TransportSink,
  counts: Pick<UnreadCounts, "note"> = createUnreadCounts(),
): TransportLayer {
  const ip = createIpLayer();
  const streams = createTcpStreams();
  const sctp = createSctpLayer();
  const packet: TransportPacket = {
    ...createIpPacket(),
    sourcePort: 0,
    destinationPort: 0,
    tunnel: NO_TUNNEL,
  };
  const pdu = createExportedPdu();
  const hep = createHepMessage();
  /** The two addresses of a packet that has them outside of an IP header. */
  const addresses = Buffer.alloc(32);
  // A direction is opened while `packet` holds its first segment.
  const open = (): StreamConsumer => sink.open(packet);
  const give = (message: SctpMessage): void => sink.sctp(message, packet);

  function readPorts(): boolean {
    if (packet.start + 8 > packet.end) {
      counts.note(DAMAGED);
      return false;
    }
    packet.sourcePort = packet.buffer.readUInt16BE(packet.start);
    packet.destinationPort = packet.buffer.readUInt16BE(packet.start + 2);
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
    else if (isHep(packet.buffer, packet.start, packet.end)) readCopy();
    else sink.datagram(packet);
  }

  /** Reads a datagram or segment of HEP as the message that it copies. */
  function readCopy(): void {
    const { buffer, start, end } = packet;
    if (!readHep(hep, packet, addresses, buffer, start, end)) {
      counts.note(DAMAGED);
      return;
    }
    const protocol = hepProtocols.get(hep.type);
    packet.sourcePort = hep.sourcePort;
    packet.destinationPort = hep.destinationPort;
    packet.start = hep.start;
    packet.end = hep.end;
    if (protocol === undefined || sink.pdu === undefined) counts.note(unread(Unread.hep, hep.type));
    else sink.pdu(protocol, packet, noCodes);
  }

  /** Hands `packet`, whose payload begins with the header of its protocol, to the reader of that protocol. */
  function readTransport(): void {
    if (packet.protocol === UDP) {
      if (readPorts()) readDatagram();
    } else if (packet.protocol === TCP) {
      if (readPorts()) streams.segment(packet, open);
    } else if (packet.protocol === SCTP) {
      if (readPorts()) sctp.read(packet, give);
    } else counts.note(unread(Unread.ipProtocol, packet.protocol));
  }

  /**
   * Reads the IP header at `at` of `from` and goes on to the innermost packet. A packet quoted by ICMP never counts as a
   * message, because ICMP is another protocol.
   */
  function readIp(from: CapturedFrame | TransportPacket, at: number): void {
    if (!ip.read(from, at, packet)) {
      counts.note(DAMAGED);
      return;
    }
    for (let depth = 0; depth <= MAX_TUNNELS; depth += 1) {
      const inner = findInnerIp(packet.protocol, packet.buffer, packet.start, packet.end);
      packet.tunnel = inner;
      if (inner < 0) {
        if (inner === NO_TUNNEL || packet.protocol === UDP) readTransport();
        else counts.note(inner);
        return;
      }
      const isCut = packet.truncated;
      if (!ip.read(packet, inner, packet)) {
        counts.note(DAMAGED);
        return;
      }
      packet.truncated ||= isCut;
    }
    counts.note(unread(Unread.nested));
  }

  /** Makes `packet` the whole of a frame that has neither a link header nor addresses. */
  function begin(captured: CapturedFrame): void {
    const { seconds, nanos, buffer, start, end, originalLength } = captured;
    packet.frame = captured.frame;
    packet.seconds = seconds;
    packet.nanos = nanos;
    packet.protocol = -1;
    packet.buffer = buffer;
    packet.start = start;
    packet.end = end;
    packet.truncated = originalLength > end - start;
    packet.addresses = addresses;
    packet.addressesAt = 0;
    packet.addressLength = 0;
    packet.sourcePort = 0;
    packet.destinationPort = 0;
    packet.tunnel = NO_TUNNEL;
  }

  function readPdu(captured: CapturedFrame): void {
    begin(captured);
    if (!readExportedPdu(pdu, packet, addresses, packet.buffer, packet.start, packet.end)) {
      counts.note(DAMAGED);
      return;
    }
    packet.start = pdu.start;
    packet.sourcePort = pdu.sourcePort;
    packet.destinationPort = pdu.destinationPort;
    switch (pdu.protocol) {
      case undefined:
        counts.note(unread(Unread.exportedPdu));
        break;
      case "ip":
        readIp(packet, packet.start);
        break;
      case "ethernet":
        readFrom(packet, findIpBehind(Header.ethernet, packet.buffer, packet.start, packet.end));
        break;
      case "hep":
        if (isHep(packet.buffer, packet.start, packet.end)) readCopy();
        break;
      case "sctp":
      case "udp":
      case "tcp":
        packet.protocol = pdu.protocol === "udp" ? UDP : pdu.protocol === "tcp" ? TCP : SCTP;
        readTransport();
        break;
      case "sip":
      case "mtp2":
      case "mtp3":
      case "m3ua":
      case "m2ua":
      case "m2pa":
      case "isup":
      case "bicc":
        sink.pdu?.(pdu.protocol, packet, pdu);
    }
  }

  function readFrom(from: CapturedFrame | TransportPacket, at: number): void {
    if (at < 0) counts.note(at);
    else readIp(from, at);
  }

  function frame(captured: CapturedFrame): void {
    const { linkType, buffer, start, end } = captured;
    if (linkType === LinkType.exportedPdu) readPdu(captured);
    else if (linkType === LinkType.sctp) {
      begin(captured);
      packet.protocol = SCTP;
      readTransport();
    } else readFrom(captured, findIp(linkType, buffer, start, end));
  }

  return { frame, waiting: () => streams.waiting(), end: () => streams.end(packet) };
}
