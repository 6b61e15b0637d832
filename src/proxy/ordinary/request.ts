// What every step reads of an ordinary request: its Via, its tags, and that no rule of RFC 3261 is against it.
import { TOKEN_PARAM } from "../../routing/listener.ts";
import { Header } from "../../sip/header.ts";
import { hasPlainPath } from "./branch-octets.ts";
import { isWord, octetsOf } from "../octets/octets.ts";
import type { OrdinaryTurn } from "./ordinary-turn.ts";
import { readTagOf, type OrdinaryTag } from "../octets/tag-octets.ts";
import { createOrdinaryVia, readOrdinaryVia, type OrdinaryVia } from "../octets/via-octets.ts";

/** Reused from message to message. */
export interface OrdinaryRequest {
  readonly via: OrdinaryVia;
  readonly fromTag: OrdinaryTag;
  readonly toTag: OrdinaryTag;
  /** Port that answers go to, at the source address. */
  replyPort: number;
}

export function createOrdinaryRequest(): OrdinaryRequest {
  return {
    via: createOrdinaryVia(),
    fromTag: { start: 0, end: 0 },
    toTag: { start: 0, end: 0 },
    replyPort: 0,
  };
}

const PERCENT = 0x25;
const SEMICOLON = 0x3b;
const token = octetsOf(TOKEN_PARAM);
const schemes = ["sip:", "sips:", "tel:", "urn:"].map(octetsOf);

/**
 * Reads a request inside a dialog, which came by a datagram. It is ordinary where the general path finds no fault in it
 * and no answer that RFC 3261 section 16.3 asks for.
 */
export function readOrdinaryRequest(turn: OrdinaryTurn, request: OrdinaryRequest): boolean {
  const { message, listener, port } = turn;
  const { bytes, first, count, valueStart, valueEnd } = message;
  if (message.fault !== undefined || message.start !== 0 || listener.isReliable) return false;
  if (message.maxForwards <= 0 || count[Header.proxyRequire] !== 0 || count[Header.label] !== 0) return false;
  const index = first[Header.via]!;
  if (message.folded[index] === 1) return false;
  const { via } = request;
  // One value: a second one on the same line would have to be readable too.
  const stop = valueEnd[index]!;
  if (!readOrdinaryVia(bytes, valueStart[index]!, stop, via) || via.end !== stop) return false;
  if (!hasPlainPath(turn, via) || !hasKnownScheme(turn) || mayHoldToken(turn)) return false;
  request.replyPort = via.rport < 0 ? via.port || 5060 : port;
  return (
    turn.proxy.tags.hold(bytes) &&
    readTagOf(message, Header.from, request.fromTag) &&
    readTagOf(message, Header.to, request.toTag) &&
    request.toTag.start > 0
  );
}

/** True for a Request-URI that may be our Record-Route URI, which a strict router before us put there. */
function mayHoldToken({ message: { bytes, uriStart, uriEnd } }: OrdinaryTurn): boolean {
  for (let i = uriStart; i < uriEnd; i++) {
    const c = bytes[i];
    if (c === PERCENT || (c === SEMICOLON && isWord(bytes, i + 1, i + 3, token))) return true;
  }
  return false;
}

function hasKnownScheme({ message: { bytes, uriStart, uriEnd } }: OrdinaryTurn): boolean {
  for (let i = 0; i < schemes.length; i++) {
    const scheme = schemes[i]!;
    const end = uriStart + scheme.length;
    if (end <= uriEnd && isWord(bytes, uriStart, end, scheme)) return true;
  }
  return false;
}
