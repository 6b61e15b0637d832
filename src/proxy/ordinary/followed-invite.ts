// An ACK with the branch of an INVITE that is remembered follows it; any other ACK belongs to its dialog alone.
import { Buffer } from "node:buffer";
import { NO_CALL } from "../../calls/calls.ts";
import { COLON, LF } from "../../sip/octet.ts";
import { MAGIC_COOKIE } from "../../sip/tag.ts";
import { MAX_KEY } from "../memory/ledger.ts";
import { octetsOf, putDecimal, putOctets, putText, standsAt } from "../octets/octets.ts";
import type { OrdinaryTurn } from "./ordinary-turn.ts";
import type { OrdinaryRequest } from "./request.ts";

const cookie = octetsOf(MAGIC_COOKIE);
const key = Buffer.alloc(MAX_KEY + 64);

/**
 * True when no INVITE with the branch of this ACK is remembered: the key of `ledgerKey` leads to no call, and no request
 * that begins none was refused.
 */
export function followsNothing(turn: OrdinaryTurn, { via }: OrdinaryRequest, trunk: string): boolean {
  const { proxy, message, address, port, now } = turn;
  const { bytes } = message;
  const { branchStart, branchEnd } = via;
  // A branch without the cookie is unique only with more of the request.
  if (branchEnd - branchStart <= cookie.length || !standsAt(bytes, branchStart, cookie)) return false;
  const length = trunk.length + address.length + via.hostEnd - via.hostStart + branchEnd - branchStart;
  if (length > MAX_KEY) return false;
  let at = putText(key, 0, trunk);
  key[at] = LF;
  at = putText(key, at + 1, address);
  key[at] = LF;
  at = putDecimal(key, at + 1, port);
  key[at] = LF;
  at = putOctets(key, at + 1, bytes, via.hostStart, via.hostEnd);
  key[at] = COLON;
  at = putDecimal(key, at + 1, via.port);
  key[at] = LF;
  at = putOctets(key, at + 1, bytes, branchStart, branchEnd);
  if (at > MAX_KEY || proxy.calls.findOctets(key, 0, at, now) !== NO_CALL) return false;
  return proxy.ledger.size === 0 || proxy.ledger.get(key.toString("latin1", 0, at), now) === undefined;
}
