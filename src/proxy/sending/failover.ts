// Calls that have more than one next hop: kept while they wait, moved when theirs goes down or says 503, repeated.
import type { CallMoved, CallRef } from "../../domain/call.ts";
import type { ReasonCode } from "../../domain/reason.ts";
import { trunkCounters } from "../../observe/counters.ts";
import { noteInvite, type Destination } from "../../routing/hop-health.ts";
import type { Target } from "../../routing/listener.ts";
import { consumeOwn } from "../../routing/route.ts";
import { clearEdits } from "../../sip/edit.ts";
import { Header } from "../../sip/header.ts";
import { headerValue } from "../../sip/message.ts";
import { copyText, keepInvite, keyOfRequest, MOST_TRIED, type SentCall } from "../memory/calls-in-setup.ts";
import { LEDGER_TTL } from "../memory/ledger.ts";
import { applyChanges, type MessageChanges, removeLabels, withheld } from "../messages/message-changes.ts";
import { answer } from "../turn/answers.ts";
import { guard } from "../turn/proxy-state.ts";
import { attemptOf } from "../turn/request-attempt.ts";
import {
  beginRequest,
  returnWorkspace,
  scanBeside,
  senderOf,
  type Moment,
  type RequestTurn,
  type TrunkTurn,
} from "../turn/turn.ts";
import { forward, forwardCall } from "./forward.ts";

/** The call that a request repeats or follows. Two trunks at one address may give their calls the same names. */
export function sentCallOf(turn: RequestTurn): SentCall | undefined {
  const { sentCalls } = turn.proxy;
  if (!sentCalls.isActive) return undefined;
  const call = sentCalls.find(keyOfRequest(turn.request), turn.now);
  return call?.trunk === senderOf(turn) ? call : undefined;
}

/** The caller's CANCEL goes to every next hop that the call went to, its ACK of a refusal to the one that gave it. */
export function followCall(turn: RequestTurn, call: SentCall): void {
  const last = call.tried.slice(-1);
  const isCancel = turn.message.method === "CANCEL";
  if (isCancel) turn.proxy.sentCalls.settle(call);
  const targets = isCancel ? call.tried : call.answered === undefined ? last : [call.answered];
  sendToAll(turn, targets, call.changes?.isWithheld === true);
}

/** Sends an ACK or CANCEL of a trunk to several places. */
export function sendToAll(turn: RequestTurn, targets: readonly Target[], isWithheld: boolean): void {
  const { message, edits } = turn;
  for (const target of targets) {
    asOfTrunk(turn);
    if (isWithheld) applyChanges(message, edits, withheld);
    forward(turn, target);
  }
}

/** Begins the edits anew: our Route values and a peer's labels go. */
function asOfTrunk({ message, edits, routes }: RequestTurn): void {
  clearEdits(edits);
  consumeOwn(message, routes, edits);
  removeLabels(message, edits);
}

/** Waiting calls that are looked at in one tick when their next hop has gone down, for each; moved ones that are repeated, for all. */
const MOST_MOVED = 200;

/** A new call on its way to a next hop: kept, so that it can go to another one and its CANCEL finds it. False: no room, it can't be sent. */
export function keepCall(
  turn: TrunkTurn,
  target: Target,
  {
    call: ref,
    reason,
    changes,
  }: {
    readonly call: CallRef | undefined;
    readonly reason: ReasonCode;
    readonly changes: MessageChanges | undefined;
  },
): boolean {
  const { proxy, message, now, request } = turn;
  const { trunk } = turn.source;
  const { hops, sentCalls } = proxy;
  // Nothing but an INVITE waits for somebody to pick up; other requests are repeated by who sent them (RFC 3261 section 17.1.2).
  if (trunk.side === "core" || ref === undefined) return true;
  const isWithheld = changes?.isWithheld === true;
  if (isWithheld) proxy.withheldOn.add(trunk.id);
  if (!hops.isWatching && !isWithheld) return true;
  const hop = hops.at(target.transport, target.address, target.port);
  // What tcpAbove has moved is at no next hop that is watched.
  if (hop === undefined) return true;
  if (hop.state === "down") trunkCounters(proxy.counters, trunk.id).noneUp++;
  const hasChoice = hops.hasChoice(trunk);
  if (!hasChoice && !isWithheld) return true;
  const call: SentCall = {
    ref,
    key: keyOfRequest(request),
    callId: copyText(request.callId),
    at: now,
    trunk: trunk.id,
    reason,
    changes,
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
  if (hasChoice && !sentCalls.keep(call, now)) {
    proxy.counters.failoversFull++;
    return false;
  }
  // Its CANCEL must not tell what the INVITE did not, however late it comes.
  if (isWithheld || hop !== hops.preferred(trunk, request.callId)) sentCalls.remember(call, now);
  if (hasChoice) noteInvite(hop, now);
  return true;
}

/** Where the repeat of an INVITE goes: where the call is, unless that has gone down meanwhile without a word. */
export function targetOfRepeat(turn: RequestTurn, first: Target): Target {
  const call = sentCallOf(turn);
  const hop = call?.tried.at(-1);
  if (call === undefined || hop === undefined) return first;
  const next = hop.state === "down" ? nextFor(turn, call) : undefined;
  if (next === undefined) return hop;
  take(turn, call, next, "down");
  return next;
}

/** The next hop that the call may still go to: one that is up, unless it was answered, cancelled or tried for long enough. */
export function nextFor({ proxy, now, policy }: Moment, call: SentCall): Destination | undefined {
  if (call.kept === undefined || call.tried.length >= MOST_TRIED || now - call.at >= LEDGER_TTL)
    return undefined;
  const source = policy.trunkById(call.trunk);
  return source === undefined ? undefined : proxy.hops.next(source.trunk, call.callId, call.tried);
}

/** Sends the call on to another next hop; false when there is none. */
export function moveCall(moment: Moment, call: SentCall, why: CallMoved["why"]): boolean {
  const next = nextFor(moment, call);
  const turn = next === undefined ? undefined : beginKept(moment, call);
  if (next === undefined || turn === undefined) return false;
  take(moment, call, next, why);
  sendAgain(turn, call, next);
  returnWorkspace(moment, turn);
  return true;
}

function take({ proxy, now }: Moment, call: SentCall, next: Destination, why: CallMoved["why"]): void {
  proxy.sentCalls.move(call, next, now);
  proxy.sentCalls.remember(call, now);
  call.was503 ||= why === "503";
  noteInvite(next, now);
  proxy.tell({ kind: "moved", call: call.ref, at: now, hop: next.key, why });
}

/**
 * A turn of its own for the kept INVITE, as it was received. Undefined: it is kept no more, or its trunk has left
 * the policy. Its workspace is to be returned.
 */
function beginKept(moment: Moment, { kept, trunk }: SentCall): TrunkTurn | undefined {
  const source = moment.policy.trunkById(trunk);
  if (kept === undefined || source === undefined) return undefined;
  const workspace = scanBeside(moment, kept.bytes);
  const turn = beginRequest(moment, workspace, source, kept);
  return turn === undefined ? undefined : { ...turn, source };
}

/** As its repeat would be sent: the same bytes, our own fields for this next hop. */
function sendAgain(turn: TrunkTurn, { reason, changes }: SentCall, hop: Destination): void {
  asOfTrunk(turn);
  forwardCall(turn, hop, { attempt: attemptOf(turn), reason, changes });
}

/** Moves what waits at next hops that have gone down, and repeats what was moved and met no answer yet. */
export function moveWaitingCalls(moment: Moment): void {
  const { proxy, now } = moment;
  for (const hop of proxy.hops.destinations) if (hop.state === "down") moveCallsAt(moment, hop);
  let repeated = 0;
  for (const call of proxy.sentCalls.repeating) {
    if (now < call.repeatAt) continue;
    if (++repeated > MOST_MOVED) return;
    guard(proxy, () => repeatCall(moment, call));
  }
}

function moveCallsAt(moment: Moment, hop: Destination): void {
  const { sentCalls } = moment.proxy;
  const waiting = sentCalls.waitingAt(hop);
  let left = Math.min(waiting.size, MOST_MOVED);
  for (const call of waiting) {
    if (left-- === 0) return;
    let isMoved = false;
    guard(moment.proxy, () => (isMoved = moveCall(moment, call, "down")));
    // Those that can go nowhere must not stand in the way of those that can.
    if (!isMoved) sentCalls.postpone(call);
  }
}

/** RFC 3261 section 17.1.1.2, timers A and B: the caller has heard 100 perhaps, and repeats nothing. */
function repeatCall(moment: Moment, call: SentCall): void {
  const { now, proxy } = moment;
  const hop = call.tried.at(-1);
  const turn = hop === undefined ? undefined : beginKept(moment, call);
  if (hop === undefined || turn === undefined) {
    proxy.sentCalls.settle(call);
    return;
  }
  if (now - call.at < LEDGER_TTL) {
    call.repeatAfter *= 2;
    call.repeatAt = Math.min(now + call.repeatAfter, call.at + LEDGER_TTL);
    if (hop.transport === "udp") sendAgain(turn, call, hop);
  } else {
    proxy.sentCalls.settle(call);
    const unavailable = turn.source.trunk.passThrough503 ? 503 : 500;
    answer(turn, call.was503 ? unavailable : 408, "");
  }
  returnWorkspace(moment, turn);
}
