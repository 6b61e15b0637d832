// Confirms our token in the Record-Route of a response, by octets: `confirmRecordRoute` of the general path.
import { TOKEN_PARAM } from "../../routing/listener.ts";
import { Header } from "../../sip/header.ts";
import { nextHeader } from "../../sip/message.ts";
import { LF, SP } from "../../sip/octet.ts";
import { MAC_LENGTH } from "../../sip/tag.ts";
import { CLAIMS } from "../memory/dialog-token.ts";
import { cut, type Cuts } from "../octets/cuts.ts";
import { octetsOf, putOctets } from "../octets/octets.ts";
import type { OrdinaryTurn } from "./ordinary-turn.ts";
import type { OrdinaryTag } from "../octets/tag-octets.ts";

const SEMICOLON = 0x3b;
const COMMA = 0x2c;
const MORE = 0x3e;
const DOT = 0x2e;
const param = octetsOf(TOKEN_PARAM);
const begun = octetsOf("confirmed\n");

/**
 * Adds the called side's tag to each token of our form that is not confirmed yet.
 *
 * @returns false where a token, or what may be one, is written in another way than ours
 */
export function confirmTokens(turn: OrdinaryTurn, cuts: Cuts, tag: OrdinaryTag): boolean {
  const { message } = turn;
  for (let i = message.first[Header.recordRoute]!; i >= 0; i = nextHeader(message, Header.recordRoute, i)) {
    const start = message.valueStart[i]!;
    if (message.folded[i] === 1) return false;
    if (!confirmField(turn, cuts, tag, start, message.valueEnd[i]!)) return false;
  }
  return true;
}

function confirmField(
  turn: OrdinaryTurn,
  cuts: Cuts,
  tag: OrdinaryTag,
  start: number,
  stop: number,
): boolean {
  const { bytes } = turn.message;
  const behind = 2 + param.length;
  for (let at = start; at + behind <= stop; at++) {
    if (bytes[at] !== SEMICOLON || !isParam(bytes, at + 1)) continue;
    // A peer that writes URIs anew may write the name in capitals; then the general path looks for it in every case.
    if (!isExact(bytes, at + 1)) return false;
    if (!confirmAt(turn, cuts, tag, at + behind, stop)) return false;
  }
  return true;
}

/** True for the name of our parameter in any case, and its "=". */
function isParam(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < param.length; i++) if ((bytes[at + i]! | 0x20) !== param[i]) return false;
  return bytes[at + param.length] === 0x3d;
}

function isExact(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < param.length; i++) if (bytes[at + i] !== param[i]) return false;
  return true;
}

/** Confirms the token that begins at `start`. */
function confirmAt(turn: OrdinaryTurn, cuts: Cuts, tag: OrdinaryTag, start: number, stop: number): boolean {
  const { bytes } = turn.message;
  let end = start;
  let separators = 0;
  let last = start;
  for (; end < stop; end++) {
    const c = bytes[end]!;
    if (c === SEMICOLON || c === MORE || c === COMMA || c <= SP) break;
    if (!isTokenOctet(c)) return false;
    if (c !== DOT) continue;
    separators++;
    last = end + 1;
  }
  if (end - last !== MAC_LENGTH || separators !== CLAIMS) return true;
  const { fresh, free } = cuts;
  fresh[free] = DOT;
  const digits = confirmation(turn, tag, last);
  return cut(cuts, end, end, putOctets(fresh, free + 1, digits, 0, MAC_LENGTH));
}

/** Hashes the MAC of the token at `mac`, the Call-ID and the called tag. */
function confirmation({ proxy: { tags }, message }: OrdinaryTurn, tag: OrdinaryTag, mac: number): Uint8Array {
  const { bytes } = message;
  const { scratch } = tags;
  const callId = message.first[Header.callId]!;
  let at = tags.begin("dialog");
  at = putOctets(scratch, at, begun, 0, begun.length);
  at = putOctets(scratch, at, bytes, mac, mac + MAC_LENGTH);
  scratch[at] = LF;
  at = tags.putHeld(at + 1, message.valueStart[callId]!, message.valueEnd[callId]!);
  scratch[at] = LF;
  at = putOctets(scratch, at + 1, bytes, tag.start, tag.end);
  return tags.finish(at);
}

/** True for what a token of ours holds: small letters, digits, "-", "_" and ".". */
function isTokenOctet(c: number): boolean {
  return (c >= 0x61 && c <= 0x7a) || (c >= 0x2d && c <= 0x39 && c !== 0x2f) || c === 0x5f;
}
