// Reads the header and parameters of an M3UA message: the way to the message signal unit.
import type { Buffer } from "node:buffer";
import type { Msu } from "./mtp3.ts";

/** Octets of the common header of SIGTRAN adaptation layers (RFC 4666 section 3.1). */
export const HEADER = 8;

const TRANSFER = 1;
const DATA = 1;

/** The parameter tags of a DATA message (RFC 4666 sections 3.2 and 3.3.1). */
const Tag = { draftData: 0x0002, routingContext: 0x0006, networkAppearance: 0x0200, data: 0x0210 } as const;
/** Octets of protocol data in front of the user part: OPC, DPC, SI, NI, MP, SLS. */
const LABEL = 12;
/** At most this many parameters. A message of any class has fewer. */
const MAX_PARAMETERS = 32;

/**
 * One M3UA message as positions in the bytes it was received in. The object is reused: it is valid
 * until the next {@link readM3ua} into it.
 */
export interface M3uaMessage {
  /** The message is `bytes[start, end)`, header and padding included. */
  start: number;
  end: number;
  messageClass: number;
  messageType: number;
  /** Where the value of protocol data begins and ends; -1 when there is none. */
  dataStart: number;
  dataEnd: number;
  /**
   * Whether the protocol data are those of Internet-Drafts before RFC 3332: service information
   * octet, label, user part.
   */
  isDraft: boolean;
  /**
   * The values of these parameters, 4 octets each; -1 when absent. Of a routing context with
   * several values the first counts.
   */
  networkAppearance: number;
  routingContext: number;
  fault: string | undefined;
}

/** Makes an empty view for {@link readM3ua} to fill. */
export function createM3uaMessage(): M3uaMessage {
  return {
    start: 0,
    end: 0,
    messageClass: -1,
    messageType: -1,
    dataStart: -1,
    dataEnd: -1,
    isDraft: false,
    networkAppearance: -1,
    routingContext: -1,
    fault: undefined,
  };
}

/** @returns true for a message that carries a message signal unit */
export function isTransfer({ messageClass, messageType }: M3uaMessage): boolean {
  return messageClass === TRANSFER && messageType === DATA;
}

/**
 * @returns the length that a message at `start` claims, header and padding included; -1 when its
 *   header of 8 octets is cut short
 */
export function claimedLength(bytes: Buffer, start: number, end: number): number {
  return start + HEADER <= end ? bytes.readUInt32BE(start + 4) : -1;
}

/**
 * Reads the header and the parameters of the one message in `bytes[start, end)`.
 * @returns false when the message is damaged; `message.fault` says why. What was read before stays,
 *   cut to the bytes that are there
 */
export function readM3ua(message: M3uaMessage, bytes: Buffer, start: number, end: number): boolean {
  message.start = start;
  message.end = end;
  message.messageClass = -1;
  message.messageType = -1;
  message.dataStart = -1;
  message.dataEnd = -1;
  message.isDraft = false;
  message.networkAppearance = -1;
  message.routingContext = -1;
  message.fault = undefined;
  const length = claimedLength(bytes, start, end);
  if (length < 0) return refuse(message, "shorter than its header");
  if (bytes[start] !== 1) return refuse(message, `version ${bytes[start]}`);
  message.messageClass = bytes[start + 2]!;
  message.messageType = bytes[start + 3]!;
  if (length < HEADER) return refuse(message, `claims a length of ${length}`);
  if (start + length > end) message.fault = "ends before its length";
  else message.end = start + length;
  return readParameters(message, bytes) && message.fault === undefined;
}

function readParameters(message: M3uaMessage, bytes: Buffer): boolean {
  let left = MAX_PARAMETERS;
  for (let at = message.start + HEADER; at + 4 <= message.end;) {
    if (--left < 0) return refuse(message, `more than ${MAX_PARAMETERS} parameters`);
    const tag = bytes.readUInt16BE(at);
    const length = bytes.readUInt16BE(at + 2);
    if (length < 4) return refuse(message, `parameter ${tag} claims a length of ${length}`);
    const value = at + 4;
    const next = at + length;
    if (next > message.end) message.fault ??= `parameter ${tag} ends past the message`;
    if (tag === Tag.data || (tag === Tag.draftData && isTransfer(message))) {
      if (message.dataStart >= 0) return refuse(message, "two protocol data parameters");
      message.isDraft = tag === Tag.draftData;
      message.dataStart = value;
      message.dataEnd = Math.min(next, message.end);
    } else if (length >= 8 && value + 4 <= message.end) {
      if (tag === Tag.networkAppearance) message.networkAppearance = bytes.readUInt32BE(value);
      else if (tag === Tag.routingContext) message.routingContext = bytes.readUInt32BE(value);
    }
    // Values are padded to four octets. The length of the parameter does not count the padding.
    at = next + ((4 - (length & 3)) & 3);
  }
  return true;
}

/**
 * Reads the message signal unit in protocol data, in place (RFC 4666 section 3.3.1). `msu` refers
 * to `bytes` afterwards.
 * @returns false when there is no whole label
 */
export function readProtocolData(msu: Msu, message: M3uaMessage, bytes: Buffer): boolean {
  const { dataStart, dataEnd } = message;
  if (message.isDraft || dataStart < 0 || dataStart + LABEL > dataEnd) return false;
  msu.opc = bytes.readUInt32BE(dataStart);
  msu.dpc = bytes.readUInt32BE(dataStart + 4);
  msu.si = bytes[dataStart + 8]!;
  msu.ni = bytes[dataStart + 9]!;
  msu.sls = bytes[dataStart + 11]!;
  msu.networkAppearance = message.networkAppearance;
  msu.cic = -1;
  msu.bytes = bytes;
  msu.start = dataStart + LABEL;
  msu.end = dataEnd;
  msu.fault = message.fault;
  return true;
}

function refuse(message: M3uaMessage, why: string): false {
  message.fault = why;
  return false;
}
