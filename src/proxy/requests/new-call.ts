// An INVITE that begins a call, or another request that is judged alike: judged once, obeyed, told; its repeats answered alike.
import type { Action, CallRef } from "../../domain/call.ts";
import type { Decision, Deny } from "../../domain/decision.ts";
import { decide, type Judged } from "../../judging/decide.ts";
import { unsupported } from "../../judging/protocol-answers.ts";
import { refusalStatus } from "../../judging/refusal.ts";
import { sipCalls } from "../../judging/sip-calls.ts";
import { judgeRequest } from "../../judging/sip-requests.ts";
import { countProtocolError, trunkCounters } from "../../observe/counters.ts";
import { hopIdOf } from "../../routing/listener.ts";
import { consumeOwn, followRoutes, type Onward } from "../../routing/route.ts";
import { bytesOf } from "../../sip/message.ts";
import { fingerprint, ledgerKey, type LedgerEntry } from "../memory/ledger.ts";
import { changesOf, labelLine } from "../messages/message-changes.ts";
import { redirectContact } from "../messages/target-uri.ts";
import { keepCall, targetOfRepeat } from "../sending/failover.ts";
import { forwardCall, targetOf } from "../sending/forward.ts";
import { hasRoomToBridge } from "../sending/stream-to-datagram.ts";
import { answer, refuse } from "../turn/answers.ts";
import { attemptOf, requestAttempt } from "../turn/request-attempt.ts";
import type { TrunkTurn } from "../turn/turn.ts";

/** A request under the key of its transaction, with the hash of its bytes. */
interface NewRequest {
  readonly key: string;
  readonly print: string;
  /** The call that an INVITE begins. */
  readonly call: CallRef | undefined;
}

/** What was decided, what was done, and our own answer where there was one. */
interface Done {
  readonly decision: Decision;
  readonly action: Action;
  readonly answer?: Uint8Array | undefined;
}

/** A request that begins a call, or another whose caller is judged alike: judged, whatever its branch, unless these very bytes were judged before. */
export function newCall(turn: TrunkTurn): void {
  const { proxy, message, now, request } = turn;
  const { trunk } = turn.source;
  const key = ledgerKey(trunk.id, request, message.cseq);
  const print = fingerprint(message);
  const seen = proxy.ledger.get(key, now);
  if (seen !== undefined && !isMended(seen, print)) repeat(turn, seen, print);
  else if (message.method === "INVITE") takeInvite(turn, { key, print, call: proxy.nameCall(trunk.id) });
  else takeOther(turn, { key, print, call: undefined });
}

/** True where the protocol refused a request that comes again in another form: nobody was judged, so nothing is forged. */
function isMended(seen: LedgerEntry, print: string): boolean {
  return seen.outcome === "reject" && seen.reason === "protocol" && seen.fingerprint !== print;
}

function takeInvite(turn: TrunkTurn, fresh: NewRequest & { readonly call: CallRef }): void {
  const { proxy, source, request, now } = turn;
  const judged = decide(proxy.judge, sipCalls, turn);
  if (judged === undefined) {
    // Shed, and not told by itself.
    deny(turn, { kind: "reject", reason: "overload" }, refusalStatus(source.trunk, "overload"), fresh);
    return;
  }
  const { decision, action, answer: sent } = obey(turn, judged, fresh);
  if (!isTold(turn, decision, action)) return;
  proxy.tell({
    kind: "decided",
    call: fresh.call,
    at: now,
    decision,
    action,
    listener: request.listener.id,
    bytes: bytesOf(turn.message),
    ...(sent === undefined ? {} : { answer: sent }),
  });
}

/** Answers of the protocol are told one by one as long as there are few; all are counted. */
function isTold({ proxy, now, source }: TrunkTurn, { verdict }: Decision, action: Action): boolean {
  if (verdict.reason !== "protocol" || action.kind !== "answered") return true;
  const { id } = source.trunk;
  if (proxy.judge.told.take(id, "protocol", action.status, now)) return true;
  countProtocolError(proxy.counters, id, action.status);
  return false;
}

/** MESSAGE and its like: whose caller is judged as an INVITE's is. */
function takeOther(turn: TrunkTurn, fresh: NewRequest): void {
  const { proxy, message, source, now } = turn;
  const judged = judgeRequest(turn, requestAttempt(turn), proxy.state);
  const status = refusalStatus(source.trunk, judged.verdict.reason);
  const { decision, action } = obey(turn, { decision: judged, status }, fresh);
  proxy.tell({
    kind: "request",
    call: undefined,
    trunk: source.trunk.id,
    method: message.method,
    at: now,
    reason: decision.verdict.reason,
    decision,
    action,
    bytes: bytesOf(message),
  });
}

/** Does what was decided. The decision is another one where there was no room to remember the call. */
function obey(turn: TrunkTurn, { decision, status }: Judged, fresh: NewRequest): Done {
  const { proxy, routes } = turn;
  const { trunk } = turn.source;
  const { verdict } = decision;
  if (verdict.kind === "drop" || verdict.kind === "reject")
    return { decision, ...deny(turn, verdict, status, fresh) };
  const target = targetOf(turn, onwardOf(turn));
  if (target === undefined) return { decision, ...answerNoHop(turn, verdict, fresh) };
  const { key, print } = fresh;
  const changes = changesOf(trunk, decision);
  if (trunk.mode === "redirect") {
    const extra = `Contact: ${redirectContact(routes.uri, target)}\r\n${labelLine(changes)}`;
    keep(turn, key, { fingerprint: print, outcome: "redirect", extra });
    return {
      decision,
      action: { kind: "redirected", hop: hopIdOf(target) },
      answer: answer(turn, 302, extra),
    };
  }
  const { reason } = verdict;
  // An emergency call goes on; its repeats are judged again, to the same end.
  const isUnstoppable = trunk.exception === "accept" || reason === "emergency";
  const hasRoom = isUnstoppable || hasRoomToBridge(turn, target);
  if (!hasRoom) proxy.counters.transactionsFull++;
  const isKept =
    hasRoom &&
    keep(turn, key, { fingerprint: print, outcome: "forward", target, reason, changes }) &&
    keepCall(turn, target, { call: fresh.call, reason, changes });
  if (!isKept && !isUnstoppable) {
    const exception: Deny = { kind: trunk.exception, reason: "overload" };
    proxy.ledger.delete(key);
    const done = deny(turn, exception, refusalStatus(trunk, "overload"), fresh);
    return { decision: { ...decision, verdict: exception, rule: "exception" }, ...done };
  }
  return {
    decision,
    action: forwardCall(turn, target, { attempt: decision.attempt, reason, changes }),
  };
}

/** An accepted call that no next hop can take: the caller may try another way. */
function answerNoHop(
  turn: TrunkTurn,
  { reason }: Decision["verdict"],
  { key, print }: NewRequest,
): Pick<Done, "action" | "answer"> {
  const { trunk } = turn.source;
  const hasNextHops = trunk.side !== "core" && trunk.nextHops.length > 0;
  // Next hops that are names, and DNS has said nothing yet.
  const unavailable = trunk.passThrough503 ? 503 : 500;
  const status = hasNextHops ? unavailable : 404;
  keep(turn, key, { fingerprint: print, outcome: "reject", status, reason });
  return {
    action: { kind: "answered", status, why: "no-next-hop" },
    answer: answer(turn, status, ""),
  };
}

/** Keeps an outcome for repeats; false when the ledger is full. */
function keep({ proxy, now }: TrunkTurn, key: string, entry: LedgerEntry): boolean {
  const { ledger, counters } = proxy;
  // A refusal is the same without the ledger (RFC 3261 section 8.2.7): the last quarter is kept for calls that pass.
  if (entry.outcome !== "forward" && ledger.size * 4 > ledger.capacity * 3) return true;
  const kept = ledger.set(key, entry, now);
  if (!kept) counters.ledgerFull++;
  return kept;
}

function deny(
  turn: TrunkTurn,
  { kind, reason }: Deny,
  status: number,
  { key, print }: NewRequest,
): Pick<Done, "action" | "answer"> {
  if (kind === "drop") {
    keep(turn, key, { fingerprint: print, outcome: "drop" });
    return { action: { kind: "silent" } };
  }
  const sent = reason === "message-malformed" ? turn.message.faultStatus : status;
  keep(turn, key, { fingerprint: print, outcome: "reject", status: sent, reason });
  return { action: { kind: "answered", status: sent }, answer: refuseAgain(turn, sent, reason) };
}

/** The same refusal for every repeat; a 420 says what it does not know (RFC 3261 section 20.40). */
function refuseAgain(turn: TrunkTurn, status: number, reason: Deny["reason"]): Uint8Array | undefined {
  return status === 420 && reason === "protocol"
    ? answer(turn, status, unsupported(turn.message))
    : refuse(turn, status, reason);
}

/** The same key again: the same bytes meet the same answer, others are refused, whatever policy is in force now. */
function repeat(turn: TrunkTurn, seen: LedgerEntry, print: string): void {
  const counters = trunkCounters(turn.proxy.counters, turn.source.trunk.id);
  if (seen.fingerprint !== print) {
    counters.forgedRepeats++;
    answer(turn, 400, "");
    return;
  }
  counters.retransmissions++;
  if (seen.outcome === "reject") refuseAgain(turn, seen.status, seen.reason);
  if (seen.outcome === "redirect") answer(turn, 302, seen.extra);
  if (seen.outcome !== "forward") return;
  onwardOf(turn);
  const target = targetOfRepeat(turn, seen.target);
  const attempt = turn.message.method === "INVITE" ? attemptOf(turn) : requestAttempt(turn);
  forwardCall(turn, target, { attempt, reason: seen.reason, changes: seen.changes });
}

/** Takes our Route values off. Only the core's others are followed: what is judged of a trunk's call is what is forwarded. */
function onwardOf({ message, routes, edits, source }: TrunkTurn): Onward {
  return source.trunk.side === "core"
    ? followRoutes(message, routes, edits)
    : consumeOwn(message, routes, edits);
}
