import type { Trunk } from "../../domain/trunk.ts";
import type { Decision, Deny } from "../../domain/decision.ts";
import type { TrunkPolicy } from "../../policy/policy.ts";
import {
  countDecision,
  countRequest,
  countVerdict,
  observeDecision,
  trunkCounters,
} from "../../observe/counters.ts";
import { hasRoomToBridge } from "../sending/stream-to-datagram.ts";
import { forwardCall, targetOf } from "../sending/forward.ts";
import type { RequestInHand } from "../../routing/request-in-hand.ts";
import { keepCall, targetOfRepeat } from "../sending/failover.ts";
import { fingerprint, type LedgerEntry, ledgerKey } from "../memory/ledger.ts";
import { judgeCall, judgeRequest } from "../../judging/judge-invite.ts";
import { redirectContact } from "../messages/target-uri.ts";
import type { Relay } from "../turn/proxy-state.ts";
import { unsupported } from "../../judging/protocol-answers.ts";
import { attemptOf, requestAttempt } from "../turn/request-attempt.ts";
import { consumeOwn, followRoutes, type Onward, type Routes } from "../../routing/route.ts";
import { labelLine, changesOf } from "../messages/message-changes.ts";
import { refusalStatus } from "../../judging/refusal.ts";
import { answer, answerError, refuse } from "../turn/answers.ts";
import { isShed } from "../../judging/admission.ts";

/** A request that begins a call, or another whose caller is judged alike: judged, whatever its branch, unless these very bytes were judged before. */
export function newCall(relay: Relay, source: TrunkPolicy, exchange: RequestInHand, routes: Routes): void {
  const { message, counters, ledger, now, policy } = relay;
  const { trunk } = source;
  const key = ledgerKey(trunk.id, exchange, message.cseq);
  const print = fingerprint(message);
  const seen = ledger.get(key, now);
  if (seen !== undefined) {
    repeat(relay, source, seen, print, exchange, routes);
    return;
  }
  if (
    message.method === "INVITE" &&
    (relay.overload.isShedding || trunk.limits.attemptsPerSecond !== undefined) &&
    shedCall(relay, trunk, exchange)
  ) {
    keep(relay, key, {
      fingerprint: print,
      outcome: "reject",
      status: refusalStatus(trunk, "overload"),
      reason: "overload",
    });
    return;
  }
  const begun = relay.elapsed();
  if (message.method !== "INVITE") {
    const attempt = requestAttempt(relay, trunk, exchange, routes.uri);
    const judged = judgeRequest(message, source, attempt, routes, relay.state, policy.revision);
    const decision = obey(relay, source, exchange, judged, routes, key, print);
    countRequest(counters, message.method, decision);
    relay.sink.decided(decision, message.bytes);
    return;
  }
  const attempt = attemptOf(relay, trunk, exchange, routes.uri);
  const judgement = judgeCall(message, source, attempt, routes, relay.state, policy.revision);
  if (judgement.kind === "answered") {
    const { status } = judgement;
    answerError(relay, trunk.id, exchange, status, status === 420 ? unsupported(message) : "");
    return;
  }
  observeDecision(counters, (relay.elapsed() - begun) / 1000);
  const decision = obey(relay, source, exchange, judgement.decision, routes, key, print);
  countDecision(counters, decision);
  relay.sink.decided(decision, message.bytes);
}

/** Does what was decided. Returns what became of it: something else where there was no room to remember the call. */
function obey(
  relay: Relay,
  source: TrunkPolicy,
  exchange: RequestInHand,
  decision: Decision,
  routes: Routes,
  key: string,
  print: string,
): Decision {
  const { trunk } = source;
  const { verdict } = decision;
  if (verdict.kind === "drop" || verdict.kind === "reject") {
    deny(relay, trunk, exchange, verdict, key, print);
    return decision;
  }
  const target = targetOf(relay, source, exchange, onwardOf(relay, trunk, routes));
  if (target === undefined) {
    // Next hops that are names, and DNS has said nothing yet: whoever called may try another way.
    const unavailable = trunk.passThrough503 ? 503 : 500;
    const hasNextHops = trunk.side !== "core" && trunk.nextHops.length > 0;
    answerError(relay, trunk.id, exchange, hasNextHops ? unavailable : 404);
    return decision;
  }
  const changes = changesOf(trunk, decision);
  if (trunk.mode === "redirect") {
    const extra = `Contact: ${redirectContact(routes.uri, target)}\r\n${labelLine(changes)}`;
    keep(relay, key, { fingerprint: print, outcome: "redirect", extra });
    answer(relay, exchange, 302, extra);
    return decision;
  }
  const { reason } = verdict;
  // An emergency call goes on; its repeats are judged again, to the same end.
  const isUnstoppable = trunk.exception === "accept" || reason === "emergency";
  const hasRoom = isUnstoppable || hasRoomToBridge(relay, exchange, target);
  if (!hasRoom) relay.counters.transactionsFull++;
  const isKept =
    hasRoom &&
    keep(relay, key, { fingerprint: print, outcome: "forward", target, reason, changes }) &&
    keepCall(relay, trunk, exchange, target, reason, changes);
  if (!isKept && !isUnstoppable) {
    const exception: Deny = { kind: trunk.exception, reason: "overload" };
    relay.ledger.delete(key);
    deny(relay, trunk, exchange, exception, key, print);
    return { ...decision, verdict: exception, rule: "exception" };
  }
  forwardCall(relay, exchange, target, decision.attempt, reason, changes);
  return decision;
}

/** Keeps an outcome for repeats; false when the ledger is full. */
function keep(relay: Relay, key: string, entry: LedgerEntry): boolean {
  const { ledger, counters, now } = relay;
  // A refusal is the same without the ledger (RFC 3261 section 8.2.7): the last quarter is kept for calls that pass.
  if (entry.outcome !== "forward" && ledger.size * 4 > ledger.capacity * 3) return true;
  const kept = ledger.set(key, entry, now);
  if (!kept) counters.ledgerFull++;
  return kept;
}

function deny(
  relay: Relay,
  trunk: Trunk,
  exchange: RequestInHand,
  { kind, reason }: Deny,
  key: string,
  print: string,
): void {
  if (kind === "drop") {
    keep(relay, key, { fingerprint: print, outcome: "drop" });
    return;
  }
  const status = reason === "message-malformed" ? relay.message.faultStatus : refusalStatus(trunk, reason);
  keep(relay, key, { fingerprint: print, outcome: "reject", status, reason });
  refuse(relay, exchange, status, reason);
}

/** The same key again: the same bytes meet the same answer, others are refused, whatever policy is in force now. */
function repeat(
  relay: Relay,
  source: TrunkPolicy,
  seen: LedgerEntry,
  print: string,
  exchange: RequestInHand,
  routes: Routes,
): void {
  const { trunk } = source;
  const counters = trunkCounters(relay.counters, trunk.id);
  if (seen.fingerprint !== print) {
    counters.forgedRepeats++;
    answer(relay, exchange, 400, "");
    return;
  }
  counters.retransmissions++;
  if (seen.outcome === "reject") refuse(relay, exchange, seen.status, seen.reason);
  if (seen.outcome === "redirect") answer(relay, exchange, 302, seen.extra);
  if (seen.outcome !== "forward") return;
  onwardOf(relay, trunk, routes);
  const target = targetOfRepeat(relay, trunk, exchange, seen.target);
  const read = relay.message.method === "INVITE" ? attemptOf : requestAttempt;
  const attempt = read(relay, trunk, exchange, routes.uri);
  forwardCall(relay, exchange, target, attempt, seen.reason, seen.changes);
}

/** Takes our Route values off. Only the core's others are followed: what is judged of a trunk's call is what is forwarded. */
function onwardOf(relay: Relay, trunk: Trunk, routes: Routes): Onward {
  return trunk.side === "core"
    ? followRoutes(relay.message, routes, relay.edits)
    : consumeOwn(relay.message, routes, relay.edits);
}

/**
 * Answers a new call that there is no room for: 503 without a rule being asked. False: the call is to be judged. Emergency calls of
 * domestic trunks go last: neither a trunk's `attemptsPerSecond` nor stages 1 and 2 stop them.
 */
export function shedCall(relay: Relay, trunk: Trunk, exchange: RequestInHand): boolean {
  const { now } = relay;
  if (!isShed(relay.overload, now, trunk, exchange)) return false;
  countVerdict(relay.counters, trunk.id, "reject", "overload", "protocol");
  refuse(relay, exchange, refusalStatus(trunk, "overload"), "overload");
  return true;
}
