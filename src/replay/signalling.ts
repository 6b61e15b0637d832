// Reads the signalling of a capture: frames in, SIP messages and SS7 units out.
import type { SignallingPath } from "../domain/attempt.ts";
import type { CapturedFrame } from "../pcap/frame.ts";
import { destinationOf, sourceOf } from "../pcap/ip.ts";
import { createCaptureReader, type CaptureFault } from "../pcap/reader.ts";
import type { Arrival, StreamConsumer } from "../pcap/tcp-stream.ts";
import { NO_TUNNEL, unread, Unread } from "../pcap/links/unread.ts";
import { createTransportLayer, type TransportPacket } from "../pcap/transport.ts";
import { createUnreadCounts, type UnreadCount, type UnreadCounts } from "../pcap/unread-counts.ts";
import { createSipFramer, maySipStart } from "../sip/framer.ts";
import { createSs7Reader, isM3uaPort, type MsuSink } from "./ss7-signalling.ts";

/** Takes the messages of a capture. All bytes are valid only during the call. */
export interface SignallingSink {
  /**
   * Looks at `bytes[start, end)`, which would be given to {@link message}. Most messages of a capture are only counted, and
   * need no object for that.
   * @returns true when that was enough: `message` is not called
   */
  glance?(bytes: Buffer, start: number, end: number): boolean;
  /**
   * Takes a datagram or framed message that begins like SIP; `arrival` is the frame that completed
   * it.
   */
  message(bytes: Buffer, path: SignallingPath, arrival: Arrival): void;
  /** Takes a message of which only `bytes` exist; `why` says why the rest is missing. */
  broken(bytes: Buffer, why: string, arrival: Arrival): void;
  /** Takes a message signal unit of ISUP or BICC. */
  msu: MsuSink;
  /** Learns that the capture ends. */
  end?(): void;
}

/**
 * Reads the signalling in a capture: SIP on any port over UDP, TCP and SCTP; ISUP and BICC over
 * SIGTRAN and on signalling links.
 */
export interface SignallingReader {
  /** Takes more bytes of the file. */
  push(chunk: Buffer): void;
  /**
   * Ends the file.
   * @returns what is wrong with the file; undefined: nothing
   */
  end(): CaptureFault | undefined;
  /** Records seen so far, as Wireshark counts them. */
  frames(): number;
  /** Why packets led to no message, and how many: the most frequent reason first. */
  unread(): readonly UnreadCount[];
  /** Whether messages of earlier frames than the current one may still come. */
  waiting(): boolean;
}

// Protocol numbers of IP.
const TCP = 6;
const SCTP = 132;

/** The path of a message without addresses: of a signalling link, as far as the capture says. */
const mtpPath: SignallingPath = {
  transport: "mtp",
  sourceAddress: "",
  sourcePort: 0,
  destinationAddress: "",
  destinationPort: 0,
};

function pathOf(packet: TransportPacket, transport: "udp" | "tcp" | "sctp"): SignallingPath {
  return {
    transport,
    sourceAddress: sourceOf(packet),
    sourcePort: packet.sourcePort,
    destinationAddress: destinationOf(packet),
    destinationPort: packet.destinationPort,
  };
}

/** Returns the port that names a service: the lower one, as in Wireshark. */
function servicePort({ sourcePort, destinationPort }: SignallingPath | TransportPacket): number {
  return Math.min(sourcePort, destinationPort);
}

/** Tells whether bytes begin as a record of TLS (RFC 8446 section 5.1). */
function isTls(bytes: Buffer): boolean {
  return bytes.length >= 3 && bytes[0]! >= 20 && bytes[0]! <= 23 && bytes[1] === 3 && bytes[2]! <= 4;
}

/** Cuts one direction of a TCP connection into SIP messages. Other bytes are skipped. */
function createSipStream(path: SignallingPath, sink: SignallingSink, counts: UnreadCounts): StreamConsumer {
  const framer = createSipFramer("seek");
  let last: Arrival = { frame: 0, seconds: 0, nanos: 0 };
  /** Packets without a message, until the first message comes. */
  let strange = 0;
  let isSip = false;
  let reason = 0;

  function countStrange(bytes: Buffer): void {
    if (reason === 0) reason = unread(isTls(bytes) ? Unread.tlsPort : Unread.tcpPort, servicePort(path));
    strange += 1;
    counts.note(reason);
  }
  function recognise(): void {
    if (isSip) return;
    isSip = true;
    if (strange > 0) counts.note(reason, -strange);
  }

  function drop(why: string, arrival: Arrival): void {
    const rest = framer.rest();
    if (maySipStart(rest, 0, rest.length)) sink.broken(rest, why, arrival);
    framer.resync();
  }

  return {
    data(bytes, arrival) {
      if (!isSip) countStrange(bytes);
      framer.push(bytes);
      for (let event = framer.next(); event !== undefined; event = framer.next()) {
        recognise();
        if (event.kind === "message") {
          sink.message(event.bytes, path, arrival);
        } else if (event.kind === "fault") {
          sink.broken(event.bytes, event.why, arrival);
          framer.resync();
        }
      }
      last = { frame: arrival.frame, seconds: arrival.seconds, nanos: arrival.nanos };
    },
    gap() {
      drop("a TCP segment is missing from the capture", last);
    },
    end(arrival) {
      drop("the capture ends inside the message", arrival);
    },
    held: () => framer.rest().length,
  };
}

/** Makes a reader for one capture file. */
export function createSignallingReader(sink: SignallingSink): SignallingReader {
  const counts = createUnreadCounts();
  const ss7 = createSs7Reader((msu, path, arrival) => sink.msu(msu, path, arrival), counts);

  /**
   * Reads a message that arrives in one piece, if it begins like SIP.
   * @returns false when it does not
   */
  function readWhole(
    buffer: Buffer,
    from: number,
    end: number,
    isCut: boolean,
    transport: "udp" | "tcp" | "sctp",
    packet: TransportPacket,
  ): boolean {
    // Leading CRLFs are allowed (RFC 3261 section 7.5). Media and other binary packets end here.
    let start = from;
    while (start < end && (buffer[start] === 13 || buffer[start] === 10)) start += 1;
    if (!maySipStart(buffer, start, end)) return false;
    if (!isCut && sink.glance?.(buffer, from, end) === true) return true;
    const bytes = buffer.subarray(from, end);
    if (isCut) sink.broken(bytes, "the capture holds only a part of the packet", packet);
    else sink.message(bytes, pathOf(packet, transport), packet);
    return true;
  }

  const transport = createTransportLayer(
    {
      datagram(packet) {
        const { buffer, start, end, truncated, tunnel } = packet;
        if (readWhole(buffer, start, end, truncated, "udp", packet) || start >= end) return;
        counts.note(tunnel === NO_TUNNEL ? unread(Unread.udpPort, servicePort(packet)) : tunnel);
      },
      sctp(message, packet) {
        if (ss7.message(message, pathOf(packet, "sctp"), packet)) return;
        const { buffer, start, end, truncated } = message;
        if (!readWhole(buffer, start, end, truncated, "sctp", packet))
          counts.note(unread(Unread.sctpPort, servicePort(packet)));
      },
      open(packet) {
        const path = pathOf(packet, "tcp");
        const isM3ua = isM3uaPort(packet.sourcePort) || isM3uaPort(packet.destinationPort);
        return isM3ua ? ss7.stream(path) : createSipStream(path, sink, counts);
      },
      pdu(protocol, packet, codes) {
        if (protocol !== "sip") {
          ss7.pdu(protocol, packet, codes, packet.addressLength === 0 ? mtpPath : pathOf(packet, "sctp"));
          return;
        }
        const over = packet.protocol === TCP ? "tcp" : packet.protocol === SCTP ? "sctp" : "udp";
        if (!readWhole(packet.buffer, packet.start, packet.end, packet.truncated, over, packet))
          counts.note(unread(Unread.exportedPdu));
      },
    },
    counts,
  );
  const reader = createCaptureReader((frame: CapturedFrame) => {
    if (!ss7.frame(frame)) transport.frame(frame);
  });
  return {
    push: (chunk) => reader.push(chunk),
    end() {
      transport.end();
      sink.end?.();
      return reader.end();
    },
    frames: () => reader.frames(),
    unread: () => counts.list(),
    waiting: () => transport.waiting(),
  };
}
