// Reads the SS7 signalling of a capture: links and SIGTRAN in, ISUP and BICC units out.
import type { SignallingPath } from "../domain/attempt.ts";
import type { CapturedFrame } from "../pcap/frame.ts";
import { LinkType } from "../pcap/links/link-layer.ts";
import { unread, Unread } from "../pcap/links/unread.ts";
import type { SctpMessage } from "../pcap/sctp.ts";
import type { Arrival, StreamConsumer } from "../pcap/tcp-stream.ts";
import type { GivenCodes, SignallingPdu, TransportPacket } from "../pcap/transport.ts";
import type { UnreadCounts } from "../pcap/unread-counts.ts";
import { createLinkPayload, readM2pa, readM2ua, readMtp2 } from "../ss7/mtp-link.ts";
import {
  claimedLength,
  createM3uaMessage,
  HEADER,
  isTransfer,
  readM3ua,
  readProtocolData,
} from "../ss7/m3ua.ts";
import { createMsu, isCallControl, ServiceIndicator, type Msu } from "../ss7/mtp3.ts";
import { createRoutingLabelForm } from "./routing-label-form.ts";

/** Takes the units of ISUP and BICC in a capture. All arguments are valid only during the call. */
export type MsuSink = (msu: Msu, path: SignallingPath, arrival: Arrival) => void;

/** Reads SS7 signalling in captures: on signalling links, and over SCTP and TCP. */
export interface Ss7Reader {
  /**
   * Takes a frame of a signalling link.
   * @returns false when the link type is another
   */
  frame(frame: CapturedFrame): boolean;
  /**
   * Takes a user message of SCTP.
   * @returns false when it belongs to no SS7 adaptation layer
   */
  message(message: SctpMessage, path: SignallingPath, arrival: Arrival): boolean;
  /** Takes a message that stands alone: an exported PDU, or one out of HEP. `end` lies behind its last octet. */
  pdu(
    protocol: Exclude<SignallingPdu, "sip">,
    packet: TransportPacket,
    codes: GivenCodes,
    path: SignallingPath,
  ): void;
  /** Takes one direction of a TCP connection that carries M3UA, as libosmo-sigtran does. */
  stream(path: SignallingPath): StreamConsumer;
}

/** The path of frames on a signalling link, which has no addresses. */
const link: SignallingPath = {
  transport: "mtp",
  sourceAddress: "",
  sourcePort: 0,
  destinationAddress: "",
  destinationPort: 0,
};

/** The SS7 adaptation layers over SCTP. */
type Adaptation = "m2ua" | "m3ua" | "m2pa";

/** Identifiers of other protocols. That of Diameter is none of them: what is no Diameter goes by the port. */
const otherIdentifiers: readonly number[] = [
  1, 4, 6, 7, 8, 10, 11, 12, 13, 18, 19, 20, 24, 25, 27, 29, 31, 32, 33, 34, 35, 36, 37, 43, 44, 45, 47, 49,
  50, 60, 61, 62, 64, 99,
];

/**
 * Protocols by their SCTP payload protocol identifier (IANA registry). Undefined: a protocol that is not read here. An
 * identifier that is not in the table says nothing: 0 is unspecified, others are in the wrong byte order.
 */
const byIdentifier: ReadonlyMap<number, Adaptation | undefined> = new Map([
  [2, "m2ua"],
  [3, "m3ua"],
  [5, "m2pa"],
  ...otherIdentifiers.map((identifier) => [identifier, undefined] as const),
]);

/** Adaptation layers by their port (RFC 3331, RFC 4666, RFC 4165). */
const byPort: ReadonlyMap<number, Adaptation> = new Map([
  [2904, "m2ua"],
  [2905, "m3ua"],
  [3565, "m2pa"],
]);

/** Port of M3UA. TCP streams on other ports are read as SIP. */
const M3UA_PORT = 2905;
/** At most this many octets in one message of a stream; a longer claim is no message. */
const MAX_MESSAGE = 65_536;
/** Octets that LINKTYPE_MTP2_WITH_PHDR puts first: sent or received, annex A used, link number. */
const MTP2_PSEUDO_HEADER = 4;

const OTHER = unread(Unread.otherSs7);
const CUT = "the capture holds only a part of it";

/** Tells whether a port is that of M3UA. */
export function isM3uaPort(port: number): boolean {
  return port === M3UA_PORT;
}

/**
 * Returns the layer of an SCTP user message as Wireshark finds it: by the payload protocol identifier; where that says
 * nothing by the lower port, then by the higher one.
 */
function adaptationOf(
  identifier: number,
  { sourcePort, destinationPort }: SignallingPath,
): Adaptation | undefined {
  if (byIdentifier.has(identifier)) return byIdentifier.get(identifier);
  return (
    byPort.get(Math.min(sourcePort, destinationPort)) ?? byPort.get(Math.max(sourcePort, destinationPort))
  );
}

/** Makes a reader for one capture file. `counts` gets what is neither ISUP nor BICC. */
export function createSs7Reader(sink: MsuSink, counts: Pick<UnreadCounts, "note">): Ss7Reader {
  const msu = createMsu();
  const payload = createLinkPayload();
  const m3ua = createM3uaMessage();
  const labels = createRoutingLabelForm();

  /** Gives `msu` to the sink when a unit of ISUP or BICC was read into it. */
  function give(isRead: boolean, path: SignallingPath, arrival: Arrival): void {
    if (isRead) sink(msu, path, arrival);
    else counts.note(OTHER);
  }

  /** Reads a unit with its routing label, as on links. */
  function readUnit(bytes: Buffer, start: number, end: number, isCut: boolean): boolean {
    if (!labels.read(msu, bytes, start, end)) return false;
    if (isCut) msu.fault = CUT;
    return true;
  }

  function readM3uaUnit(bytes: Buffer, start: number, end: number): boolean {
    readM3ua(m3ua, bytes, start, end);
    if (!isTransfer(m3ua) || m3ua.dataStart < 0) return false;
    if (m3ua.isDraft) return readUnit(bytes, m3ua.dataStart, m3ua.dataEnd, m3ua.fault !== undefined);
    return readProtocolData(msu, m3ua, bytes) && isCallControl(msu);
  }

  function readAdapted(layer: Adaptation, bytes: Buffer, start: number, end: number): boolean {
    if (layer === "m3ua") return readM3uaUnit(bytes, start, end);
    const readLink = layer === "m2ua" ? readM2ua : readM2pa;
    return readLink(payload, bytes, start, end) && readUnit(bytes, payload.start, payload.end, payload.isCut);
  }

  function readMtp2Unit(
    bytes: Buffer,
    start: number,
    end: number,
    isCut: boolean,
    isExtended: boolean,
  ): boolean {
    return (
      start < end &&
      readMtp2(payload, bytes, start, end, isExtended) &&
      readUnit(bytes, payload.start, payload.end, payload.isCut || isCut)
    );
  }

  /** Makes a unit of a message of ISUP or BICC that comes without its label. */
  function readUser(packet: TransportPacket, si: number, { opc, dpc }: GivenCodes): boolean {
    msu.opc = Math.max(opc, 0);
    msu.dpc = Math.max(dpc, 0);
    msu.si = si;
    msu.ni = 0;
    msu.networkAppearance = -1;
    msu.sls = 0;
    msu.cic = -1;
    msu.bytes = packet.buffer;
    msu.start = packet.start;
    msu.end = packet.end;
    msu.fault = packet.truncated ? CUT : undefined;
    return packet.start < packet.end;
  }

  function readPdu(
    protocol: Exclude<SignallingPdu, "sip">,
    packet: TransportPacket,
    codes: GivenCodes,
  ): boolean {
    const { buffer, start, end, truncated } = packet;
    switch (protocol) {
      case "mtp2":
        return readMtp2Unit(buffer, start, end, truncated, false);
      case "mtp3":
        return readUnit(buffer, start, end, truncated);
      case "isup":
        return readUser(packet, ServiceIndicator.isup, codes);
      case "bicc":
        return readUser(packet, ServiceIndicator.bicc, codes);
      case "m3ua":
      case "m2ua":
      case "m2pa":
        return readAdapted(protocol, buffer, start, end);
    }
  }

  function frame(captured: CapturedFrame): boolean {
    const { linkType, buffer, start, end } = captured;
    if (linkType === LinkType.mtp3) {
      give(readUnit(buffer, start, end, captured.originalLength > end - start), link, captured);
      return true;
    }
    const hasHeader = linkType === LinkType.mtp2WithHeader;
    if (!hasHeader && linkType !== LinkType.mtp2) return false;
    const from = start + (hasHeader ? MTP2_PSEUDO_HEADER : 0);
    const isExtended = hasHeader && buffer[start + 1] === 1;
    give(readMtp2Unit(buffer, from, end, captured.originalLength > end - start, isExtended), link, captured);
    return true;
  }

  function stream(path: SignallingPath): StreamConsumer {
    let kept: Buffer = Buffer.alloc(0);
    let isLost = false;
    return {
      data(bytes, arrival) {
        if (isLost) return;
        const all = kept.length === 0 ? bytes : Buffer.concat([kept, bytes]);
        let at = 0;
        for (;;) {
          const length = claimedLength(all, at, all.length);
          isLost = length >= 0 && (all[at] !== 1 || length < HEADER || length > MAX_MESSAGE);
          if (isLost || length < 0 || at + length > all.length) break;
          if (readM3uaUnit(all, at, at + length)) sink(msu, path, arrival);
          at += length;
        }
        kept = isLost ? Buffer.alloc(0) : Buffer.from(all.subarray(at));
      },
      gap() {
        // The start of the next message can't be told from the bytes.
        isLost = true;
        kept = Buffer.alloc(0);
      },
      end() {},
      held: () => kept.length,
    };
  }

  return {
    frame,
    message({ buffer, start, end, payloadProtocol }, path, arrival) {
      const layer = adaptationOf(payloadProtocol, path);
      if (layer === undefined || start >= end || buffer[start] !== 1) return false;
      give(readAdapted(layer, buffer, start, end), path, arrival);
      return true;
    },
    pdu(protocol, packet, codes, path) {
      give(readPdu(protocol, packet, codes), path, packet);
    },
    stream,
  };
}
