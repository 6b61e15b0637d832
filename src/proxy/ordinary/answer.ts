// An ordinary answer to a request that we sent on, proved and sent back by octets: `relayResponse` of the general path.
import { hashTagAt } from "../../calls/call-dialogs.ts";
import { NO_CALL } from "../../calls/calls.ts";
import { noteAnswer } from "../../routing/hop-health.ts";
import { Header } from "../../sip/header.ts";
import { nextHeader } from "../../sip/message.ts";
import { SP } from "../../sip/octet.ts";
import { MAC_LENGTH } from "../../sip/tag.ts";
import { reportChange } from "../sending/probe.ts";
import { mostOctets } from "../turn/output.ts";
import { addressAt } from "../octets/address-names.ts";
import { keepAnsweredDialog } from "./answered-dialog.ts";
import { branchDigits, hasPlainPath } from "./branch-octets.ts";
import { clearCuts, createCuts, cut, haveRoom, renderCuts } from "../octets/cuts.ts";
import { Method, methodOf, type MethodId } from "../octets/method-octets.ts";
import type { OrdinaryTurn } from "./ordinary-turn.ts";
import { confirmTokens } from "./own-record-route.ts";
import { createOwnVia, readOwnVia } from "./own-via.ts";
import { readTagOf, type OrdinaryTag } from "../octets/tag-octets.ts";
import { createOrdinaryVia, readOrdinaryVia } from "../octets/via-octets.ts";

const own = createOwnVia();
const via = createOrdinaryVia();
const toTag: OrdinaryTag = { start: 0, end: 0 };
const fromTag: OrdinaryTag = { start: 0, end: 0 };
const cuts = createCuts();

/**
 * Takes the response that was scanned, where it is ordinary. Everything is read and proved before anything is noted or
 * sent: what is handed on has left no trace.
 *
 * @returns false: the general path must see it
 */
export function takeAnswer(turn: OrdinaryTurn): boolean {
  const { proxy, message } = turn;
  // What answers a request of our own, a moved call, or a call that the filter has ended, is not ordinary.
  if (message.fault !== undefined || message.start !== 0 || message.status === 503) return false;
  if (proxy.released.size > 0 || message.count[Header.label] !== 0) return false;
  if (!readOwnVia(turn, own) || !readViaBehind(turn) || !hasPlainPath(turn, via)) return false;
  const ingress = turn.own[own.ingress]!;
  if (ingress.listener.isReliable || turn.listener.isReliable) return false;
  const method = methodOf(message);
  if (method === Method.other || (own.slot !== NO_CALL && !isSimple(turn, method))) return false;
  const replyPort = via.rport < 0 ? via.port || 5060 : via.rport;
  const replyAddress =
    via.receivedStart > 0
      ? addressAt(message.bytes, via.receivedStart, via.receivedEnd)
      : addressAt(message.bytes, via.hostStart, via.hostEnd);
  if (replyPort === 0 || replyAddress === "") return false;
  if (!proxy.tags.hold(message.bytes)) return false;
  // The branch proves that the response comes from the place that was asked, on the way that the request took.
  const digits = branchDigits(turn, via, replyAddress, replyPort, ingress, turn.address, turn.port);
  for (let i = 0; i < MAC_LENGTH; i++) if (digits[i] !== message.bytes[own.macStart + i]) return false;
  const { status } = message;
  const isEarlyOr2xx = status > 100 && status < 300;
  const needsTag = isEarlyOr2xx || method === Method.bye;
  toTag.start = 0;
  toTag.end = 0;
  if (needsTag && !readTagOf(message, Header.to, toTag)) return false;
  if (method === Method.bye && !readTagOf(message, Header.from, fromTag)) return false;
  if (!cutAnswer(turn, method === Method.invite && isEarlyOr2xx && toTag.start > 0)) return false;
  const out = proxy.output.bufferFor(ingress.listener);
  if (!haveRoom(cuts, message, out, mostOctets(ingress.listener))) return false;

  hear(turn);
  if (own.slot !== NO_CALL) note(turn, method, replyAddress, replyPort);
  const length = renderCuts(cuts, message, out);
  proxy.counters.forwarded++;
  proxy.output.transmit(ingress.listener, replyAddress, replyPort, length);
  return true;
}

/** Reads the Via behind ours: on the same line, or the first on the next Via line. */
function readViaBehind({ message }: OrdinaryTurn): boolean {
  const { bytes, valueEnd, valueStart, folded } = message;
  const index = message.first[Header.via]!;
  if (own.end < valueEnd[index]!) {
    const start = startBehind(bytes, own.end, valueEnd[index]!);
    return readOrdinaryVia(bytes, start, valueEnd[index]!, via);
  }
  const next = nextHeader(message, Header.via, index);
  return next >= 0 && folded[next] === 0 && readOrdinaryVia(bytes, valueStart[next]!, valueEnd[next]!, via);
}

/** Returns where the value behind the comma at `comma` begins. */
function startBehind(bytes: Uint8Array, comma: number, stop: number): number {
  let at = comma + 1;
  while (at < stop && bytes[at]! <= SP) at++;
  return at;
}

/** True where what the answer changes in the row of its call needs nothing but the numbers of the message. */
function isSimple({ proxy: { calls }, message }: OrdinaryTurn, method: MethodId): boolean {
  const { status } = message;
  const { slot } = own;
  if (own.isWithin) return method !== Method.invite && method !== Method.update;
  if (calls.setupOf(slot)?.sent !== undefined) return false;
  if (method !== Method.invite) return true;
  const session = message.first[Header.sessionExpires]!;
  if (status < 300) return session < 0 || message.folded[session] === 0;
  return status !== 484 && message.first[Header.reason]! < 0;
}

/** Takes our Via away, and confirms our tokens. */
function cutAnswer(turn: OrdinaryTurn, isConfirmed: boolean): boolean {
  const { message } = turn;
  const index = message.first[Header.via]!;
  clearCuts(cuts);
  const isAlone = own.end >= message.valueEnd[index]!;
  const from = isAlone ? message.lineStart[index]! : message.valueStart[index]!;
  const to = isAlone
    ? message.lineEnd[index]!
    : startBehind(message.bytes, own.end, message.valueEnd[index]!);
  return cut(cuts, from, to, cuts.free) && (!isConfirmed || confirmTokens(turn, cuts, toTag));
}

/** Notes what the answer shows about the state of the next hop that it comes from. */
function hear({ proxy, policy, now, listener, address, port }: OrdinaryTurn): void {
  if (!proxy.hops.isWatching) return;
  const hop = proxy.hops.answeringFrom(listener.transport, address, port);
  if (hop !== undefined && noteAnswer(hop, now, policy.nextHopHealth)) reportChange(proxy, hop, "answered");
}

/** Notes an answer that goes on to the caller in the row of its call. */
function note(turn: OrdinaryTurn, method: MethodId, replyAddress: string, replyPort: number): void {
  const { proxy, message, now } = turn;
  const { calls } = proxy;
  const { status, bytes } = message;
  const { slot } = own;
  if (own.isWithin) {
    if (method !== Method.bye) return;
    calls.left(
      slot,
      hashTagAt(bytes, fromTag.start, fromTag.end),
      hashTagAt(bytes, toTag.start, toTag.end),
      status,
      now,
    );
  } else if (method !== Method.invite) return;
  else if (status < 200) {
    calls.provisional(slot, status === 180, now);
    const setup = calls.setupOf(slot);
    if (setup !== undefined) setup.isHeard = true;
  } else if (status < 300) {
    const hash = hashTagAt(bytes, toTag.start, toTag.end);
    if (calls.answered(slot, hash, sessionSeconds(turn), now))
      keepAnsweredDialog(turn, slot, toTag, {
        via,
        ingress: turn.own[own.ingress]!,
        replyAddress,
        replyPort,
      });
  } else if (calls.stateOf(slot) === "setup") {
    const end = status === 487 ? cancelled : ({ by: "called", how: "refused" } as const);
    calls.ended(slot, { ...end, status }, now);
  }
}

const cancelled = { by: "caller", how: "cancelled" } as const;

/** Digits of the longest interval that is believed, as `readSessionSeconds` has it. */
const MOST_DIGITS = 6;

/** Returns the seconds of Session-Expires; 0: there are none that can be read. */
function sessionSeconds({ message }: OrdinaryTurn): number {
  const index = message.first[Header.sessionExpires]!;
  if (index < 0) return 0;
  const start = message.valueStart[index]!;
  const stop = message.valueEnd[index]!;
  let seconds = 0;
  for (let at = start; at < stop; at++) {
    const digit = message.bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) break;
    if (at - start === MOST_DIGITS) return 0;
    seconds = seconds * 10 + digit;
  }
  return seconds;
}
