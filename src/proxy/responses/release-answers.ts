// Answers that come for calls which the filter has ended: they end here, and reach nobody.
import type { Target } from "../../routing/listener.ts";
import { toTagOf } from "../../routing/request-in-hand.ts";
import { Header } from "../../sip/header.ts";
import { headerValue } from "../../sip/message.ts";
import type { OwnRequest } from "../memory/own-requests.ts";
import type { ReleasedCall } from "../memory/released-calls.ts";
import { isSamePeer } from "../sending/asked-place.ts";
import { acknowledge, sendBye } from "../sending/bye.ts";
import type { MarkedCall } from "../sending/call-mark.ts";
import { sendFollowing } from "../sending/own-following.ts";
import { noteByeAnswered } from "../sending/release.ts";
import { sendCancel } from "../sending/setup-release.ts";
import type { ResponseTurn } from "../turn/turn.ts";
import { dialogOf, type DialogWay } from "./dialog-keeping.ts";
import { hasMethod } from "./failover-answers.ts";

/**
 * Takes the answer to a BYE or CANCEL of our own.
 *
 * @param mac of the branch of our Via
 * @returns false when no such request waits for an answer
 */
export function takeReleaseAnswer(turn: ResponseTurn, mac: string): boolean {
  const { proxy, now, message } = turn;
  const { ownRequests } = proxy;
  if (ownRequests.size() === 0) return false;
  const method: OwnRequest["method"] = hasMethod(message, "CANCEL") ? "CANCEL" : "BYE";
  const request = ownRequests.find(method, mac);
  if (request === undefined || !hasMethod(message, method)) return false;
  const { listener, address, port, call } = request;
  if (listener !== turn.listener || !isSamePeer(turn, { transport: listener.transport, address, port }))
    return false;
  if (message.status < 200) {
    ownRequests.slowDown(request, now);
    return true;
  }
  ownRequests.stop(request);
  if (method === "BYE") noteByeAnswered(call, message.status);
  return true;
}

/**
 * Takes a late answer to the INVITE of a call that the filter has ended. A 2xx is acknowledged, and its dialog gets a
 * BYE. A refusal is acknowledged. A provisional answer brings a CANCEL.
 *
 * @param isOurs true: we gave it in the place of a hop
 * @returns false when the answer goes on
 */
export function takeLateAnswer(
  turn: ResponseTurn,
  { slot, isWithin }: MarkedCall,
  way: DialogWay,
  isOurs: boolean,
): boolean {
  const { proxy, message } = turn;
  if (isWithin || !hasMethod(message, "INVITE")) return false;
  const call = proxy.released.of(proxy.calls.nameOf(slot));
  if (call === undefined) return false;
  const { status } = message;
  if (status >= 200 && status < 300) {
    endLateDialog(turn, slot, call, way);
    return true;
  }
  if (call.invite === undefined) return false;
  if (isOurs) return true;
  if (status < 200) cancelLate(turn, call);
  else followLate(turn, call);
  return true;
}

/** Acknowledges the 2xx. Its dialog gets a BYE, once; the caller has no part in it. */
function endLateDialog(turn: ResponseTurn, slot: number, call: ReleasedCall, way: DialogWay): void {
  const { message } = turn;
  const calledTag = toTagOf(message);
  const caller = { callerFrom: "", callerContact: "", isup: undefined };
  const dialog = dialogOf(turn, slot, calledTag, caller, way);
  if (dialog === undefined) return;
  acknowledge(turn, dialog, message.cseq);
  if (call.tags.includes(calledTag) || call.tags.length >= MOST_DIALOGS) return;
  call.tags.push(calledTag);
  sendBye(turn, call, dialog, "called", Math.max(call.cseq, message.cseq) + 1);
}

/** Dialogs of one call that are ended so, at most. */
const MOST_DIALOGS = 16;

function cancelLate(turn: ResponseTurn, call: ReleasedCall): void {
  const { listener, address, port } = turn;
  const hop = call.targets.find((each) => isAt(each, { transport: listener.transport, address, port }));
  if (hop !== undefined) sendCancel(turn, call, hop, listener);
}

/** On a stream the port is that of any connection of the peer. */
function isAt(hop: Target, from: Target): boolean {
  return (
    hop.transport === from.transport &&
    hop.address === from.address &&
    (hop.port === from.port || from.transport !== "udp")
  );
}

/** Acknowledges a refusal (RFC 3261 section 17.1.1.3). */
function followLate(turn: ResponseTurn, { invite, name, targets }: ReleasedCall): void {
  const { proxy, message, listener, address, port } = turn;
  if (invite === undefined) return;
  const from = { transport: listener.transport, address, port };
  const hop = targets.find((each) => isAt(each, from)) ?? from;
  const to = headerValue(message, message.first[Header.to]!);
  sendFollowing(proxy, "ACK", { invite, name, to }, listener, hop);
}
