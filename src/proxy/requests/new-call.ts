// An INVITE that begins a call, or another request that is judged alike: judged once, obeyed, its repeats answered alike.
import type { Decision, Deny } from "../../domain/decision.ts";
import { isShed } from "../../judging/admission.ts";
import { judgeCall, judgeRequest } from "../../judging/judge-invite.ts";
import { unsupported } from "../../judging/protocol-answers.ts";
import { refusalStatus } from "../../judging/refusal.ts";
import {
  countDecision,
  countRequest,
  countVerdict,
  observeDecision,
  trunkCounters,
} from "../../observe/counters.ts";
import { consumeOwn, followRoutes, type Onward } from "../../routing/route.ts";
import { fingerprint, ledgerKey, type LedgerEntry } from "../memory/ledger.ts";
import { changesOf, labelLine } from "../messages/message-changes.ts";
import { redirectContact } from "../messages/target-uri.ts";
import { keepCall, targetOfRepeat } from "../sending/failover.ts";
import { forwardCall, targetOf } from "../sending/forward.ts";
import { hasRoomToBridge } from "../sending/stream-to-datagram.ts";
import { answer, answerError, refuse } from "../turn/answers.ts";
import { attemptOf, requestAttempt } from "../turn/request-attempt.ts";
import type { TrunkTurn } from "../turn/turn.ts";

/** A request under the key of its transaction, with the hash of its bytes. */
interface NewRequest {
  readonly key: string;
  readonly print: string;
}

/** A request that begins a call, or another whose caller is judged alike: judged, whatever its branch, unless these very bytes were judged before. */
export function newCall(turn: TrunkTurn): void {
  const { proxy, message, now, request } = turn;
  const { trunk } = turn.source;
  const fresh: NewRequest = {
    key: ledgerKey(trunk.id, request, message.cseq),
    print: fingerprint(message),
  };
  const seen = proxy.ledger.get(fresh.key, now);
  if (seen !== undefined) repeat(turn, seen, fresh.print);
  else if (message.method !== "INVITE") judgeOther(turn, fresh);
  else if (!shedCall(turn, fresh)) judgeInvite(turn, fresh);
}

/**
 * Answers a new call that there is no room for: 503 without a rule being asked. False: the call is to be judged. Emergency calls of
 * domestic trunks go last: neither a trunk's `attemptsPerSecond` nor stages 1 and 2 stop them.
 */
function shedCall(turn: TrunkTurn, { key, print }: NewRequest): boolean {
  const { proxy, now, request } = turn;
  const { trunk } = turn.source;
  if (!proxy.overload.isShedding && trunk.limits.attemptsPerSecond === undefined) return false;
  if (!isShed(proxy.overload, now, trunk, request)) return false;
  const status = refusalStatus(trunk, "overload");
  countVerdict(proxy.counters, trunk.id, "reject", "overload", "protocol");
  refuse(turn, status, "overload");
  keep(turn, key, { fingerprint: print, outcome: "reject", status, reason: "overload" });
  return true;
}

function judgeInvite(turn: TrunkTurn, fresh: NewRequest): void {
  const { proxy, message, source, routes, policy } = turn;
  const { counters } = proxy;
  const begun = proxy.elapsed();
  const attempt = attemptOf(turn);
  const judgement = judgeCall(message, source, attempt, routes, proxy.state, policy.revision);
  if (judgement.kind === "answered") {
    const { status } = judgement;
    answerError(turn, status, status === 420 ? unsupported(message) : "");
    return;
  }
  observeDecision(counters, (proxy.elapsed() - begun) / 1000);
  const decision = obey(turn, judgement.decision, fresh);
  countDecision(counters, decision);
  proxy.sink.decided(decision, message.bytes);
}

function judgeOther(turn: TrunkTurn, fresh: NewRequest): void {
  const { proxy, message, source, routes, policy } = turn;
  const attempt = requestAttempt(turn);
  const judged = judgeRequest(message, source, attempt, routes, proxy.state, policy.revision);
  const decision = obey(turn, judged, fresh);
  countRequest(proxy.counters, message.method, decision);
  proxy.sink.decided(decision, message.bytes);
}

/** Does what was decided. Returns what became of it: something else where there was no room to remember the call. */
function obey(turn: TrunkTurn, decision: Decision, fresh: NewRequest): Decision {
  const { proxy, routes } = turn;
  const { trunk } = turn.source;
  const { verdict } = decision;
  const { key, print } = fresh;
  if (verdict.kind === "drop" || verdict.kind === "reject") {
    deny(turn, verdict, fresh);
    return decision;
  }
  const target = targetOf(turn, onwardOf(turn));
  if (target === undefined) {
    // Next hops that are names, and DNS has said nothing yet: whoever called may try another way.
    const unavailable = trunk.passThrough503 ? 503 : 500;
    const hasNextHops = trunk.side !== "core" && trunk.nextHops.length > 0;
    answerError(turn, hasNextHops ? unavailable : 404);
    return decision;
  }
  const changes = changesOf(trunk, decision);
  if (trunk.mode === "redirect") {
    const extra = `Contact: ${redirectContact(routes.uri, target)}\r\n${labelLine(changes)}`;
    keep(turn, key, { fingerprint: print, outcome: "redirect", extra });
    answer(turn, 302, extra);
    return decision;
  }
  const { reason } = verdict;
  // An emergency call goes on; its repeats are judged again, to the same end.
  const isUnstoppable = trunk.exception === "accept" || reason === "emergency";
  const hasRoom = isUnstoppable || hasRoomToBridge(turn, target);
  if (!hasRoom) proxy.counters.transactionsFull++;
  const isKept =
    hasRoom &&
    keep(turn, key, { fingerprint: print, outcome: "forward", target, reason, changes }) &&
    keepCall(turn, target, reason, changes);
  if (!isKept && !isUnstoppable) {
    const exception: Deny = { kind: trunk.exception, reason: "overload" };
    proxy.ledger.delete(key);
    deny(turn, exception, fresh);
    return { ...decision, verdict: exception, rule: "exception" };
  }
  forwardCall(turn, target, { attempt: decision.attempt, reason, changes });
  return decision;
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

function deny(turn: TrunkTurn, { kind, reason }: Deny, { key, print }: NewRequest): void {
  if (kind === "drop") {
    keep(turn, key, { fingerprint: print, outcome: "drop" });
    return;
  }
  const status =
    reason === "message-malformed" ? turn.message.faultStatus : refusalStatus(turn.source.trunk, reason);
  keep(turn, key, { fingerprint: print, outcome: "reject", status, reason });
  refuse(turn, status, reason);
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
  if (seen.outcome === "reject") refuse(turn, seen.status, seen.reason);
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
