// What is changed in a request that is sent on: our Via on top, the peer's Via filled, Max-Forwards less one, no Route of ours.
import { NO_CALL, type CallSlot } from "../../calls/calls.ts";
import type { Listener } from "../../routing/listener.ts";
import { Header } from "../../sip/header.ts";
import { MAC_LENGTH } from "../../sip/tag.ts";
import { boundOf } from "../sending/call-mark.ts";
import { branchDigits } from "./branch-octets.ts";
import { clearCuts, createCuts, cut } from "../octets/cuts.ts";
import { isWord, octetsOf, putDecimal, putOctets, putText } from "../octets/octets.ts";
import type { OrdinaryTurn } from "./ordinary-turn.ts";
import type { OrdinaryRequest } from "./request.ts";
import type { OrdinaryPlace } from "./token-octets.ts";
import type { OrdinaryVia } from "../octets/via-octets.ts";

/** What our Via says of the call beside the branch. */
export interface OnwardCall {
  /** The call that the request belongs to; {@link NO_CALL}: none that is known. */
  slot: CallSlot;
  /** True where the answer will show something about the call. */
  isMarked: boolean;
  /** True for an ACK, whose Via has nothing beside the branch. */
  follows: boolean;
}

export const requestCuts = createCuts();

const field = octetsOf("Via: ");
const cookie = octetsOf("z9hG4bKsw");
const within = octetsOf(";sd=");
const asked = octetsOf(";st=");
const rport = octetsOf(";rport=");
const received = octetsOf(";received=");
const rportName = octetsOf("rport");
const receivedName = octetsOf("received");
const CR = 13;
const LF = 10;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;

/** Writes the changes. @returns false when there are more than have room */
export function cutRequest(
  turn: OrdinaryTurn,
  request: OrdinaryRequest,
  place: OrdinaryPlace,
  egress: Listener,
  call: OnwardCall,
): boolean {
  const { message } = turn;
  const route = message.first[Header.route]!;
  const forwards = message.first[Header.maxForwards]!;
  const cuts = requestCuts;
  clearCuts(cuts);
  return (
    putOwnVia(turn, request, place, egress, call) &&
    fillVia(turn, request.via) &&
    cut(
      cuts,
      message.valueStart[forwards]!,
      message.valueEnd[forwards]!,
      putDecimal(cuts.fresh, cuts.free, message.maxForwards - 1),
    ) &&
    cut(cuts, message.lineStart[route]!, message.lineEnd[route]!, cuts.free)
  );
}

function putOwnVia(
  turn: OrdinaryTurn,
  { via, replyPort }: OrdinaryRequest,
  place: OrdinaryPlace,
  egress: Listener,
  call: OnwardCall,
): boolean {
  const { message, own, listener, address, proxy } = turn;
  const { fresh, free } = requestCuts;
  const ingress = own[listener.index]!;
  const prefix = own[egress.index]!.via;
  const digits = branchDigits(turn, via, address, replyPort, ingress, place.address, place.port);
  let at = putOctets(fresh, free, field, 0, field.length);
  at = putOctets(fresh, at, prefix, 0, prefix.length);
  at = putOctets(fresh, at, cookie, 0, cookie.length);
  fresh[at] = listener.index < 10 ? 0x30 + listener.index : 0x57 + listener.index;
  at = putOctets(fresh, at + 1, digits, 0, MAC_LENGTH);
  if (call.isMarked && call.slot !== NO_CALL) {
    at = putOctets(fresh, at, within, 0, within.length);
    at = proxy.callTags.put(proxy.calls.nameOf(call.slot), digits, boundOf(true), fresh, at);
  }
  if (!call.follows) {
    at = putOctets(fresh, at, asked, 0, asked.length);
    at = putOctets(fresh, at, message.bytes, place.start, place.end);
  }
  fresh[at] = CR;
  fresh[at + 1] = LF;
  const line = message.lineStart[message.first[Header.via]!]!;
  return cut(requestCuts, line, line, at + 2);
}

/** Fills `received` and `rport` in, as `fillVia` of routing/request-in-hand.ts does. */
function fillVia({ message: { bytes }, address, port }: OrdinaryTurn, via: OrdinaryVia): boolean {
  const needsPort = via.rport >= 0;
  const needsReceived = needsPort || !isText(bytes, via.hostStart, via.hostEnd, address);
  if (!needsReceived && via.receivedStart === 0) return true;
  const { fresh, free } = requestCuts;
  let at = free;
  for (let from = via.paramsStart; from < via.end;) {
    let to = from + 1;
    let nameEnd = 0;
    for (; to < via.end && bytes[to] !== SEMICOLON; to++)
      if (bytes[to] === EQUALS && nameEnd === 0) nameEnd = to;
    if (nameEnd === 0) nameEnd = to;
    if (!isWord(bytes, from + 1, nameEnd, receivedName) && !isWord(bytes, from + 1, nameEnd, rportName))
      at = putOctets(fresh, at, bytes, from, to);
    from = to;
  }
  if (needsPort) {
    at = putOctets(fresh, at, rport, 0, rport.length);
    at = putDecimal(fresh, at, port);
  }
  if (needsReceived) {
    at = putOctets(fresh, at, received, 0, received.length);
    at = putText(fresh, at, address);
  }
  return cut(requestCuts, via.paramsStart, via.end, at);
}

function isText(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  if (text.length !== end - start) return false;
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}
