import { countDecision, countRequest, trunkCounters } from "../../observe/counters.ts";
import type { TrunkPolicy } from "../../policy/policy.ts";
import type { Trunk } from "../../domain/trunk.ts";
import type { Decision } from "../../domain/decision.ts";
import { findMisleadingName } from "../../screening/shown-name.ts";
import {
  identitiesHold,
  isConfirmed,
  isWithheldCall,
  type Proof,
  readTarget,
} from "../memory/dialog-token.ts";
import type { RequestInHand } from "../../routing/request-in-hand.ts";
import { keepWithheld } from "./sip-i-in-dialog.ts";
import { judgeChange, payMessage } from "../../judging/judge-invite.ts";
import { fingerprint, type LedgerEntry, ledgerKey } from "../memory/ledger.ts";
import type { Relay } from "../turn/proxy-state.ts";
import { requestAttempt } from "../turn/request-attempt.ts";
import { applyChanges, type MessageChanges, changesOf, withheld } from "../messages/message-changes.ts";
import { refusalStatus } from "../../judging/refusal.ts";
import { answer, refuse } from "../turn/answers.ts";

/** True for a request of a caller whose number was withheld. */
export function isHiddenCaller({ token, side }: Proof): boolean {
  return side === "caller" && isWithheldCall(token);
}

const unmarked: Pick<Decision, "marks" | "verdict"> = {
  marks: [],
  verdict: { kind: "accept", reason: "default" },
};

/** What is changed in a request of the dialog. What was withheld once stays so, whatever the policy says by now. */
function changesInDialog(
  trunk: Trunk,
  decision: Pick<Decision, "marks" | "verdict">,
  proof: Proof,
): MessageChanges | undefined {
  const changes = changesOf(trunk, decision);
  return isHiddenCaller(proof) ? { ...(changes ?? withheld), isWithheld: true } : changes;
}

/**
 * A re-INVITE, UPDATE or other request with a caller: judged when it names one whom the token does not, when no answer has
 * confirmed its dialog (RFC 4916), or when a display name misleads. A refusal leaves the session as it is: 403 ends no
 * dialog (RFC 3261 section 14.1).
 */
export function isChangeAllowed(
  relay: Relay,
  source: TrunkPolicy,
  exchange: RequestInHand,
  proof: Proof,
): boolean {
  const { message, ledger, edits, now } = relay;
  const { trunk } = source;
  const key = ledgerKey(trunk.id, exchange, message.cseq);
  const seen = ledger.get(key, now);
  if (seen !== undefined && (seen.outcome === "reject" || message.method === "MESSAGE"))
    return repeatChange(relay, trunk, exchange, seen);
  const decision = decideChange(relay, source, exchange, proof);
  const { verdict } = decision;
  if (verdict.kind === "drop") return false;
  if (verdict.kind === "reject") {
    const status = refusalStatus(trunk, verdict.reason);
    ledger.set(
      key,
      { fingerprint: fingerprint(message), outcome: "reject", status, reason: verdict.reason },
      now,
    );
    refuse(relay, exchange, status, verdict.reason);
    return false;
  }
  const changes = changesInDialog(trunk, decision, proof);
  if (changes !== undefined) applyChanges(message, edits, changes);
  if (message.method === "MESSAGE") {
    // It has paid, and its repeats need not.
    const target = readTarget(proof.side === "caller" ? proof.token.target : proof.token.source);
    const { reason } = verdict;
    ledger.set(key, { fingerprint: fingerprint(message), outcome: "forward", target, reason, changes }, now);
  }
  return true;
}

function repeatChange(relay: Relay, trunk: Trunk, exchange: RequestInHand, seen: LedgerEntry): boolean {
  const isRepeat = seen.fingerprint === fingerprint(relay.message);
  trunkCounters(relay.counters, trunk.id)[isRepeat ? "retransmissions" : "forgedRepeats"]++;
  if (!isRepeat) answer(relay, exchange, 400, "");
  else if (seen.outcome === "reject") refuse(relay, exchange, seen.status, seen.reason);
  else if (seen.outcome === "forward") {
    if (seen.changes !== undefined) applyChanges(relay.message, relay.edits, seen.changes);
    return true;
  }
  return false;
}

/** The decision about a change: what the token authorises needs none and is not counted. */
function decideChange(
  relay: Relay,
  source: TrunkPolicy,
  exchange: RequestInHand,
  { token, side }: Proof,
): Pick<Decision, "marks" | "verdict"> {
  const { message, state, policy } = relay;
  const { trunk } = source;
  // The called side proves its dialog by the caller's tag, which the token is bound to.
  const isKnownDialog = side === "called" || isConfirmed(relay.tags, token, exchange.callId, exchange.toTag);
  const attempt = keepWithheld(requestAttempt(relay, trunk, exchange), { token, side });
  const holds =
    isKnownDialog &&
    identitiesHold(token, side === "caller", attempt.calling) &&
    message.fault === undefined &&
    attempt.undecodable === undefined &&
    findMisleadingName(attempt) === undefined;
  const isMessage = message.method === "MESSAGE";
  if (holds && !(isMessage && trunk.limits.messagesPerSecond !== undefined)) return unmarked;
  const isCall = message.method === "INVITE" || message.method === "UPDATE";
  const judged = judgeChange(message, source, attempt, state, policy.revision, isKnownDialog || !isCall);
  const decision = isMessage ? payMessage(judged, state) : judged;
  if (isCall) countDecision(relay.counters, decision);
  else countRequest(relay.counters, message.method, decision);
  relay.sink.decided(decision, message.bytes);
  return decision;
}
