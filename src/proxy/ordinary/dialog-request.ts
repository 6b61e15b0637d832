// An ordinary ACK, BYE or other request that changes nothing in its dialog: proved and sent on by octets.
import { Buffer } from "node:buffer";
import { hashTagAt } from "../../calls/call-dialogs.ts";
import { NO_CALL, type CallSlot } from "../../calls/calls.ts";
import { carriageOf } from "../../domain/method.ts";
import type { Trunk } from "../../domain/trunk.ts";
import { egressListener } from "../../routing/egress.ts";
import type { Listener } from "../../routing/listener.ts";
import { Header } from "../../sip/header.ts";
import { readMessageCause } from "../../sip/fields/reason.ts";
import { mostOctets } from "../turn/output.ts";
import { isHop } from "../turn/peer-port.ts";
import { addressAt } from "../octets/address-names.ts";
import { followsNothing } from "./followed-invite.ts";
import { haveRoom, renderCuts } from "../octets/cuts.ts";
import { Method, methodOf, type MethodId } from "../octets/method-octets.ts";
import type { OrdinaryTurn } from "./ordinary-turn.ts";
import { hasPlainBody } from "./plain-body.ts";
import { hasOwnTag, mayBeOwnTag } from "./refusal-ack.ts";
import { createOrdinaryRequest, readOrdinaryRequest } from "./request.ts";
import { cutRequest, requestCuts, type OnwardCall } from "./request-cuts.ts";
import { isRoutedTo } from "./routed-target.ts";
import {
  createOrdinaryToken,
  isOfTrunk,
  provesDialog,
  readOwnToken,
  readPlace,
  type OrdinaryPlace,
} from "./token-octets.ts";

const request = createOrdinaryRequest();
const token = createOrdinaryToken();
const place: OrdinaryPlace = { transport: "udp", address: "", port: 0, start: 0, end: 0 };
const onward: OnwardCall = { slot: NO_CALL, isMarked: false, follows: false };

/** Octets of the text of a call in a token: its tag in hex. */
const CALL_LENGTH = 24;
const noTweak = Buffer.alloc(0);

/**
 * Takes the request that was scanned, where it is ordinary: the ACK of a refusal of ours, or a request that a token of
 * ours proves and that neither side of the dialog is judged for. Everything is read and proved before anything is noted
 * or sent.
 *
 * @returns false: the general path must see it
 */
export function takeDialogRequest(turn: OrdinaryTurn): boolean {
  const { message, source, proxy } = turn;
  const method = methodOf(message);
  if (source === undefined || !isCarried(method) || !readOrdinaryRequest(turn, request)) return false;
  const isAck = method === Method.ack;
  if (isAck && mayBeOwnTag(turn, request))
    // It ends here. Where an answer of ours is repeated until it comes, the general path stops that.
    return (
      message.count[Header.route] === 0 && proxy.transactions.repeats.size() === 0 && hasOwnTag(turn, request)
    );
  if (proxy.released.size > 0 || !hasPlainBody(turn) || !readOwnToken(turn, token)) return false;
  if (source.trunk.side !== "core" && !passesUnjudged(source.trunk, message.method)) return false;
  if (isAck && !followsNothing(turn, request, source.trunk.id)) return false;
  const side = proveDialog(turn);
  if (side === undefined) return false;
  if (!readPlace(message.bytes, token, side === "caller" ? 6 : 5, place, addressAt)) return false;
  const egress = egressTo(turn);
  if (egress === undefined || egress.isReliable) return false;
  if (source.trunk.side === "core" && !isRoutedTo(turn, place, egress)) return false;
  onward.slot = isAck ? NO_CALL : callOf(turn);
  // Who carries the call is to hear of its end.
  if (method === Method.bye && onward.slot === NO_CALL && proxy.sharing !== undefined) return false;
  onward.follows = isAck;
  onward.isMarked = method === Method.bye && onward.slot !== NO_CALL;
  if (!cutRequest(turn, request, place, egress, onward)) return false;
  const out = proxy.output.bufferFor(egress);
  if (!haveRoom(requestCuts, message, out, mostOctets(egress))) return false;

  if (onward.slot !== NO_CALL) note(turn, method, side);
  const length = renderCuts(requestCuts, message, out);
  proxy.counters.forwarded++;
  proxy.output.transmit(egress, place.address, place.port, length);
  return true;
}

/** True for the requests that name no caller and change no session. */
function isCarried(method: MethodId): boolean {
  return (
    method === Method.ack ||
    method === Method.bye ||
    method === Method.prack ||
    method === Method.info ||
    method === Method.options
  );
}

/** An ACK and a BYE pass in every dialog, whatever the methods of the trunk (domain/method.ts). */
function passesUnjudged({ methods }: Trunk, method: string): boolean {
  if (method === "ACK" || method === "BYE") return true;
  const carriage = carriageOf(methods, method);
  return carriage !== "refuse" && carriage !== "screen";
}

/** Returns the side of the dialog that the token proves for the request; undefined: it proves none. */
function proveDialog(turn: OrdinaryTurn): "caller" | "called" | undefined {
  const { proxy, source, message } = turn;
  if (source === undefined) return undefined;
  const { id, side } = source.trunk;
  const isCore = side === "core";
  const sender = proxy.tagOfTrunk(id);
  const { bytes } = message;
  if ((isCore || isOfTrunk(bytes, token, 1, sender)) && provesDialog(turn, token, request.fromTag))
    return "caller";
  if ((isCore || isOfTrunk(bytes, token, 2, sender)) && provesDialog(turn, token, request.toTag))
    return "called";
  return undefined;
}

/** Returns the listener that reaches the other side; undefined where no trunk and no next hop is known there. */
function egressTo(turn: OrdinaryTurn): Listener | undefined {
  const { proxy, policy, source, own } = turn;
  const exit = own[token.exit]!.listener;
  const egress = egressListener(proxy.listeners, policy, place, source?.trunk, exit);
  if (egress === undefined) return undefined;
  if (policy.matchTrunk(egress.id, place.address, place.port) !== undefined) return egress;
  return isHop(proxy, { listener: egress, address: place.address, port: place.port }) ? egress : undefined;
}

/** Returns the call of the dialog, as long as the call has a row here. */
function callOf({ proxy: { calls, callTags }, message: { bytes } }: OrdinaryTurn): CallSlot {
  const length = token.ends[0]! - token.start;
  return length === CALL_LENGTH && callTags.find(bytes, token.start, length, noTweak, 0)
    ? calls.named(callTags.found)
    : NO_CALL;
}

/** Notes the request in the row of its call. It proves that the call is still in progress; a BYE ends the call. */
function note({ proxy, message, now }: OrdinaryTurn, method: MethodId, side: "caller" | "called"): void {
  const { calls } = proxy;
  const { slot } = onward;
  calls.noteSequence(slot, side, message.cseq);
  if (method !== Method.bye) {
    calls.seen(slot, now);
    return;
  }
  const called = side === "caller" ? request.toTag : request.fromTag;
  const cause = message.first[Header.reason]! < 0 ? undefined : readMessageCause(message);
  calls.leaving(slot, hashTagAt(message.bytes, called.start, called.end), side, cause, now);
}
