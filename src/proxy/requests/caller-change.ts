import { trunkCounters, countDecision, countRequest } from "../../observe/counters.ts";
import type { TrunkPolicy } from "../../policy/policy.ts";
import type { Trunk } from "../../domain/trunk.ts";
import type { Decision } from "../../domain/decision.ts";
import { findMisleadingName } from "../../screening/shown-name.ts";
import { identitiesHold, isConfirmed, isWithheldCall, readTarget, type Proof } from "../memory/dialog-token.ts";
import type { Exchange } from "../../routing/request-in-hand.ts";
import { keepWithheld } from "./sip-i-in-dialog.ts";
import { judgeChange, payMessage } from "../../judging/judge-invite.ts";
import { fingerprint, ledgerKey, type LedgerEntry } from "../memory/ledger.ts";
import { answer, refusalStatus, refuse, type Relay } from "../turn/proxy-state.ts";
import { requestAttempt } from "./request-attempt.ts";
import { treat, treatmentOf, withheld, type Treatment } from "../messages/message-changes.ts";

/** True for a request of a caller whose number was withheld. */
export function isHiddenCaller({ token, side }: Proof): boolean {
  return side === "caller" && isWithheldCall(token);
}

const unmarked: Pick<Decision, "marks" | "verdict"> = {
  marks: [],
  verdict: { kind: "accept", reason: "default" },
};

/** What is changed in a request of the dialog. What was withheld once stays so, whatever the policy says by now. */
function treatmentInDialog(
  trunk: Trunk,
  decision: Pick<Decision, "marks" | "verdict">,
  proof: Proof,
): Treatment | undefined {
  const treatment = treatmentOf(trunk, decision);
  return isHiddenCaller(proof) ? { ...(treatment ?? withheld), isWithheld: true } : treatment;
}

/**
 * A re-INVITE, UPDATE or other request with a caller: judged when it names one whom the token does not, when no answer has
 * confirmed its dialog (RFC 4916), or when a display name misleads. A refusal leaves the session as it is: 403 ends no
 * dialog (RFC 3261 section 14.1).
 */
export function isChangeAllowed(
  relay: Relay,
  source: TrunkPolicy,
  exchange: Exchange,
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
  const treatment = treatmentInDialog(trunk, decision, proof);
  if (treatment !== undefined) treat(message, edits, treatment);
  if (message.method === "MESSAGE") {
    // It has paid, and its repeats need not.
    const target = readTarget(proof.side === "caller" ? proof.token.target : proof.token.source);
    const { reason } = verdict;
    ledger.set(
      key,
      { fingerprint: fingerprint(message), outcome: "forward", target, reason, treatment },
      now,
    );
  }
  return true;
}

function repeatChange(relay: Relay, trunk: Trunk, exchange: Exchange, seen: LedgerEntry): boolean {
  const isRepeat = seen.fingerprint === fingerprint(relay.message);
  trunkCounters(relay.counters, trunk.id)[isRepeat ? "retransmissions" : "forgedRepeats"]++;
  if (!isRepeat) answer(relay, exchange, 400, "");
  else if (seen.outcome === "reject") refuse(relay, exchange, seen.status, seen.reason);
  else if (seen.outcome === "forward") {
    if (seen.treatment !== undefined) treat(relay.message, relay.edits, seen.treatment);
    return true;
  }
  return false;
}

/** The decision about a change: what the token authorises needs none and is not counted. */
function decideChange(
  relay: Relay,
  source: TrunkPolicy,
  exchange: Exchange,
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
