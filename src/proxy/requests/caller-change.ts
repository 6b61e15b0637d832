// A re-INVITE, UPDATE or other request of a dialog that may name another caller: judged where the token does not name it.
import { trunkCounters } from "../../observe/counters.ts";
import type { CallAttempt } from "../../domain/attempt.ts";
import type { Decision, Mark } from "../../domain/decision.ts";
import type { ReasonCode } from "../../domain/reason.ts";
import { acceptUnasked, judgeChange, judgeNamed, payMessage } from "../../judging/sip-requests.ts";
import { isOfIsup } from "../../judging/sip-i-attempt.ts";
import { refusalStatus } from "../../judging/refusal.ts";
import { readPartyClaims } from "../../sip/attempt/remote-party.ts";
import { findMisleadingName } from "../../screening/shown-name.ts";
import type { Proof } from "../memory/dialog-proof.ts";
import { isConfirmed, readTarget } from "../memory/dialog-token.ts";
import { fingerprint, ledgerKey, type LedgerEntry } from "../memory/ledger.ts";
import {
  applyChanges,
  changesOf,
  obeyRemoteParty,
  withheld,
  type MessageChanges,
} from "../messages/message-changes.ts";
import { refuse, refuseForgedRepeat } from "../turn/answers.ts";
import { requestAttempt } from "../turn/request-attempt.ts";
import type { TrunkTurn } from "../turn/turn.ts";
import { judgeCalled } from "./called-change.ts";
import { isAnswered, passes, type ChangeDecided, type ChangeJudged } from "./change-decided.ts";
import { keepWithheld } from "./sip-i-in-dialog.ts";
import { judgeStopped } from "./stopped-line.ts";
import { unnamedDiverting, unnamedOf, withoutParties } from "./unnamed.ts";

/** True for a request of a caller whose number was withheld. */
export function isHiddenCaller({ token, side }: Proof): boolean {
  return side === "caller" && token.accepted === "withheld";
}

/**
 * Decides about a re-INVITE, UPDATE or other request that names its sender. A refusal leaves the session as it is,
 * since a 403 ends no dialog (RFC 3261 section 14.1).
 */
export function decideChange(turn: TrunkTurn, proof: Proof): ChangeDecided {
  const { proxy, message, edits, now, request } = turn;
  const { ledger } = proxy;
  const { trunk } = turn.source;
  const key = ledgerKey(trunk.id, request, message.cseq);
  const seen = ledger.get(key, now);
  if (seen !== undefined && (seen.outcome.kind === "reject" || message.method === "MESSAGE"))
    return repeatChange(turn, seen);
  const { decision, changes } = judgeStopped(turn, proof) ?? judgeSide(turn, proof);
  const { kind, reason } = decision?.verdict ?? accepted;
  if (kind === "drop") return { passes: false, decision, action: { kind: "silent" } };
  if (kind === "reject") {
    const status = refusalStatus(trunk, reason);
    ledger.set(key, { fingerprint: fingerprint(message), outcome: { kind: "reject", status, reason } }, now);
    refuse(turn, status, reason);
    return { passes: false, decision, action: { kind: "answered", status } };
  }
  if (changes !== undefined) applyChanges(message, edits, changes);
  if (message.method === "MESSAGE") {
    // The MESSAGE was counted against its limits. Its repeats are not counted again.
    const target = readTarget(proof.side === "caller" ? proof.token.target : proof.token.source);
    const outcome = { kind: "forward", target, reason, changes } as const;
    ledger.set(key, { fingerprint: fingerprint(message), outcome }, now);
  }
  return { passes: true, decision };
}

const accepted = { kind: "accept", reason: "default" } as const;

/** Answers the repeat of a request that was decided about before. */
export function repeatChange(turn: TrunkTurn, seen: LedgerEntry): ChangeDecided {
  const { outcome } = seen;
  const { proxy, message, edits, source } = turn;
  if (seen.fingerprint !== fingerprint(message)) {
    refuseForgedRepeat(turn);
    return isAnswered;
  }
  trunkCounters(proxy.counters, source.trunk.id).retransmissions++;
  if (outcome.kind === "reject") refuse(turn, outcome.status, outcome.reason);
  else if (outcome.kind === "forward") {
    if (outcome.changes !== undefined) applyChanges(message, edits, outcome.changes);
    return passes;
  }
  return isAnswered;
}

function judgeSide(turn: TrunkTurn, proof: Proof): ChangeJudged {
  return proof.side === "caller" ? judgeCaller(turn, proof) : judgeCalled(turn, proof);
}

/** Judges a request of the calling side. */
function judgeCaller(turn: TrunkTurn, proof: Proof): ChangeJudged {
  const attempt = withoutCalled(turn, keepWithheld(requestAttempt(turn), proof));
  const decision = decisionAbout(turn, attempt, proof);
  const changes = obeyRemoteParty(turn.message, changesInDialog(turn, decision, proof));
  return { decision, changes: withoutParties(changes, unnamedDiverting(turn, proof, attempt)) };
}

/** Returns the attempt without the called party that a Remote-Party-ID names: nobody is shown it, since the field goes. */
function withoutCalled({ message }: TrunkTurn, attempt: CallAttempt): CallAttempt {
  return readPartyClaims(message).namesCalled
    ? { ...attempt, calling: attempt.calling.filter(({ party }) => party === undefined) }
    : attempt;
}

/**
 * Judges a request of the calling side in three cases: it names a caller whom the token does not name; no answer has
 * confirmed its dialog (RFC 4916); a display name misleads. Whom the token names was accepted with the call, and is not
 * judged again, whatever the policy says by now.
 *
 * @returns undefined for a request that the token authorises: it needs no decision and is not counted
 */
function decisionAbout(turn: TrunkTurn, attempt: CallAttempt, proof: Proof): Decision | undefined {
  const { proxy, message, source, request } = turn;
  const { state } = proxy;
  const { token } = proof;
  const isMessage = message.method === "MESSAGE";
  const isKnownDialog = isConfirmed(proxy.tags, token, request.callId, request.toTag);
  const isReadable = message.fault === undefined && attempt.undecodable === undefined;
  if (!isKnownDialog || !isReadable) {
    const isCall = message.method === "INVITE" || message.method === "UPDATE";
    const decision = judgeChange(turn, attempt, state, isKnownDialog || !isCall);
    return isMessage ? payMessage(decision, state) : decision;
  }
  const unnamed = unnamedOf(turn, proof, attempt.calling);
  // An emergency call passes whatever its display name.
  const misleads = token.accepted !== "emergency" && findMisleadingName(attempt) !== undefined;
  const isLimited = isMessage && source.trunk.limits.messagesPerSecond !== undefined;
  if (unnamed.length === 0 && !misleads && !isLimited) return undefined;
  const decision =
    unnamed.length === 0 && !misleads
      ? acceptUnasked(turn, attempt)
      : judgeNamed(turn, { ...attempt, diversion: attempt.diversion.filter(isOfIsup) }, state, unnamed);
  return isMessage ? payMessage(decision, state) : decision;
}

/**
 * Returns what is changed in a request of the calling side. A number that was withheld once stays withheld, and a
 * labelled call bears its label, whatever the policy says by now.
 */
function changesInDialog(
  { source: { trunk } }: TrunkTurn,
  decision: Decision | undefined,
  { token: { accepted: how, label } }: Proof,
): MessageChanges | undefined {
  const { marks, verdict } = decision ?? { marks: [], verdict: accepted };
  const keepsLabel = label !== undefined && verdict.kind === "accept";
  const changes = keepsLabel
    ? changesOf(trunk, { marks: [...marks, labelOf(label)], verdict: labelOf(label) })
    : changesOf(trunk, { marks, verdict });
  return how === "withheld" ? { ...(changes ?? withheld), isWithheld: true } : changes;
}

function labelOf(reason: ReasonCode): Mark {
  return { kind: "label", reason };
}
