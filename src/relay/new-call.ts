import type { Millis } from "../domain/time.ts";
import type { Trunk } from "../domain/trunk.ts";
import type { Decision } from "../domain/verdict.ts";
import type { Policy, TrunkPolicy } from "../config/policy.ts";
import { countDecision, countRequest, observeDecision, trunkCounters } from "../observe/counters.ts";
import { forwardCall, targetOf } from "./forward.ts";
import type { Exchange } from "./exchange.ts";
import { keepCall, targetOfRepeat } from "./failover.ts";
import { fingerprint, ledgerKey, type LedgerEntry } from "./ledger.ts";
import { judgeCall, judgeRequest } from "./judge.ts";
import { redirectContact } from "./redirect.ts";
import { answer, answerError, attemptOf, refusalStatus, refuse, type Relay } from "./relay.ts";
import { unsupported } from "./protocol-error.ts";
import { requestAttempt } from "./request-attempt.ts";
import { consumeOwn, followRoutes, type Onward, type Routes } from "./route.ts";
import { labelLine, treatmentOf } from "./treatment.ts";

/** A request that begins a call, or another whose caller is judged alike: judged, whatever its branch, unless these very bytes were judged before. */
export function newCall(
  relay: Relay,
  now: Millis,
  policy: Policy,
  source: TrunkPolicy,
  exchange: Exchange,
  routes: Routes,
): void {
  const { message, counters, ledger } = relay;
  const { trunk } = source;
  const key = ledgerKey(trunk.id, exchange, message.cseq);
  const print = fingerprint(message);
  const seen = ledger.get(key, now);
  if (seen !== undefined) {
    repeat(relay, now, policy, source, seen, print, exchange, routes);
    return;
  }
  const begun = relay.elapsed();
  if (message.method !== "INVITE") {
    const attempt = requestAttempt(relay, trunk, exchange, now, routes.uri);
    const decision = judgeRequest(message, source, attempt, routes, relay.state, policy.revision);
    countRequest(counters, message.method, decision);
    relay.sink.decided(decision);
    obey(relay, now, policy, source, exchange, decision, routes, key, print);
    return;
  }
  const attempt = attemptOf(relay, trunk, exchange, now, routes.uri);
  const judgement = judgeCall(message, source, attempt, routes, relay.state, policy.revision);
  if (judgement.kind === "answered") {
    const { status } = judgement;
    answerError(relay, trunk.id, exchange, status, status === 420 ? unsupported(message) : "");
    return;
  }
  const { decision } = judgement;
  observeDecision(counters, (relay.elapsed() - begun) / 1000);
  countDecision(counters, decision);
  relay.sink.decided(decision);
  obey(relay, now, policy, source, exchange, decision, routes, key, print);
}

function obey(
  relay: Relay,
  now: Millis,
  policy: Policy,
  source: TrunkPolicy,
  exchange: Exchange,
  decision: Decision,
  routes: Routes,
  key: string,
  print: string,
): void {
  const { trunk } = source;
  const { verdict } = decision;
  const keep = (entry: LedgerEntry): boolean => {
    // A refusal is the same without the ledger (RFC 3261 section 8.2.7): the last quarter is kept for calls that pass.
    if (entry.outcome !== "forward" && relay.ledger.size * 4 > relay.ledger.capacity * 3) return true;
    const kept = relay.ledger.set(key, entry, now);
    if (!kept) relay.counters.ledgerFull++;
    return kept;
  };
  if (verdict.kind === "drop") {
    keep({ fingerprint: print, outcome: "drop" });
    return;
  }
  if (verdict.kind === "reject") {
    const status =
      verdict.reason === "message-malformed"
        ? relay.message.faultStatus
        : refusalStatus(trunk, verdict.reason);
    keep({ fingerprint: print, outcome: "reject", status, reason: verdict.reason });
    refuse(relay, exchange, status, verdict.reason);
    return;
  }
  const target = targetOf(relay, policy, source, exchange, onwardOf(relay, trunk, routes));
  if (target === undefined) {
    // Next hops that are names, and DNS has said nothing yet: whoever called may try another way.
    const unavailable = trunk.passThrough503 ? 503 : 500;
    const hasNextHops = trunk.side !== "core" && trunk.nextHops.length > 0;
    answerError(relay, trunk.id, exchange, hasNextHops ? unavailable : 404);
    return;
  }
  const treatment = treatmentOf(trunk, decision);
  if (trunk.mode === "redirect") {
    const extra = `Contact: ${redirectContact(routes.uri, target)}\r\n${labelLine(treatment)}`;
    keep({ fingerprint: print, outcome: "redirect", extra });
    answer(relay, exchange, 302, extra);
    return;
  }
  const isKept =
    keep({ fingerprint: print, outcome: "forward", target, reason: verdict.reason, treatment }) &&
    keepCall(relay, now, trunk, exchange, target, verdict.reason, treatment);
  if (!isKept) {
    if (trunk.exception === "reject")
      refuse(relay, exchange, refusalStatus(trunk, "rule-fault"), "rule-fault");
    if (trunk.exception !== "accept") return;
  }
  forwardCall(relay, policy, exchange, target, decision.attempt, verdict.reason, treatment);
}

/** The same key again: the same bytes meet the same answer, others are refused, whatever policy is in force now. */
function repeat(
  relay: Relay,
  now: Millis,
  policy: Policy,
  source: TrunkPolicy,
  seen: LedgerEntry,
  print: string,
  exchange: Exchange,
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
  const target = targetOfRepeat(relay, now, policy, exchange, seen.target);
  const read = relay.message.method === "INVITE" ? attemptOf : requestAttempt;
  const attempt = read(relay, trunk, exchange, now, routes.uri);
  forwardCall(relay, policy, exchange, target, attempt, seen.reason, seen.treatment);
}

/** Takes our Route values off. Only the core's others are followed: what is judged of a trunk's call is what is forwarded. */
function onwardOf(relay: Relay, trunk: Trunk, routes: Routes): Onward {
  return trunk.side === "core"
    ? followRoutes(relay.message, routes, relay.edits)
    : consumeOwn(relay.message, routes, relay.edits);
}
