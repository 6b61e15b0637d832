// Reads the signalling of a capture: frames in, SIP messages and SS7 units out.
import type { SignallingPath } from "../domain/attempt.ts";
import type { CapturedFrame } from "../pcap/frame.ts";
import { destinationOf, sourceOf } from "../pcap/ip.ts";
import { createCaptureReader, type CaptureFault } from "../pcap/reader.ts";
import type { Arrival, StreamConsumer } from "../pcap/tcp-stream.ts";
import { createTransportLayer, type TransportPacket } from "../pcap/transport.ts";
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
  /** Frames seen so far. */
  frames(): number;
  /** LINKTYPE_ values seen so far. */
  linkTypes(): readonly number[];
  /** Whether messages of earlier frames than the current one may still come. */
  waiting(): boolean;
}

function pathOf(packet: TransportPacket, transport: "udp" | "tcp" | "sctp"): SignallingPath {
  return {
    transport,
    sourceAddress: sourceOf(packet),
    sourcePort: packet.sourcePort,
    destinationAddress: destinationOf(packet),
    destinationPort: packet.destinationPort,
  };
}

/** Cuts one direction of a TCP connection into SIP messages. Other bytes are skipped. */
function createSipStream(path: SignallingPath, sink: SignallingSink): StreamConsumer {
  const framer = createSipFramer("seek");
  let last: Arrival = { frame: 0, seconds: 0, nanos: 0 };

  function drop(why: string, arrival: Arrival): void {
    const rest = framer.rest();
    if (maySipStart(rest, 0, rest.length)) sink.broken(rest, why, arrival);
    framer.resync();
  }

  return {
    data(bytes, arrival) {
      framer.push(bytes);
      for (let event = framer.next(); event !== undefined; event = framer.next()) {
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
  const ss7 = createSs7Reader((msu, path, arrival) => sink.msu(msu, path, arrival));

  /** Reads a message that arrives in one piece, if it begins like SIP. */
  function readWhole(
    buffer: Buffer,
    from: number,
    end: number,
    isCut: boolean,
    transport: "udp" | "sctp",
    packet: TransportPacket,
  ): void {
    // Leading CRLFs are allowed (RFC 3261 section 7.5). Media and other binary packets end here.
    let start = from;
    while (start < end && (buffer[start] === 13 || buffer[start] === 10)) start += 1;
    if (!maySipStart(buffer, start, end)) return;
    if (!isCut && sink.glance?.(buffer, from, end) === true) return;
    const bytes = buffer.subarray(from, end);
    if (isCut) sink.broken(bytes, "the capture holds only a part of the packet", packet);
    else sink.message(bytes, pathOf(packet, transport), packet);
  }

  const transport = createTransportLayer({
    datagram(packet) {
      readWhole(packet.buffer, packet.start, packet.end, packet.truncated, "udp", packet);
    },
    sctp(message, packet) {
      if (ss7.message(message, pathOf(packet, "sctp"), packet)) return;
      readWhole(message.buffer, message.start, message.end, message.truncated, "sctp", packet);
    },
    open(packet) {
      const path = pathOf(packet, "tcp");
      const isM3ua = isM3uaPort(packet.sourcePort) || isM3uaPort(packet.destinationPort);
      return isM3ua ? ss7.stream(path) : createSipStream(path, sink);
    },
  });
  let frames = 0;
  let linkType = -1;
  const linkTypes = new Set<number>();
  const reader = createCaptureReader((frame: CapturedFrame) => {
    frames = frame.frame;
    if (frame.linkType !== linkType) {
      linkType = frame.linkType;
      linkTypes.add(linkType);
    }
    if (!ss7.frame(frame)) transport.frame(frame);
  });
  return {
    push: (chunk) => reader.push(chunk),
    end() {
      transport.end();
      return reader.end();
    },
    frames: () => frames,
    linkTypes: () => [...linkTypes],
    waiting: () => transport.waiting(),
  };
}
