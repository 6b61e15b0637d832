// What an answer says about the life of its call: alerting, answered, refused, released.
import { endOfSetup } from "../../calls/answer-end.ts";
import type { CallSlot } from "../../calls/calls.ts";
import { fromTagOf, toTagOf } from "../../routing/request-in-hand.ts";
import { Header } from "../../sip/header.ts";
import { headerValue } from "../../sip/message.ts";
import { readSessionSeconds } from "../../sip/fields/session-expires.ts";
import type { MarkedCall } from "../sending/call-mark.ts";
import type { ResponseTurn } from "../turn/turn.ts";
import { keepDialog, noteNewTarget, type DialogWay } from "./dialog-keeping.ts";
import { hasMethod } from "./failover-answers.ts";

/** The way of an answer that goes on to the caller. */
export interface AnsweredWay extends DialogWay {
  /** True: we gave it in the place of a hop. */
  readonly isOurs: boolean;
}

/**
 * Notes an answer that goes on to the caller.
 *
 * @param toTag of a 1xx or 2xx
 */
export function noteAnswered(
  turn: ResponseTurn,
  { slot, isWithin }: MarkedCall,
  toTag: string,
  way: AnsweredWay,
): void {
  if (isWithin) noteInDialog(turn, slot);
  else if (hasMethod(turn.message, "INVITE")) noteInvite(turn, slot, toTag, way);
}

/** Notes an answer to the INVITE that began the call. */
function noteInvite(turn: ResponseTurn, slot: CallSlot, toTag: string, way: AnsweredWay): void {
  const { proxy, message, now } = turn;
  const { isOurs } = way;
  const { calls } = proxy;
  const { status } = message;
  if (status < 200) {
    calls.provisional(slot, status === 180, now);
    const setup = calls.setupOf(slot);
    if (setup !== undefined) setup.isHeard = true;
  } else if (status < 300) {
    if (calls.answered(slot, toTag, readSessionSeconds(message), now)) keepDialog(turn, slot, toTag, way);
  }
  // After a 2xx, this is the answer of another branch. The call of the 2xx is still in progress (RFC 3261 section 16.7
  // step 5).
  else if (calls.stateOf(slot) === "setup") {
    if (status === 484) noteIncomplete(turn, slot);
    calls.ended(slot, endOfSetup(message, isOurs), now);
  }
}

/** Notes a 484: the caller may send the same call again with more digits (RFC 3578). */
function noteIncomplete({ proxy, message, now }: ResponseTurn, slot: CallSlot): void {
  const dialled = proxy.calls.setupOf(slot)?.dialled;
  if (dialled === undefined) return;
  const { id, trunk } = proxy.calls.refOf(slot);
  const callId = headerValue(message, message.first[Header.callId]!);
  proxy.state.overlaps.incomplete({ trunk, callId, fromTag: fromTagOf(message), dialled, id }, now);
}

/** Notes an answer to a request inside the dialog: to a refresh (RFC 4028), or to a BYE. */
function noteInDialog(turn: ResponseTurn, slot: number): void {
  const { proxy, message, now } = turn;
  const { status } = message;
  if (hasMethod(message, "BYE")) proxy.calls.left(slot, fromTagOf(message), toTagOf(message), status, now);
  else if (status >= 200 && status < 300 && (hasMethod(message, "INVITE") || hasMethod(message, "UPDATE"))) {
    proxy.calls.refreshed(slot, readSessionSeconds(message), now);
    noteNewTarget(turn, slot);
  }
}
