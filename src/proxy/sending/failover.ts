import type { ReasonCode } from "../../domain/reason.ts";
import type { Trunk } from "../../domain/trunk.ts";
import { trunkCounters } from "../../observe/counters.ts";
import { clearEdits } from "../../sip/edit.ts";
import { Header } from "../../sip/header.ts";
import { headerValue } from "../../sip/message.ts";
import { scan } from "../../sip/scan.ts";
import { type Destination, noteInvite } from "../../routing/hop-health.ts";
import { type RequestInHand, readRequestInHand } from "../../routing/request-in-hand.ts";
import { forward, forwardCall } from "./forward.ts";
import { LEDGER_TTL } from "../memory/ledger.ts";
import type { Target } from "../../routing/listener.ts";
import { guard, type Relay } from "../turn/proxy-state.ts";
import { consumeOwn, readRoutes, type Routes } from "../../routing/route.ts";
import { removeLabels, applyChanges, type MessageChanges, withheld } from "../messages/message-changes.ts";
import { copyText, keepInvite, keyOfRequest, MOST_TRIED, type SentCall } from "../memory/calls-in-setup.ts";
import { answer } from "../turn/answers.ts";
import { attemptOf } from "../turn/request-attempt.ts";

/** The call that a request of `trunk` repeats or follows. Two trunks at one address may give their calls the same names. */
export function sentCallOf(relay: Relay, trunk: string, exchange: RequestInHand): SentCall | undefined {
  const { now } = relay;
  if (!relay.sentCalls.isActive) return undefined;
  const call = relay.sentCalls.find(keyOfRequest(exchange), now);
  return call?.trunk === trunk ? call : undefined;
}

/** The caller's CANCEL goes to every next hop that the call went to, its ACK of a refusal to the one that gave it. */
export function followCall(relay: Relay, exchange: RequestInHand, routes: Routes, call: SentCall): void {
  const last = call.tried.slice(-1);
  const isCancel = relay.message.method === "CANCEL";
  if (isCancel) relay.sentCalls.settle(call);
  const targets = isCancel ? call.tried : call.answered === undefined ? last : [call.answered];
  sendToAll(relay, exchange, routes, targets, call.changes?.isWithheld === true);
}

/** Sends an ACK or CANCEL of a trunk to several places. */
export function sendToAll(
  relay: Relay,
  exchange: RequestInHand,
  routes: Routes,
  targets: readonly Target[],
  isWithheld: boolean,
): void {
  for (const target of targets) {
    clearEdits(relay.edits);
    consumeOwn(relay.message, routes, relay.edits);
    removeLabels(relay.message, relay.edits);
    if (isWithheld) applyChanges(relay.message, relay.edits, withheld);
    forward(relay, exchange, target);
  }
}

/** Waiting calls that are looked at in one tick when their next hop has gone down, for each; moved ones that are repeated, for all. */
const MOST_MOVED = 200;

/** A new call on its way to a next hop: kept, so that it can go to another one and its CANCEL finds it. False: no room, it can't be sent. */
export function keepCall(
  relay: Relay,
  trunk: Trunk,
  exchange: RequestInHand,
  target: Target,
  reason: ReasonCode,
  changes: MessageChanges | undefined,
): boolean {
  const { hops, sentCalls, message, now } = relay;
  // Nothing but an INVITE waits for somebody to pick up; other requests are repeated by who sent them (RFC 3261 section 17.1.2).
  if (trunk.side === "core" || message.method !== "INVITE") return true;
  const isWithheld = changes?.isWithheld === true;
  if (isWithheld) relay.withheldOn.add(trunk.id);
  if (!hops.isWatching && !isWithheld) return true;
  const hop = hops.at(target.transport, target.address, target.port);
  // What tcpAbove has moved is at no next hop that is watched.
  if (hop === undefined) return true;
  if (hop.state === "down") trunkCounters(relay.counters, trunk.id).noneUp++;
  const hasChoice = hops.hasChoice(trunk);
  if (!hasChoice && !isWithheld) return true;
  const call: SentCall = {
    key: keyOfRequest(exchange),
    callId: copyText(exchange.callId),
    at: now,
    trunk: trunk.id,
    reason,
    changes,
    tried: [hop],
    kept: hasChoice ? keepInvite(exchange) : undefined,
    uri: copyText(message.text.slice(message.uriStart, message.uriEnd)),
    to: copyText(headerValue(message, message.first[Header.to]!)),
    answered: undefined,
    ended: [],
    was503: false,
    repeatAt: 0,
    repeatAfter: 0,
  };
  if (hasChoice && !sentCalls.keep(call, now)) {
    relay.counters.failoversFull++;
    return false;
  }
  // Its CANCEL must not tell what the INVITE did not, however late it comes.
  if (isWithheld || hop !== hops.preferred(trunk, exchange.callId)) sentCalls.remember(call, now);
  if (hasChoice) noteInvite(hop, now);
  return true;
}

/** Where the repeat of an INVITE goes: where the call is, unless that has gone down meanwhile without a word. */
export function targetOfRepeat(relay: Relay, trunk: Trunk, exchange: RequestInHand, first: Target): Target {
  const call = sentCallOf(relay, trunk.id, exchange);
  const hop = call?.tried.at(-1);
  if (call === undefined || hop === undefined) return first;
  const next = hop.state === "down" ? nextFor(relay, call) : undefined;
  if (next === undefined) return hop;
  take(relay, call, next, "down");
  return next;
}

/** The next hop that the call may still go to: one that is up, unless it was answered, cancelled or tried for long enough. */
export function nextFor(relay: Relay, call: SentCall): Destination | undefined {
  const { now, policy } = relay;
  if (call.kept === undefined || call.tried.length >= MOST_TRIED || now - call.at >= LEDGER_TTL)
    return undefined;
  const source = policy.trunkById(call.trunk);
  return source === undefined ? undefined : relay.hops.next(source.trunk, call.callId, call.tried);
}

/** Sends the call on to another next hop; false when there is none. */
export function moveCall(relay: Relay, call: SentCall, cause: "down" | "503"): boolean {
  const { policy } = relay;
  const trunk = policy.trunkById(call.trunk)?.trunk;
  const next = nextFor(relay, call);
  if (trunk === undefined || next === undefined) return false;
  const exchange = reread(relay, call);
  if (exchange === undefined) return false;
  take(relay, call, next, cause);
  sendAgain(relay, trunk, call, exchange, next);
  return true;
}

function take(relay: Relay, call: SentCall, next: Destination, cause: "down" | "503"): void {
  const { now } = relay;
  relay.sentCalls.move(call, next, now);
  relay.sentCalls.remember(call, now);
  call.was503 ||= cause === "503";
  noteInvite(next, now);
  const counters = trunkCounters(relay.counters, call.trunk);
  if (cause === "503") counters.failovers503++;
  else counters.failoversDown++;
}

/** The kept INVITE, in hand again. */
function reread(relay: Relay, { kept }: SentCall): RequestInHand | undefined {
  if (kept === undefined) return undefined;
  scan(relay.message, kept.bytes);
  return readRequestInHand(relay.message, kept.listener, kept.address, kept.port);
}

/** As its repeat would be sent: the same bytes, our own fields for this next hop. */
function sendAgain(
  relay: Relay,
  trunk: Trunk,
  call: SentCall,
  exchange: RequestInHand,
  hop: Destination,
): void {
  clearEdits(relay.edits);
  const routes = readRoutes(relay.message, relay.listeners);
  consumeOwn(relay.message, routes, relay.edits);
  removeLabels(relay.message, relay.edits);
  const attempt = attemptOf(relay, trunk, exchange, routes.uri);
  forwardCall(relay, exchange, hop, attempt, call.reason, call.changes);
}

/** Moves what waits at next hops that have gone down, and repeats what was moved and met no answer yet. */
export function moveWaitingCalls(relay: Relay): void {
  const { now } = relay;
  for (const hop of relay.hops.destinations) if (hop.state === "down") moveCallsAt(relay, hop);
  let repeated = 0;
  for (const call of relay.sentCalls.repeating) {
    if (now < call.repeatAt) continue;
    if (++repeated > MOST_MOVED) return;
    guard(relay, () => repeatCall(relay, call));
  }
}

function moveCallsAt(relay: Relay, hop: Destination): void {
  const { sentCalls } = relay;
  const waiting = sentCalls.waitingAt(hop);
  let left = Math.min(waiting.size, MOST_MOVED);
  for (const call of waiting) {
    if (left-- === 0) return;
    let isMoved = false;
    guard(relay, () => (isMoved = moveCall(relay, call, "down")));
    // Those that can go nowhere must not stand in the way of those that can.
    if (!isMoved) sentCalls.postpone(call);
  }
}

/** RFC 3261 section 17.1.1.2, timers A and B: the caller has heard 100 perhaps, and repeats nothing. */
function repeatCall(relay: Relay, call: SentCall): void {
  const { now, policy } = relay;
  const trunk = policy.trunkById(call.trunk)?.trunk;
  const hop = call.tried.at(-1);
  const exchange = reread(relay, call);
  if (trunk === undefined || hop === undefined || exchange === undefined) {
    relay.sentCalls.settle(call);
    return;
  }
  if (now - call.at < LEDGER_TTL) {
    call.repeatAfter *= 2;
    call.repeatAt = Math.min(now + call.repeatAfter, call.at + LEDGER_TTL);
    if (hop.transport === "udp") sendAgain(relay, trunk, call, exchange, hop);
    return;
  }
  relay.sentCalls.settle(call);
  clearEdits(relay.edits);
  const unavailable = trunk.passThrough503 ? 503 : 500;
  answer(relay, exchange, call.was503 ? unavailable : 408, "");
}
