// Reads the SS7 signalling of a capture: links and SIGTRAN in, ISUP and BICC units out.
import type { SignallingPath } from "../domain/attempt.ts";
import type { CapturedFrame } from "../pcap/frame.ts";
import { LinkType } from "../pcap/link-layer.ts";
import type { SctpMessage } from "../pcap/sctp.ts";
import type { Arrival, StreamConsumer } from "../pcap/tcp-stream.ts";
import { createLinkPayload, readM2pa, readM2ua, readMtp2 } from "../ss7/mtp-link.ts";
import {
  claimedLength,
  createM3uaMessage,
  HEADER,
  isTransfer,
  readM3ua,
  readProtocolData,
} from "../ss7/m3ua.ts";
import { createMsu, isCallControl, type Msu } from "../ss7/mtp3.ts";
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

/** SCTP payload protocol identifiers: M2UA, M3UA, M2PA, and 0 for unspecified (IANA registry). */
const adaptationLayers: ReadonlySet<number> = new Set([0, 2, 3, 5]);

/** Port of M3UA. TCP streams on other ports are read as SIP. */
const M3UA_PORT = 2905;
/** At most this many octets in one message of a stream; a longer claim is no message. */
const MAX_MESSAGE = 65_536;
/** Octets that LINKTYPE_MTP2_WITH_PHDR puts first: sent or received, annex A used, link number. */
const MTP2_PSEUDO_HEADER = 4;

/** Tells whether a port is that of M3UA. */
export function isM3uaPort(port: number): boolean {
  return port === M3UA_PORT;
}

/** Makes a reader for one capture file. */
export function createSs7Reader(sink: MsuSink): Ss7Reader {
  const msu = createMsu();
  const payload = createLinkPayload();
  const m3ua = createM3uaMessage();
  const labels = createRoutingLabelForm();

  /** Reads a unit with its routing label, as on links. */
  function readUnit(bytes: Buffer, start: number, end: number, isCut: boolean): boolean {
    if (!labels.read(msu, bytes, start, end)) return false;
    if (isCut) msu.fault = "the capture holds only a part of it";
    return true;
  }

  function readM3uaUnit(bytes: Buffer, start: number, end: number): boolean {
    readM3ua(m3ua, bytes, start, end);
    if (!isTransfer(m3ua) || m3ua.dataStart < 0) return false;
    if (m3ua.isDraft) return readUnit(bytes, m3ua.dataStart, m3ua.dataEnd, m3ua.fault !== undefined);
    return readProtocolData(msu, m3ua, bytes) && isCallControl(msu);
  }

  function readAdapted(bytes: Buffer, start: number, end: number): boolean {
    if (readM2ua(payload, bytes, start, end) || readM2pa(payload, bytes, start, end))
      return readUnit(bytes, payload.start, payload.end, payload.isCut);
    return readM3uaUnit(bytes, start, end);
  }

  function frame(captured: CapturedFrame): boolean {
    const { linkType, buffer, start, end } = captured;
    if (linkType === LinkType.mtp3) {
      if (readUnit(buffer, start, end, captured.originalLength > end - start)) sink(msu, link, captured);
      return true;
    }
    const hasHeader = linkType === LinkType.mtp2WithHeader;
    if (!hasHeader && linkType !== LinkType.mtp2) return false;
    const from = start + (hasHeader ? MTP2_PSEUDO_HEADER : 0);
    const isExtended = hasHeader && buffer[start + 1] === 1;
    if (
      from < end &&
      readMtp2(payload, buffer, from, end, isExtended) &&
      readUnit(buffer, payload.start, payload.end, payload.isCut || captured.originalLength > end - start)
    )
      sink(msu, link, captured);
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
      if (!adaptationLayers.has(payloadProtocol) || start >= end || buffer[start] !== 1) return false;
      if (readAdapted(buffer, start, end)) sink(msu, path, arrival);
      return true;
    },
    stream,
  };
}
