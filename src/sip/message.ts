// The view of one SIP message that scan fills and every later step reads.
import { Buffer } from "node:buffer";
import { HEADER_IDS, type HeaderId } from "./header.ts";
import { CR, LF, SP } from "./octet.ts";

/** At most this many header fields: a message with more cannot be judged safely. */
export const MAX_HEADERS = 256;

/**
 * One SIP message as positions in the bytes it was received in. The object is reused from message
 * to message: it is valid until the next {@link scan} into it, so nothing may keep it.
 */
export interface SipMessage {
  bytes: Buffer;
  /**
   * The start line and the header fields as latin1. Positions are the same as in `bytes`. It is made when it is first
   * asked for: most messages are handled without it.
   */
  readonly text: string;
  /** What {@link SipMessage.text} has made of `bytes`. Undefined: nothing yet. */
  madeText: string | undefined;
  /** `other`: not SIP at all. `end` is 0 when there are only CRLF keep-alives. */
  kind: "request" | "response" | "other";
  /** The first byte of the start line. Leading CRLFs are skipped (RFC 3261 section 7.5). */
  start: number;
  method: string;
  uriStart: number;
  uriEnd: number;
  /** The status of a response; 0 in a request. */
  status: number;
  /** The position after the CRLF of the start line. */
  headersStart: number;
  headerCount: number;
  readonly ids: Uint8Array;
  /**
   * Where the line of the field begins, where its trimmed value begins and ends, and where the next
   * line begins.
   */
  readonly lineStart: Int32Array;
  readonly valueStart: Int32Array;
  readonly valueEnd: Int32Array;
  readonly lineEnd: Int32Array;
  /** 1 when the value is folded over several lines. */
  readonly folded: Uint8Array;
  /** By header id: the index of the first field of that name, or -1, and the number of fields. */
  readonly first: Int32Array;
  readonly count: Uint16Array;
  /** Where the CRLF of the empty line begins. */
  headersEnd: number;
  bodyStart: number;
  /**
   * The end of the message. Bytes after it in a datagram are not part of it (RFC 3261 section
   * 18.3).
   */
  end: number;
  cseq: number;
  cseqMethodStart: number;
  cseqMethodEnd: number;
  /** -1 when the field is absent. */
  maxForwards: number;
  /**
   * In words, the first reason why the message cannot be judged safely. Undefined: there is none.
   */
  fault: string | undefined;
  /** The SIP status that answers a faulty request. */
  faultStatus: number;
}

/**
 * Makes the text of a message when it is first asked for. The getter stands on the prototype: among the members of the
 * message it would make V8 keep all of them in a hash table.
 */
const textOnDemand: Pick<SipMessage, "text"> & ThisType<SipMessage> = {
  get text() {
    return (this.madeText ??= this.bytes.toString("latin1", 0, this.headersEnd));
  },
};

/** Makes an empty view for {@link scan} to fill. */
export function createMessage(): SipMessage {
  const members: Omit<SipMessage, "text"> = {
    bytes: Buffer.alloc(0),
    madeText: undefined,
    kind: "other",
    start: 0,
    method: "",
    uriStart: 0,
    uriEnd: 0,
    status: 0,
    headersStart: 0,
    headerCount: 0,
    ids: new Uint8Array(MAX_HEADERS),
    lineStart: new Int32Array(MAX_HEADERS),
    valueStart: new Int32Array(MAX_HEADERS),
    valueEnd: new Int32Array(MAX_HEADERS),
    lineEnd: new Int32Array(MAX_HEADERS),
    folded: new Uint8Array(MAX_HEADERS),
    first: new Int32Array(HEADER_IDS),
    count: new Uint16Array(HEADER_IDS),
    headersEnd: 0,
    bodyStart: 0,
    end: 0,
    cseq: 0,
    cseqMethodStart: 0,
    cseqMethodEnd: 0,
    maxForwards: -1,
    fault: undefined,
    faultStatus: 400,
  };
  const message: SipMessage = Object.setPrototypeOf(members, textOnDemand);
  return message;
}

/** Notes why the message cannot be judged safely. The first fault stays. */
export function noteFault(message: SipMessage, fault: string, status = 400): void {
  if (message.fault !== undefined) return;
  message.fault = fault;
  message.faultStatus = status;
}

/**
 * Returns the value of field `index`, unfolded: every line break with the white space after it
 * becomes one space.
 */
export function headerValue(message: SipMessage, index: number): string {
  const value = message.text.slice(message.valueStart[index], message.valueEnd[index]);
  return message.folded[index] === 1 ? unfold(value) : value;
}

/** Returns the value with every line break, and the white space after it, as one space. */
export function unfold(value: string): string {
  let out = "";
  let from = 0;
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c !== CR && c !== LF) continue;
    out += `${value.slice(from, i)} `;
    while (i < value.length && value.charCodeAt(i) <= SP) i++;
    from = i;
    i--;
  }
  return out + value.slice(from);
}

/** @returns the index of the next field named `id` after `index`, or -1 */
export function nextHeader(message: SipMessage, id: HeaderId, index: number): number {
  for (let i = index + 1; i < message.headerCount; i++) if (message.ids[i] === id) return i;
  return -1;
}

/** The octets of the message, nothing in front of it and nothing behind. A view: it changes with the receive buffer. */
export function bytesOf({ bytes, start, end }: SipMessage): Buffer {
  return start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
}
