// The token of a dialog in our own Route, read and proved by octets: `memory/dialog-token.ts` says what it is.
import { Buffer } from "node:buffer";
import { Header } from "../../sip/header.ts";
import { LF } from "../../sip/octet.ts";
import { MAC_LENGTH } from "../../sip/tag.ts";
import { CLAIMS, PIECE, STANDING } from "../memory/dialog-token.ts";
import { putOctets, readPlainPort, standsAt } from "../octets/octets.ts";
import type { OrdinaryTurn } from "./ordinary-turn.ts";
import type { OrdinaryTag } from "../octets/tag-octets.ts";

/** Where the pieces of a token stand. Reused. */
export interface OrdinaryToken {
  /** The listener whose Record-Route it is: the side that the request goes to. */
  exit: number;
  start: number;
  end: number;
  /** Where each piece ends; the next one begins one octet behind. */
  readonly ends: Int32Array;
}

export function createOrdinaryToken(): OrdinaryToken {
  return { exit: 0, start: 0, end: 0, ends: new Int32Array(CLAIMS + 2) };
}

const MORE = 0x3e;
const DOT = 0x2e;
const UNDERSCORE = 0x5f;
const HYPHEN = 0x2d;
const JUDGED = 0x6a;
const EMERGENCY = 0x65;
/** Octets of a token, at most: it enters a hash whose room is bounded. */
const LONGEST = 768;

/**
 * Reads our Route, which is the only one and came back as we wrote it. The token is not proved yet.
 *
 * @returns false for any other Route, and for the token of a call that is changed as it passes (withheld, labelled)
 */
export function readOwnToken({ message, own }: OrdinaryTurn, token: OrdinaryToken): boolean {
  const { bytes } = message;
  if (message.count[Header.route] !== 1) return false;
  const index = message.first[Header.route]!;
  if (message.folded[index] === 1) return false;
  const start = message.valueStart[index]!;
  const end = message.valueEnd[index]! - 1;
  let found = -1;
  for (let i = 0; i < own.length && found < 0; i++) if (standsAt(bytes, start, own[i]!.route)) found = i;
  if (found < 0 || bytes[end] !== MORE || !own[found]!.isRouteUnique) return false;
  token.exit = found;
  token.start = start + own[found]!.route.length;
  token.end = end;
  return end - token.start <= LONGEST && findPieces(bytes, token) && isUnchanged(bytes, token);
}

function findPieces(bytes: Uint8Array, { start, end, ends }: OrdinaryToken): boolean {
  let count = 0;
  for (let i = start; i < end; i++) {
    const c = bytes[i]!;
    if (c === DOT) {
      if (count > CLAIMS) return false;
      ends[count++] = i;
    } else if (!isTokenOctet(c)) return false;
  }
  // Without a confirmation, the MAC is the last piece.
  if (count === CLAIMS) ends[CLAIMS] = end;
  else if (count !== CLAIMS + 1) return false;
  return ends[CLAIMS]! - ends[CLAIMS - 1]! - 1 === MAC_LENGTH;
}

/** True for a call whose requests pass as they come: one that was judged, or to an emergency service. */
function isUnchanged(bytes: Uint8Array, { ends }: OrdinaryToken): boolean {
  const letter = bytes[ends[STANDING - 1]! + 1];
  return letter === JUDGED || letter === EMERGENCY;
}

/** True for small letters, digits, "-" and "_". */
function isTokenOctet(c: number): boolean {
  return (c >= 0x61 && c <= 0x7a) || (c >= 0x30 && c <= 0x39) || c === HYPHEN || c === UNDERSCORE;
}

/** True when piece 1 (the calling trunk) or 2 (the called one) is this tag. */
export function isOfTrunk(bytes: Uint8Array, { ends }: OrdinaryToken, piece: 1 | 2, tag: string): boolean {
  const start = ends[piece - 1]! + 1;
  if (ends[piece]! - start !== PIECE || tag.length !== PIECE) return false;
  for (let i = 0; i < PIECE; i++) if (bytes[start + i] !== tag.charCodeAt(i)) return false;
  return true;
}

/** True when a holder of the key made the token for this Call-ID and caller's tag. */
export function provesDialog(
  { proxy, message }: OrdinaryTurn,
  token: OrdinaryToken,
  tag: OrdinaryTag,
): boolean {
  const { tags } = proxy;
  const { scratch } = tags;
  const { bytes } = message;
  const { ends } = token;
  const callId = message.first[Header.callId]!;
  let at = tags.begin("dialog");
  at = tags.putHeld(at, token.start, ends[CLAIMS - 1]!);
  scratch[at] = LF;
  at = tags.putHeld(at + 1, message.valueStart[callId]!, message.valueEnd[callId]!);
  scratch[at] = LF;
  at = putOctets(scratch, at + 1, bytes, tag.start, tag.end);
  const digits = tags.finish(at);
  const mac = ends[CLAIMS - 1]! + 1;
  for (let i = 0; i < MAC_LENGTH; i++) if (digits[i] !== bytes[mac + i]) return false;
  return true;
}

/** A datagram place of a token. Reused. */
export interface OrdinaryPlace {
  readonly transport: "udp";
  address: string;
  port: number;
  /** Where it stands in the message, as {@link writeTarget} writes it. */
  start: number;
  end: number;
}

const address = Buffer.alloc(16);

/** Reads piece 5 (where the INVITE came from) or 6 (where it went): `192-0-2-1_5060`. @returns false for any other place */
export function readPlace(
  bytes: Uint8Array,
  { ends }: OrdinaryToken,
  piece: 5 | 6,
  place: OrdinaryPlace,
  nameOf: (octets: Uint8Array, start: number, end: number) => string,
): boolean {
  const start = ends[piece - 1]! + 1;
  const end = ends[piece]!;
  let i = start;
  for (; i < end && bytes[i] !== UNDERSCORE; i++) {
    const c = bytes[i]!;
    if (i - start === address.length) return false;
    if (c === HYPHEN) address[i - start] = DOT;
    else if (c >= 0x30 && c <= 0x39) address[i - start] = c;
    else return false;
  }
  if (i >= end || i === start) return false;
  place.port = readPlainPort(bytes, i + 1, end);
  place.address = nameOf(address, 0, i - start);
  place.start = start;
  place.end = end;
  return place.port > 0;
}
