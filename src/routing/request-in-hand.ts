// One SIP request with its source and the fields that every step reads: Via, Call-ID, tags.
import type { SignallingSource } from "../domain/attempt.ts";
import type { SipTransport } from "../domain/trunk.ts";
import { Header } from "../sip/header.ts";
import { createAddressSpan, paramEnd, readAddress, readParam } from "../sip/fields/name-addr.ts";
import { headerValue, noteFault, type SipMessage } from "../sip/message.ts";
import { readVia, type Via } from "../sip/fields/via.ts";
import { splice, spliceWritten, type Edits } from "../sip/edit.ts";
import { putNumber, putOctets, putText, type OctetPen } from "../sip/octet-pen.ts";
import type { Listener } from "./listener.ts";

/** One SIP request: the message, its source, and the fields that every step needs. */
export interface RequestInHand {
  readonly message: SipMessage;
  readonly listener: Listener;
  /** Source address and port. */
  readonly address: string;
  readonly port: number;
  /** Whole value of the first Via field, and the first Via in it. */
  readonly viaValue: string;
  readonly via: Via;
  readonly callId: string;
  readonly fromTag: string;
  readonly toTag: string;
  /**
   * Port that responses go to, at the source address. The source port for rport and on connections,
   * else the sent-by port (RFC 3581; RFC 3261 section 18.2.2).
   */
  readonly replyPort: number;
}

const span = createAddressSpan();
let hasTwoTags = false;
const noteTwoTags = (): void => {
  hasTwoTags = true;
};

/** Reads the tag of a From or To field. Notes a fault when two readers could disagree. */
function readTag(message: SipMessage, id: typeof Header.from | typeof Header.to): string {
  const index = message.first[id]!;
  if (index < 0) return "";
  const value = headerValue(message, index);
  readAddress(value, 0, span);
  const name = id === Header.from ? "From" : "To";
  if (span.fault !== undefined) noteFault(message, `${name}: ${span.fault}`);
  if (span.end < value.length) noteFault(message, `${name}: more than one address`);
  hasTwoTags = false;
  const tag = readParam(value, span.paramsStart, span.end, "tag", noteTwoTags) ?? "";
  if (hasTwoTags) noteFault(message, `${name}: two tags`);
  return tag;
}

/** Reads the From tag. */
export function fromTagOf(message: SipMessage): string {
  return readTag(message, Header.from);
}

/** Reads the To tag, which the called side set. */
export function toTagOf(message: SipMessage): string {
  return readTag(message, Header.to);
}

/** Returns where the attempt of a request was seen. */
export function originOf({
  listener,
  address,
  port,
}: Pick<RequestInHand, "listener" | "address" | "port">): SignallingSource {
  return {
    signalling: "sip",
    transport: listener.transport,
    sourceAddress: address,
    sourcePort: port,
    destinationAddress: listener.address,
    destinationPort: listener.port,
  };
}

/**
 * Reads the fields that every step needs.
 * @returns undefined when there is no readable Via to answer by
 */
export function readRequestInHand(
  message: SipMessage,
  listener: Listener,
  address: string,
  port: number,
): RequestInHand | undefined {
  const index = message.first[Header.via]!;
  if (index < 0) return undefined;
  const viaValue = headerValue(message, index);
  const via = readVia(viaValue, 0);
  if (via === undefined) return undefined;
  if (via.end < viaValue.length && readVia(viaValue, via.end + 1) === undefined)
    noteFault(message, "Via: a value that is none");
  const callId = message.first[Header.callId]!;
  return {
    message,
    listener,
    address,
    port,
    viaValue,
    via,
    callId: callId < 0 ? "" : headerValue(message, callId),
    fromTag: readTag(message, Header.from),
    toTag: readTag(message, Header.to),
    replyPort: via.rport === undefined && !listener.isReliable ? via.port || 5060 : port,
  };
}

/**
 * Returns the first Via field with correct `received` and `rport` (RFC 3261 section 18.2.1; RFC
 * 3581 section 4). Values that the peer wrote there are replaced. On a stream `rport` is always
 * set: it names the connection, and the response brings it back to us.
 * @returns the same string when nothing has to change
 */
export function fillVia({ via, viaValue, listener, address, port }: RequestInHand): string {
  const needsPort = via.rport !== undefined || listener.isReliable;
  const needsReceived = via.host !== address || needsPort;
  if (!needsReceived && via.received === undefined) return viaValue;
  let kept = "";
  for (let from = via.paramsStart; from < via.end;) {
    const to = paramEnd(viaValue, from + 1, via.end);
    if (!mayBeOurs(viaValue.charCodeAt(from + 1)) || !isOurs(viaValue.slice(from + 1, to)))
      kept += viaValue.slice(from, to);
    from = to;
  }
  if (needsPort) kept += `;rport=${port}`;
  if (needsReceived) kept += `;received=${address}`;
  return viaValue.slice(0, via.paramsStart) + kept + viaValue.slice(via.end);
}

/** Changes the first Via field of a request as {@link fillVia} does. */
export function spliceVia(request: RequestInHand, edits: Edits): void {
  const { message, via } = request;
  if (isFilled(request)) return;
  const index = message.first[Header.via]!;
  const start = message.valueStart[index]!;
  if (message.folded[index] === 1) {
    splice(edits, start, message.valueEnd[index]!, fillVia(request));
    return;
  }
  const begun = edits.pen.at;
  putFilledParams(edits.pen, request, start);
  spliceWritten(edits, start + via.paramsStart, start + via.end, begun);
}

/** Writes the value that {@link fillVia} returns. */
export function putFilledVia(pen: OctetPen, request: RequestInHand): void {
  const { message, via } = request;
  const index = message.first[Header.via]!;
  const start = message.valueStart[index]!;
  if (message.folded[index] === 1) {
    putText(pen, fillVia(request));
    return;
  }
  const paramsEnd = start + (isFilled(request) ? via.end : via.paramsStart);
  putOctets(pen, message.bytes, start, paramsEnd);
  if (!isFilled(request)) putFilledParams(pen, request, start);
  putOctets(pen, message.bytes, start + via.end, message.valueEnd[index]!);
}

/** True when nothing has to change in the first Via. */
function isFilled({ via, listener, address }: RequestInHand): boolean {
  return (
    via.host === address && via.rport === undefined && via.received === undefined && !listener.isReliable
  );
}

/** Writes the parameters of the first Via, whose field begins at `start`, with ours in place of what the peer wrote. */
function putFilledParams(
  pen: OctetPen,
  { message, via, viaValue, listener, address, port }: RequestInHand,
  start: number,
): void {
  for (let from = via.paramsStart; from < via.end;) {
    const to = paramEnd(viaValue, from + 1, via.end);
    if (!mayBeOurs(viaValue.charCodeAt(from + 1)) || !isOurs(viaValue.slice(from + 1, to)))
      putOctets(pen, message.bytes, start + from, start + to);
    from = to;
  }
  const needsPort = via.rport !== undefined || listener.isReliable;
  if (needsPort) {
    putText(pen, ";rport=");
    putNumber(pen, port);
  }
  if (needsPort || via.host !== address) {
    putText(pen, ";received=");
    putText(pen, address);
  }
}

/** True for the first letter of both names, and for white space in front of one. */
function mayBeOurs(c: number): boolean {
  return (c | 0x20) === 0x72 || c <= 0x20;
}

function isOurs(param: string): boolean {
  const name = param.trimStart().toLowerCase();
  return isNamed(name, "received") || isNamed(name, "rport");
}

function isNamed(param: string, name: string): boolean {
  if (!param.startsWith(name)) return false;
  const c = param.charAt(name.length);
  return c === "" || c === "=" || c === " ";
}

/**
 * Returns the sent-by in the form that peers may write back: host in lower case, port as a number
 * (RFC 3261 section 18.1.2).
 */
export function sentByOf(via: Via): string {
  return `${inLowerCase(via.host)}:${via.port}`;
}

/** Most hosts are addresses: they are not copied. */
function inLowerCase(host: string): string {
  for (let i = 0; i < host.length; i++) {
    const c = host.charCodeAt(i);
    if (c >= 0x41) return host.toLowerCase();
  }
  return host;
}

/**
 * Returns what a branch is bound to for the port of a hop: the transport of a reliable listener, where a peer may
 * answer by another connection, else the port.
 */
export function hopPort(listener: Listener, port: number): number | SipTransport {
  return listener.isReliable ? listener.transport : port;
}

/** The caller's side of a transaction, as an INVITE, its ACK, its CANCEL and all answers to them show it. */
export interface TransactionPath {
  readonly via: Via;
  readonly replyAddress: string;
  readonly replyPort: number;
  readonly callId: string;
  readonly cseq: number;
}

/** Returns the path of a request. */
export function pathOf({ via, address, replyPort, callId, message }: RequestInHand): TransactionPath {
  return { via, replyAddress: address, replyPort, callId, cseq: message.cseq };
}

/**
 * Returns what a branch of ours is bound to, as one text: whose transaction it is, where its answers go, and where the
 * request went. All of it comes back in the response (RFC 3261 section 16.11).
 *
 * @param targetPort {@link hopPort}
 * @param ingress `bound` of the listener that the request came in by
 */
export function branchFields(
  { via, replyAddress, replyPort, callId, cseq }: TransactionPath,
  targetAddress: string,
  targetPort: number | SipTransport,
  ingress: string,
): string {
  return `${sentByOf(via)}\n${via.branch}\n${replyAddress}\n${replyPort}\n${callId}\n${cseq}\n${targetAddress}\n${targetPort}\n${ingress}`;
}
