import type { Millis } from "../domain/time.ts";
import type { Decision, Deny } from "../domain/verdict.ts";
import type { Policy, TrunkPolicy } from "../config/policy.ts";
import { countDecision, observeDecision, trunkCounters } from "../observe/counters.ts";
import { claimsIsup } from "../sip/body.ts";
import { forwardCall, targetOf } from "./forward.ts";
import type { Exchange } from "./exchange.ts";
import { fingerprint, ledgerKey, type LedgerEntry } from "./ledger.ts";
import type { Target } from "./listener.ts";
import {
  answer,
  answerError,
  attemptOf,
  protocolDecision,
  refusalStatus,
  refuse,
  type Relay,
} from "./relay.ts";
import { protocolError, unsupported } from "./protocol-error.ts";
import type { Routes } from "./route.ts";

/** A request that begins a call: judged, whatever its branch, unless these very bytes were judged before. */
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
    repeat(relay, now, policy, source, seen, print, exchange);
    return;
  }
  const begun = relay.elapsed();
  // Read before its faults are looked at: the identity fields are part of what can be malformed.
  const attempt = attemptOf(relay, trunk, exchange, now);
  const status = message.fault === undefined ? protocolError(message, trunk) : 0;
  if (status !== 0) {
    answerError(relay, trunk.id, exchange, status, status === 420 ? unsupported(message) : "");
    return;
  }
  const refusal = refuseUnjudged(relay, trunk.side === "core", routes);
  const target =
    refusal === undefined ? targetOf(relay, policy, source, exchange.listener, routes) : undefined;
  if (refusal === undefined && target === undefined) {
    answerError(relay, trunk.id, exchange, 404);
    return;
  }
  const decision =
    refusal === undefined
      ? source.screen.judge(attempt, relay.state)
      : protocolDecision(attempt, refusal, policy.revision);
  observeDecision(counters, (relay.elapsed() - begun) / 1000);
  countDecision(counters, decision);
  relay.sink.decided(decision);
  obey(relay, now, policy, source, exchange, decision, target, key, print);
}

/** What no rule may judge: a message that two readers would read differently, a Route the trunk may not choose, an ISUP body that nobody reads yet. */
export function refuseUnjudged(relay: Relay, trusted: boolean, routes: Routes): Deny | undefined {
  const { message } = relay;
  if (message.fault !== undefined)
    return { kind: "reject", reason: "message-malformed", facts: { fault: message.fault } };
  if (trusted) return undefined;
  if (routes.next !== undefined)
    return { kind: "reject", reason: "routing-refused", facts: { route: routes.next.host } };
  return claimsIsup(message) ? { kind: "reject", reason: "isup-undecodable" } : undefined;
}

function obey(
  relay: Relay,
  now: Millis,
  policy: Policy,
  source: TrunkPolicy,
  exchange: Exchange,
  decision: Decision,
  target: Target | undefined,
  key: string,
  print: string,
): void {
  const { trunk } = source;
  const { verdict } = decision;
  const keep = (entry: LedgerEntry): boolean => {
    const kept = relay.ledger.set(key, entry, now);
    if (!kept) relay.counters.ledgerFull++;
    return kept;
  };
  if (verdict.kind === "drop") {
    keep({ fingerprint: print, outcome: "drop" });
    return;
  }
  if (verdict.kind === "reject" || target === undefined) {
    const status =
      verdict.reason === "message-malformed"
        ? relay.message.faultStatus
        : refusalStatus(trunk, verdict.reason);
    keep({ fingerprint: print, outcome: "reject", status, reason: verdict.reason });
    refuse(relay, exchange, status, verdict.reason);
    return;
  }
  if (!keep({ fingerprint: print, outcome: "forward", target })) {
    if (trunk.exception === "reject")
      refuse(relay, exchange, refusalStatus(trunk, "rule-fault"), "rule-fault");
    if (trunk.exception !== "accept") return;
  }
  forwardCall(relay, policy, trunk.id, exchange, target, decision.attempt);
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
): void {
  const counters = trunkCounters(relay.counters, source.trunk.id);
  if (seen.fingerprint !== print) {
    counters.forgedRepeats++;
    answer(relay, exchange, 400, "");
    return;
  }
  counters.retransmissions++;
  if (seen.outcome === "reject") refuse(relay, exchange, seen.status, seen.reason);
  else if (seen.outcome === "forward")
    forwardCall(
      relay,
      policy,
      source.trunk.id,
      exchange,
      seen.target,
      attemptOf(relay, source.trunk, exchange, now),
    );
}
