// A re-INVITE, UPDATE or other request of a dialog that may name another caller: judged where the token does not name it.
import { trunkCounters } from "../../observe/counters.ts";
import type { Trunk } from "../../domain/trunk.ts";
import type { Decision } from "../../domain/decision.ts";
import { judgeChange, payMessage } from "../../judging/sip-requests.ts";
import { refusalStatus } from "../../judging/refusal.ts";
import { findMisleadingName } from "../../screening/shown-name.ts";
import {
  identitiesHold,
  isConfirmed,
  isWithheldCall,
  readTarget,
  type Proof,
} from "../memory/dialog-token.ts";
import { fingerprint, ledgerKey, type LedgerEntry } from "../memory/ledger.ts";
import { applyChanges, changesOf, withheld, type MessageChanges } from "../messages/message-changes.ts";
import { answer, refuse } from "../turn/answers.ts";
import { requestAttempt } from "../turn/request-attempt.ts";
import type { TrunkTurn } from "../turn/turn.ts";
import { isAnswered, passes, type ChangeDecided } from "./change-decided.ts";
import { keepWithheld } from "./sip-i-in-dialog.ts";

/** True for a request of a caller whose number was withheld. */
export function isHiddenCaller({ token, side }: Proof): boolean {
  return side === "caller" && isWithheldCall(token);
}

const unmarked: Pick<Decision, "marks" | "verdict"> = {
  marks: [],
  verdict: { kind: "accept", reason: "default" },
};

/**
 * Returns what is changed in a request of the dialog. A number that was withheld once stays withheld, whatever the
 * policy says by now.
 */
function changesInDialog(
  trunk: Trunk,
  decision: Pick<Decision, "marks" | "verdict">,
  proof: Proof,
): MessageChanges | undefined {
  const changes = changesOf(trunk, decision);
  return isHiddenCaller(proof) ? { ...(changes ?? withheld), isWithheld: true } : changes;
}

/**
 * Decides about a re-INVITE, UPDATE or other request with a caller. It is judged in three cases: it names a caller whom
 * the token does not name; no answer has confirmed its dialog (RFC 4916); a display name misleads. A refusal leaves the
 * session as it is, since a 403 ends no dialog (RFC 3261 section 14.1).
 */
export function decideChange(turn: TrunkTurn, proof: Proof): ChangeDecided {
  const { proxy, message, edits, now, request } = turn;
  const { ledger } = proxy;
  const { trunk } = turn.source;
  const key = ledgerKey(trunk.id, request, message.cseq);
  const seen = ledger.get(key, now);
  if (seen !== undefined && (seen.outcome.kind === "reject" || message.method === "MESSAGE"))
    return repeatChange(turn, seen);
  const decision = judgeNamed(turn, proof);
  const { verdict } = decision ?? unmarked;
  if (verdict.kind === "drop") return { passes: false, decision, action: { kind: "silent" } };
  const { reason } = verdict;
  if (verdict.kind === "reject") {
    const status = refusalStatus(trunk, reason);
    ledger.set(key, { fingerprint: fingerprint(message), outcome: { kind: "reject", status, reason } }, now);
    refuse(turn, status, reason);
    return { passes: false, decision, action: { kind: "answered", status } };
  }
  const changes = changesInDialog(trunk, decision ?? unmarked, proof);
  if (changes !== undefined) applyChanges(message, edits, changes);
  if (message.method === "MESSAGE") {
    // The MESSAGE was counted against its limits. Its repeats are not counted again.
    const target = readTarget(proof.side === "caller" ? proof.token.target : proof.token.source);
    const outcome = { kind: "forward", target, reason, changes } as const;
    ledger.set(key, { fingerprint: fingerprint(message), outcome }, now);
  }
  return { passes: true, decision };
}

/** Answers the repeat of a request that was decided about before. */
export function repeatChange(turn: TrunkTurn, seen: LedgerEntry): ChangeDecided {
  const { outcome } = seen;
  const { proxy, message, edits, source } = turn;
  const isRepeat = seen.fingerprint === fingerprint(message);
  trunkCounters(proxy.counters, source.trunk.id)[isRepeat ? "retransmissions" : "forgedRepeats"]++;
  if (!isRepeat) answer(turn, 400, "");
  else if (outcome.kind === "reject") refuse(turn, outcome.status, outcome.reason);
  else if (outcome.kind === "forward") {
    if (outcome.changes !== undefined) applyChanges(message, edits, outcome.changes);
    return passes;
  }
  return isAnswered;
}

/**
 * Judges the request, if needed.
 *
 * @returns undefined for a request that the token authorises: it needs no decision and is not counted
 */
function judgeNamed(turn: TrunkTurn, proof: Proof): Decision | undefined {
  const { proxy, message, source, request } = turn;
  const { token, side } = proof;
  // The called side proves its dialog by the caller's tag, to which the token is bound.
  const isKnownDialog = side === "called" || isConfirmed(proxy.tags, token, request.callId, request.toTag);
  const attempt = keepWithheld(requestAttempt(turn), proof);
  const holds =
    isKnownDialog &&
    identitiesHold(token, side === "caller", attempt.calling) &&
    message.fault === undefined &&
    attempt.undecodable === undefined &&
    findMisleadingName(attempt) === undefined;
  const isMessage = message.method === "MESSAGE";
  if (holds && !(isMessage && source.trunk.limits.messagesPerSecond !== undefined)) return undefined;
  const isCall = message.method === "INVITE" || message.method === "UPDATE";
  const decision = judgeChange(turn, attempt, proxy.state, isKnownDialog || !isCall);
  return isMessage ? payMessage(decision, proxy.state) : decision;
}
