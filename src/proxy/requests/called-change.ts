// A request of the called side of a dialog: no caller, so it is not refused for whom it names; what it may not show is taken out.
import type { CallAttempt } from "../../domain/attempt.ts";
import type { Decision, Mark } from "../../domain/decision.ts";
import type { AssertedIdentity } from "../../domain/identity.ts";
import type { Trunk } from "../../domain/trunk.ts";
import { acceptUnasked, judgeNamed, payMessage } from "../../judging/sip-requests.ts";
import { isOfIsup } from "../../judging/sip-i-attempt.ts";
import { findMisleadingName } from "../../screening/shown-name.ts";
import type { Proof } from "../memory/dialog-proof.ts";
import { changesOf, UNCHANGED, withheld, type MessageChanges } from "../messages/message-changes.ts";
import { requestAttempt } from "../turn/request-attempt.ts";
import type { TrunkTurn } from "../turn/turn.ts";
import type { ChangeJudged } from "./change-decided.ts";
import { unnamedDiverting, unnamedOf, withoutParties } from "./unnamed.ts";

/**
 * Judges a request of the called side. Its From is the To of the call, which the calling side chose (RFC 3261 section
 * 12.2.1.1), and its other fields name the connected party (RFC 3325, RFC 4916). It may name itself by any party of
 * the token, hidden or not. It may show another number where the rules of its trunk would let it call with that number.
 * Every other field goes, and From becomes anonymous: both sides tell dialogs by Call-ID and tags alone (RFC 3261
 * section 12).
 *
 * Refused is what can't be judged safely, an ISUP part that names another caller, since a body is sent on unchanged,
 * and a MESSAGE above the trunk's limit.
 */
export function judgeCalled(turn: TrunkTurn, proof: Proof): ChangeJudged {
  const { proxy, message, source } = turn;
  const attempt: CallAttempt = { ...requestAttempt(turn), privacy: 0 };
  const unnamed = unnamedOf(turn, proof, attempt.calling);
  const ofIsup = unnamed.filter(isOfIsup);
  if (ofIsup.length > 0 || message.fault !== undefined || attempt.undecodable !== undefined) {
    const decision = judgeNamed(turn, attempt, proxy.state, ofIsup);
    if (decision.verdict.kind === "reject" || decision.verdict.kind === "drop")
      return { decision, changes: undefined };
  }
  const shown = hideUnnamed(turn, proof, attempt, unnamed);
  if (message.method !== "MESSAGE" || source.trunk.limits.messagesPerSecond === undefined) return shown;
  return { ...shown, decision: payMessage(shown.decision ?? acceptUnasked(turn, attempt), proxy.state) };
}

/** Takes out what the called side may not show. There is a decision only where something was judged. */
function hideUnnamed(
  turn: TrunkTurn,
  proof: Proof,
  attempt: CallAttempt,
  unnamed: readonly AssertedIdentity[],
): ChangeJudged {
  const { proxy, source } = turn;
  const { state } = proxy;
  const inFields = unnamed.filter((identity) => !isOfIsup(identity));
  const diverting = unnamedDiverting(turn, proof, attempt);
  const misleads = findMisleadingName(attempt) !== undefined;
  if (inFields.length === 0 && diverting.length === 0 && !misleads)
    return { decision: undefined, changes: changesOf(source.trunk, accepted) };
  const marks: Mark[] = [];
  const bare = { ...attempt, diversion: [] };
  const names = misleads ? judgeNamed(turn, bare, state, []) : accepted;
  const isNameless = names.marks.length > 0 || names.verdict.kind === "reject";
  if (isNameless) marks.push({ kind: "strip", reason: "display-name-misleading" });
  const { verdict } = inFields.length > 0 ? judgeNamed(turn, bare, state, inFields) : accepted;
  const isHidden = verdict.kind !== "accept";
  if (isHidden) marks.push({ kind: "strip", reason: verdict.reason });
  const decision: Decision = { ...acceptUnasked(turn, attempt), marks };
  const hidden = isHidden ? [...inFields, ...diverting] : diverting;
  return { decision, changes: withoutParties(changesFor(source.trunk, isNameless), hidden) };
}

const accepted: Pick<Decision, "marks" | "verdict"> = {
  marks: [],
  verdict: { kind: "accept", reason: "default" },
};

function changesFor(trunk: Trunk, isNameless: boolean): MessageChanges | undefined {
  const changes = changesOf(trunk, accepted);
  if (!isNameless) return changes;
  return { ...(changes ?? unchanged), change: { ...(changes?.change ?? UNCHANGED), withoutName: true } };
}

const unchanged: MessageChanges = { ...withheld, isWithheld: false };
