// An INVITE that begins a call, or another request that is judged alike: judged once, obeyed, told; its repeats answered alike.
import { Buffer } from "node:buffer";
import { NO_CALL, type CallSlot } from "../../calls/calls.ts";
import type { Action } from "../../domain/call.ts";
import type { Decision, Deny } from "../../domain/decision.ts";
import { decide, type Judged } from "../../judging/decide.ts";
import { unsupported } from "../../judging/protocol-answers.ts";
import { refusalStatus } from "../../judging/refusal.ts";
import { sipCalls } from "../../judging/sip-calls.ts";
import { judgeRequest } from "../../judging/sip-requests.ts";
import { countProtocolError, trunkCounters } from "../../observe/counters.ts";
import { hopIdOf, type Target } from "../../routing/listener.ts";
import { discardRoutes, followRoutes, type Onward } from "../../routing/route.ts";
import { bytesOf } from "../../sip/message.ts";
import { dialledBy } from "../../screening/overlap-dialling.ts";
import { REPEATED_FOR } from "../../sip/timers.ts";
import { copyText, type CallSetup } from "../memory/call-setup.ts";
import { fingerprint, ledgerKey, type LedgerEntry, type Outcome } from "../memory/ledger.ts";
import { changesOf, labelLine, obeyRemoteParty } from "../messages/message-changes.ts";
import { redirectContact } from "../messages/target-uri.ts";
import { keepCall, targetOfRepeat } from "../sending/failover.ts";
import { actionOf, forwardCall, isByPolicy, isHairpin, targetOf } from "../sending/forward.ts";
import { keepInviteHead } from "../sending/invite-keeping.ts";
import { hasRoomToBridge } from "../sending/stream-to-datagram.ts";
import { answer, refusalLines, refuse, refuseForgedRepeat, renderAnswer } from "../turn/answers.ts";
import { attemptOf, requestAttempt } from "../turn/request-attempt.ts";
import type { TrunkTurn } from "../turn/turn.ts";

/** A request, the key of its transaction, and the hash of its bytes. */
interface NewRequest {
  readonly key: string;
  readonly print: string;
}

/** What was decided, what was done, and our own answer where we gave one. */
interface Done {
  /** The call that an INVITE began; {@link NO_CALL}: it has no row. */
  readonly slot: CallSlot;
  readonly decision: Decision;
  readonly action: Action;
  readonly answer: Uint8Array | undefined;
  /** True: the answer is not sent yet. It waits for its evidence. */
  readonly isHeld?: boolean;
}

/**
 * Handles a request that begins a call, or another request whose caller is judged in the same way. It is judged,
 * whatever its branch, unless the same bytes were judged before.
 */
export function newCall(turn: TrunkTurn): void {
  const { proxy, message, source, request } = turn;
  const fresh: NewRequest = {
    key: ledgerKey(source.trunk.id, request, message.cseq),
    print: fingerprint(message),
  };
  const seen = entryOf(turn, fresh.key);
  if (seen !== undefined && !isMended(seen, fresh.print)) repeat(turn, seen, fresh);
  // A refusal that has no row, since the table is full: its answer is still to come.
  else if (proxy.held.has(fresh.key)) trunkCounters(proxy.counters, source.trunk.id).retransmissions++;
  else if (message.method === "INVITE") takeInvite(turn, fresh);
  else takeOther(turn, fresh);
}

/** Returns what is kept of the same request, as long as it may be repeated. */
function entryOf({ proxy, message, now }: TrunkTurn, key: string): CallSetup | LedgerEntry | undefined {
  const { calls, ledger } = proxy;
  if (message.method !== "INVITE") return ledger.get(key, now);
  const slot = calls.find(key, now);
  const setup = slot === NO_CALL ? undefined : calls.setupOf(slot);
  return setup !== undefined && calls.ageOf(slot, now) < REPEATED_FOR ? setup : undefined;
}

/**
 * True where the protocol refused a request that now comes again in another form. Nobody was judged then, so the new
 * form is no forged repeat.
 */
function isMended({ outcome, fingerprint: seen }: LedgerEntry, print: string): boolean {
  return outcome.kind === "reject" && outcome.reason === "protocol" && seen !== print;
}

/** Tells other nodes what was done with an INVITE, for its repeats there. A refusal that is held is still to come. */
function share({ proxy: { sharing, calls }, source }: TrunkTurn, { key }: NewRequest, slot: CallSlot): void {
  if (sharing === undefined || slot === NO_CALL) return;
  const setup = calls.setupOf(slot);
  if (setup !== undefined) sharing.decided(calls.nameOf(slot), source.trunk.id, key, setup);
}

function takeInvite(turn: TrunkTurn, fresh: NewRequest): void {
  const { proxy, source, request, at } = turn;
  const { calls } = proxy;
  const { id } = source.trunk;
  const judged = decide(proxy.judge, sipCalls, turn);
  if (judged === undefined) {
    // The call is refused for overload. It is not reported as an event of its own.
    const status = refusalStatus(source.trunk, "overload");
    keep(turn, fresh, { kind: "reject", status, reason: "overload" });
    refuse(turn, status, "overload");
    return;
  }
  const overlapOf = proxy.state.overlaps.continues(judged.decision.attempt);
  const { slot, decision, action, answer: sent, isHeld = false } = obey(turn, judged, fresh);
  const setup = slot === NO_CALL || action.kind !== "forwarded" ? undefined : calls.setupOf(slot);
  if (setup !== undefined) {
    setup.dialled = copyText(dialledBy(decision.attempt));
    proxy.state.overlaps.takeFree(decision.attempt);
  }
  if (!isTold(turn, decision, action)) return;
  proxy.tell({
    kind: "decided",
    call: slot === NO_CALL ? calls.nameless(id) : calls.refOf(slot),
    at,
    decision,
    action,
    overlapOf,
    listener: request.listener.id,
    bytes: bytesOf(turn.message),
    answer: sent,
  });
  if (isHeld && sent !== undefined) hold(turn, fresh, sent);
  else share(turn, fresh, slot);
}

/** Keeps the refusal of the call that was told last until its evidence is on disk. */
function hold({ proxy, request, now }: TrunkTurn, { key }: NewRequest, sent: Uint8Array): void {
  const { listener, address, replyPort: port } = request;
  proxy.held.hold(key, { listener, address, port, bytes: Buffer.from(sent) }, now);
}

/**
 * True for a decision that is reported as an event of its own. Protocol answers are reported so as long as they are
 * few. All are counted.
 */
function isTold({ proxy, now, source }: TrunkTurn, { verdict }: Decision, action: Action): boolean {
  if (verdict.reason !== "protocol" || action.kind !== "answered") return true;
  const { id } = source.trunk;
  if (proxy.judge.told.take(id, "protocol", action.status, now)) return true;
  countProtocolError(proxy.counters, id, action.status);
  return false;
}

/** Handles a MESSAGE or a similar request, whose caller is judged as that of an INVITE. */
function takeOther(turn: TrunkTurn, fresh: NewRequest): void {
  const { proxy, message, source, at } = turn;
  const judged = judgeRequest(turn, requestAttempt(turn), proxy.state);
  const status = refusalStatus(source.trunk, judged.verdict.reason);
  const { decision, action } = obey(turn, { decision: judged, status }, fresh);
  proxy.tell({
    kind: "request",
    call: undefined,
    trunk: source.trunk.id,
    method: message.method,
    at,
    reason: decision.verdict.reason,
    decision,
    action,
    bytes: bytesOf(message),
  });
}

/** Carries out the decision. The decision returned differs where there was no room to remember the call. */
function obey(turn: TrunkTurn, { decision, status: refusal }: Judged, fresh: NewRequest): Done {
  const { proxy, message, routes, now } = turn;
  const { trunk } = turn.source;
  const { verdict } = decision;
  if (verdict.kind === "drop" || verdict.kind === "reject")
    return deny(turn, decision, verdict, refusal, fresh);
  const onward = onwardOf(turn);
  const target = targetOf(turn, onward);
  if (target === undefined) return answerNoHop(turn, decision, fresh, isByPolicy(turn, onward));
  if (isHairpin(turn, target)) return denyHairpin(turn, decision, target, fresh);
  const own = changesOf(trunk, decision);
  const changes = trunk.side === "core" ? own : obeyRemoteParty(message, own);
  if (trunk.mode === "redirect") {
    const extra = `Contact: ${redirectContact(routes.uri, target)}\r\n${labelLine(changes)}`;
    return {
      slot: keep(turn, fresh, { kind: "redirect", extra }),
      decision,
      action: { kind: "redirected", hop: hopIdOf(target) },
      answer: answer(turn, 302, extra),
    };
  }
  const { reason } = verdict;
  // An emergency call goes on. Its repeats are judged again, with the same result.
  const isUnstoppable = trunk.exception === "accept" || reason === "emergency";
  const slot = keepPassing(turn, fresh, { kind: "forward", target, reason, changes }, isUnstoppable);
  if (slot === "full" && !isUnstoppable) {
    const exception: Deny = { kind: trunk.exception, reason: "overload" };
    const refused: Decision = { ...decision, verdict: exception, rule: "exception" };
    return deny(turn, refused, exception, refusalStatus(trunk, "overload"), fresh);
  }
  const call = slot === "full" ? NO_CALL : slot;
  const status = forwardCall(turn, target, { slot: call, attempt: decision.attempt, reason, changes });
  if (call !== NO_CALL && status === 0) {
    proxy.calls.forwarded(call, now);
    if (reason !== "emergency") keepInviteHead(turn, call, decision.attempt.origin.signalling === "sip-i");
  }
  return { slot: call, decision, action: actionOf(target, status), answer: undefined };
}

/**
 * Keeps a call, or another request, that goes on. The tables are full when there is no room to remember it, to repeat
 * it, or to send it elsewhere.
 */
function keepPassing(
  turn: TrunkTurn,
  fresh: NewRequest,
  outcome: Outcome & { readonly kind: "forward" },
  isUnstoppable: boolean,
): CallSlot | "full" {
  const { proxy, message } = turn;
  if (!isUnstoppable && !hasRoomToBridge(turn, outcome.target)) {
    proxy.counters.transactionsFull++;
    return "full";
  }
  if (message.method !== "INVITE") return keepOther(turn, fresh, outcome) ? NO_CALL : "full";
  const slot = keepInvite(turn, fresh, outcome);
  if (slot === NO_CALL) {
    proxy.counters.ledgerFull++;
    return "full";
  }
  const setup = proxy.calls.setupOf(slot);
  if (setup === undefined || keepCall(turn, outcome.target, setup) || isUnstoppable) return slot;
  proxy.calls.abandon(slot);
  return "full";
}

/** Refuses a call of the core to the core. */
function denyHairpin(turn: TrunkTurn, decision: Decision, target: Target, fresh: NewRequest): Done {
  const verdict: Deny = { kind: "reject", reason: "routing-refused", facts: { route: target.address } };
  const status = refusalStatus(turn.source.trunk, "routing-refused");
  return deny(turn, { ...decision, verdict, rule: "protocol" }, verdict, status, fresh);
}

/** Answers an accepted call that no next hop can take. The caller may try another way. */
function answerNoHop(turn: TrunkTurn, decision: Decision, fresh: NewRequest, byPolicy: boolean): Done {
  const { trunk } = turn.source;
  const { reason } = decision.verdict;
  const hasNextHops = byPolicy && trunk.nextHops.length > 0;
  // Some next hops are host names that DNS has not resolved yet.
  const unavailable = trunk.passThrough503 ? 503 : 500;
  const status = hasNextHops ? unavailable : 404;
  return {
    slot: keep(turn, fresh, { kind: "reject", status, reason }),
    decision,
    action: { kind: "answered", status, why: "no-next-hop" },
    answer: answer(turn, status, ""),
  };
}

/** Keeps what was done with a request that does not go on. Where there is no room, its repeats are judged again. */
function keep(turn: TrunkTurn, fresh: NewRequest, outcome: Outcome): CallSlot {
  const { proxy, message } = turn;
  if (message.method !== "INVITE") {
    keepOther(turn, fresh, outcome);
    return NO_CALL;
  }
  // A refusal is the same without memory (RFC 3261 section 8.2.7). So the last quarter of the table is kept for calls
  // that pass.
  return proxy.calls.hasRoom(false) ? keepInvite(turn, fresh, outcome) : NO_CALL;
}

function keepInvite(turn: TrunkTurn, { key, print }: NewRequest, outcome: Outcome): CallSlot {
  const { proxy, now, source } = turn;
  const { id } = source.trunk;
  const slot = proxy.calls.begin(key, id, now);
  if (slot === NO_CALL) return slot;
  proxy.calls.setSetup(slot, {
    slot,
    trunk: id,
    fingerprint: print,
    outcome,
    dialled: "",
    sent: undefined,
    head: undefined,
    isHeard: false,
  });
  return slot;
}

function keepOther({ proxy, now }: TrunkTurn, { key, print }: NewRequest, outcome: Outcome): boolean {
  const { ledger, counters } = proxy;
  if (outcome.kind !== "forward" && ledger.size * 4 > ledger.capacity * 3) return true;
  const kept = ledger.set(key, { fingerprint: print, outcome }, now);
  if (!kept) counters.ledgerFull++;
  return kept;
}

function deny(
  turn: TrunkTurn,
  decision: Decision,
  { kind, reason }: Deny,
  status: number,
  fresh: NewRequest,
): Done {
  if (kind === "drop") {
    const slot = keep(turn, fresh, { kind: "drop" });
    return { slot, decision, action: { kind: "silent" }, answer: undefined };
  }
  const sent = reason === "message-malformed" ? turn.message.faultStatus : status;
  const isHeld = turn.message.method === "INVITE" && turn.proxy.held.isHeld(decision);
  return {
    slot: keep(turn, fresh, { kind: "reject", status: sent, reason }),
    decision,
    action: { kind: "answered", status: sent },
    answer: isHeld ? renderAnswer(turn, sent, refusalLines(turn, reason)) : refuseAgain(turn, sent, reason),
    isHeld,
  };
}

/**
 * Gives the same refusal to every repeat. A 420 names the options that it does not support (RFC 3261 section 20.40).
 */
function refuseAgain(turn: TrunkTurn, status: number, reason: Deny["reason"]): Uint8Array | undefined {
  return status === 420 && reason === "protocol"
    ? answer(turn, status, unsupported(turn.message))
    : refuse(turn, status, reason);
}

/**
 * Answers a request whose key was seen before. The same bytes get the same answer, and other bytes are refused,
 * whatever policy is in force now.
 */
function repeat(turn: TrunkTurn, seen: CallSetup | LedgerEntry, { key, print }: NewRequest): void {
  const counters = trunkCounters(turn.proxy.counters, turn.source.trunk.id);
  if (seen.fingerprint !== print) {
    refuseForgedRepeat(turn);
    return;
  }
  counters.retransmissions++;
  // The first answer is still to come.
  if (turn.proxy.held.has(key)) return;
  const { outcome } = seen;
  if (outcome.kind === "reject") refuseAgain(turn, outcome.status, outcome.reason);
  if (outcome.kind === "redirect") answer(turn, 302, outcome.extra);
  if (outcome.kind !== "forward") return;
  onwardOf(turn);
  const { reason, changes } = outcome;
  const setup = "slot" in seen ? seen : undefined;
  const target = targetOfRepeat(turn, setup?.sent, outcome.target);
  const attempt = setup === undefined ? requestAttempt(turn) : attemptOf(turn);
  forwardCall(turn, target, { slot: setup?.slot ?? NO_CALL, attempt, reason, changes });
}

/** Follows the Route values of the core. Those of a trunk are removed: nothing in its message chooses the next hop. */
function onwardOf({ message, routes, edits, source }: TrunkTurn): Onward {
  return source.trunk.side === "core"
    ? followRoutes(message, routes, edits)
    : discardRoutes(message, routes, edits);
}
