// Calls that have more than one next hop: kept while they wait, moved when theirs goes down or says 503, repeated.
import { NO_CALL } from "../../calls/calls.ts";
import type { CallMoved } from "../../domain/call.ts";
import { trunkCounters } from "../../observe/counters.ts";
import { noteInvite, type Destination } from "../../routing/hop-health.ts";
import type { Target } from "../../routing/listener.ts";
import { discardRoutes } from "../../routing/route.ts";
import { clearEdits } from "../../sip/edit.ts";
import { Header } from "../../sip/header.ts";
import { headerValue } from "../../sip/message.ts";
import { REPEATED_FOR } from "../../sip/timers.ts";
import { copyText, keepInvite, MOST_TRIED, type CallSetup, type SentCall } from "../memory/call-setup.ts";
import { applyChanges, removeLabels, withheld } from "../messages/message-changes.ts";
import { answer } from "../turn/answers.ts";
import { guard } from "../turn/proxy-state.ts";
import { attemptOf } from "../turn/request-attempt.ts";
import {
  beginRequest,
  returnWorkspace,
  scanBeside,
  type Moment,
  type RequestTurn,
  type TrunkTurn,
} from "../turn/turn.ts";
import type { MarkedCall } from "./call-mark.ts";
import { forward, forwardCall } from "./forward.ts";

/**
 * Returns what is kept of the call that an INVITE repeats, or that an ACK or CANCEL follows (RFC 3261 section 17.2.3).
 *
 * @param key of the transaction
 */
export function setupOf({ proxy, now }: RequestTurn, key: string): CallSetup | undefined {
  const slot = proxy.calls.find(key, now);
  return slot === NO_CALL ? undefined : proxy.calls.setupOf(slot);
}

/**
 * Sends on what follows the call's INVITE. A CANCEL of the caller goes to every next hop that the call went to. An ACK
 * of a refusal goes to the next hop that refused.
 */
export function followCall(turn: RequestTurn, call: SentCall): void {
  const last = call.tried.slice(-1);
  const isCancel = turn.message.method === "CANCEL";
  if (isCancel) turn.proxy.inSetup.settle(call);
  const targets = isCancel ? call.tried : call.answered === undefined ? last : [call.answered];
  sendToAll(turn, targets, call.setup);
}

/**
 * Sends an ACK or CANCEL of a trunk to several places.
 *
 * @param setup what is kept of its INVITE
 * @param isWithheld true: the calling number must not be shown
 */
export function sendToAll(
  turn: RequestTurn,
  targets: readonly Target[],
  setup: CallSetup | undefined,
  isWithheld = setup !== undefined && isWithheldIn(setup),
): void {
  const { message, edits } = turn;
  for (const target of targets) {
    asOfTrunk(turn);
    if (isWithheld) applyChanges(message, edits, withheld);
    forward(turn, target, callOf(setup));
  }
}

/** Returns the call of an ACK or CANCEL. Its Via must be that of the INVITE (RFC 3261 sections 9.1, 17.1.1.3). */
export function callOf(setup: CallSetup | undefined): MarkedCall | undefined {
  return setup === undefined ? undefined : { slot: setup.slot, isWithin: false };
}

/** True for a call whose calling number is not shown. */
export function isWithheldIn({ outcome }: CallSetup): boolean {
  return outcome.kind === "forward" && outcome.changes?.isWithheld === true;
}

/** Begins the edits anew: removes the Route values and the labels that a peer wrote. */
function asOfTrunk({ message, edits, routes }: RequestTurn): void {
  clearEdits(edits);
  discardRoutes(message, routes, edits);
  removeLabels(message, edits);
}

/**
 * Two bounds of one tick. At most this many waiting calls are looked at for each next hop that has gone down. At most
 * this many moved calls are repeated in all.
 */
const MOST_MOVED = 200;

/**
 * Keeps a new call that is being sent to a next hop. So it can go to another next hop, and its CANCEL finds it.
 *
 * @returns false when there is no room; then the call can't be sent
 */
export function keepCall(turn: TrunkTurn, target: Target, setup: CallSetup): boolean {
  const { proxy, message, request } = turn;
  const { trunk } = turn.source;
  const { hops, counters } = proxy;
  const isWithheld = isWithheldIn(setup);
  if (isWithheld) proxy.withheldOn.add(trunk.id);
  if (!hops.isWatching && !isWithheld) return true;
  const hop = hops.at(target.transport, target.address, target.port);
  // A target that `tcpAbove` has changed to TCP belongs to no next hop that is watched. One that the core named itself
  // is no next hop of its trunk, and its call may go nowhere else.
  if (hop === undefined || (trunk.side === "core" && hop !== target)) return true;
  if (hop.state === "down") trunkCounters(counters, trunk.id).noneUp++;
  const hasChoice = hops.hasChoice(trunk);
  if (!hasChoice && !isWithheld) return true;
  const call: SentCall = {
    setup,
    callId: copyText(request.callId),
    tried: [hop],
    kept: hasChoice ? keepInvite(request) : undefined,
    uri: copyText(message.text.slice(message.uriStart, message.uriEnd)),
    to: copyText(headerValue(message, message.first[Header.to]!)),
    answered: undefined,
    ended: [],
    was503: false,
    repeatAt: 0,
    repeatAfter: 0,
  };
  if (hasChoice && !keepBytes(turn, call)) {
    counters.failoversFull++;
    return false;
  }
  setup.sent = call;
  if (hasChoice) noteInvite(hop, turn.now);
  return true;
}

/** Keeps the bytes of a call. When there is no room, removes the calls whose time is over and tries again. */
function keepBytes({ proxy, now }: Moment, call: SentCall): boolean {
  if (proxy.inSetup.keep(call)) return true;
  proxy.calls.tick(now);
  return proxy.inSetup.keep(call);
}

/**
 * Returns where the repeat of an INVITE goes: to the next hop that the call is at. If that next hop has gone down
 * without an answer, the call moves to another one first.
 */
export function targetOfRepeat(turn: RequestTurn, call: SentCall | undefined, first: Target): Target {
  const hop = call?.tried.at(-1);
  if (call === undefined || hop === undefined) return first;
  const next = hop.state === "down" ? nextFor(turn, call) : undefined;
  if (next === undefined) return hop;
  take(turn, call, next, "down");
  return next;
}

/**
 * Returns the next hop that the call may still go to, which is up. Returns undefined when the call was answered or
 * cancelled, when it was tried for long enough, or when there is no such next hop.
 */
export function nextFor({ proxy, now, policy }: Moment, call: SentCall): Destination | undefined {
  if (call.kept === undefined || call.tried.length >= MOST_TRIED) return undefined;
  if (proxy.calls.ageOf(call.setup.slot, now) >= REPEATED_FOR) return undefined;
  const source = policy.trunkById(call.setup.trunk);
  return source === undefined ? undefined : proxy.hops.next(source.trunk, call.callId, call.tried);
}

/** Sends the call to another next hop. Returns false when there is none. */
export function moveCall(moment: Moment, call: SentCall, why: CallMoved["why"]): boolean {
  const next = nextFor(moment, call);
  const turn = next === undefined ? undefined : beginKept(moment, call);
  if (next === undefined || turn === undefined) return false;
  take(moment, call, next, why);
  sendAgain(turn, call, next);
  returnWorkspace(moment, turn);
  return true;
}

function take({ proxy, now, at }: Moment, call: SentCall, next: Destination, why: CallMoved["why"]): void {
  const { slot } = call.setup;
  proxy.inSetup.move(call, next, now);
  proxy.calls.forwarded(slot, now);
  call.setup.isHeard = false;
  call.was503 ||= why === "503";
  noteInvite(next, now);
  proxy.tell({ kind: "moved", call: proxy.calls.refOf(slot), at, hop: next.key, why });
}

/**
 * Begins a turn of its own for the kept INVITE, as it was received. The caller returns the workspace of the turn.
 * Returns undefined when the INVITE is no longer kept, or when its trunk has left the policy.
 */
function beginKept(moment: Moment, { kept, setup }: SentCall): TrunkTurn | undefined {
  const source = moment.policy.trunkById(setup.trunk);
  if (kept === undefined || source === undefined) return undefined;
  const workspace = scanBeside(moment, kept.bytes);
  const turn = beginRequest(moment, workspace, source, kept);
  return turn === undefined ? undefined : { ...turn, source };
}

/** Sends the INVITE as its repeat would be sent: the same bytes, with our own fields for this next hop. */
function sendAgain(turn: TrunkTurn, { setup: { slot, outcome } }: SentCall, hop: Destination): void {
  if (outcome.kind !== "forward") return;
  asOfTrunk(turn);
  const { reason, changes } = outcome;
  forwardCall(turn, hop, { slot, attempt: attemptOf(turn), reason, changes });
}

/**
 * Moves the calls that wait at next hops which have gone down. Repeats the calls that were moved and have no answer
 * yet.
 */
export function moveWaitingCalls(moment: Moment): void {
  const { proxy, now } = moment;
  for (const hop of proxy.hops.destinations()) if (hop.state === "down") moveCallsAt(moment, hop);
  let repeated = 0;
  for (const call of proxy.inSetup.repeating) {
    if (now < call.repeatAt) continue;
    if (++repeated > MOST_MOVED) return;
    guard(proxy, () => repeatCall(moment, call));
  }
}

function moveCallsAt(moment: Moment, hop: Destination): void {
  const { inSetup } = moment.proxy;
  const waiting = inSetup.waitingAt(hop);
  let left = Math.min(waiting.size, MOST_MOVED);
  for (const call of waiting) {
    if (left-- === 0) return;
    let isMoved = false;
    guard(moment.proxy, () => (isMoved = moveCall(moment, call, "down")));
    // Calls that can't be moved must not delay calls that can.
    if (!isMoved) inSetup.postpone(call);
  }
}

/**
 * Sends a moved INVITE again (RFC 3261 section 17.1.1.2, timers A and B). The caller may have received 100 already, and
 * then repeats nothing.
 */
function repeatCall(moment: Moment, call: SentCall): void {
  const { now, proxy } = moment;
  const hop = call.tried.at(-1);
  const turn = hop === undefined ? undefined : beginKept(moment, call);
  if (hop === undefined || turn === undefined) {
    proxy.inSetup.settle(call);
    return;
  }
  const { slot } = call.setup;
  const left = REPEATED_FOR - proxy.calls.ageOf(slot, now);
  if (left > 0) {
    call.repeatAfter *= 2;
    call.repeatAt = Math.min(now + call.repeatAfter, now + left);
    if (hop.transport === "udp") sendAgain(turn, call, hop);
  } else {
    proxy.inSetup.settle(call);
    const unavailable = turn.source.trunk.passThrough503 ? 503 : 500;
    const status = call.was503 ? unavailable : 408;
    answer(turn, status, "");
    proxy.calls.ended(slot, { by: "filter", how: status === 408 ? "timed-out" : "refused", status }, now);
  }
  returnWorkspace(moment, turn);
}
