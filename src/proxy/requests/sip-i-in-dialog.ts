// The ISUP part of a request inside a dialog: judged where it names another caller.
import type { CallAttempt } from "../../domain/attempt.ts";
import { judgeChange } from "../../judging/sip-requests.ts";
import { refusalStatus } from "../../judging/refusal.ts";
import { isOfIsup } from "../../judging/sip-i-attempt.ts";
import { claimsIsup } from "../../sip/bodies/body.ts";
import type { Proof } from "../memory/dialog-proof.ts";
import { unnamedOf } from "./unnamed.ts";
import { refuse, refuseRequest } from "../turn/answers.ts";
import { attemptOf } from "../turn/request-attempt.ts";
import type { TrunkTurn } from "../turn/turn.ts";
import { isAnswered, passes, type ChangeDecided } from "./change-decided.ts";

/**
 * Returns the attempt, with a body that names a withheld caller marked as one that can't be judged. A body is sent on
 * unchanged, so it must not reveal a number that the dialog withholds.
 */
export function keepWithheld(attempt: CallAttempt, { token, side }: Proof): CallAttempt {
  const tells = attempt.calling.some(isOfIsup) || attempt.diversion.some(isOfIsup);
  return tells && side === "caller" && token.accepted === "withheld"
    ? { ...attempt, undecodable: "names a caller that is withheld" }
    : attempt;
}

/**
 * Judges the ISUP part of a request inside a dialog, other than re-INVITE and UPDATE. An INFO may carry an INF or SGM
 * that names another caller (RFC 3204, Q.764 sections 2.1.6 and 2.1.12). The fields of the request itself are not
 * judged here. A BYE ends the call whatever it carries.
 */
export function decideIsup(turn: TrunkTurn, proof: Proof): ChangeDecided {
  const { proxy, message, source } = turn;
  if (!claimsIsup(message) || message.method === "BYE") return passes;
  const attempt = keepWithheld(attemptOf(turn), proof);
  if (attempt.undecodable !== undefined || message.fault !== undefined) {
    const fault = attempt.undecodable ?? message.fault ?? "";
    refuseRequest(turn, { reason: "isup-undecodable", facts: { fault } });
    return isAnswered;
  }
  const calling = unnamedOf(turn, proof, attempt.calling.filter(isOfIsup));
  if (calling.length === 0) return passes;
  const named: CallAttempt = {
    ...attempt,
    calling,
    // Inside a dialog, a call to an emergency service exempts nobody.
    called: { kind: "unusable", why: "not-a-number", detail: "inside a dialog", raw: attempt.requestUri },
    emergencyUrn: false,
    privacy: 0,
  };
  const decision = judgeChange(turn, named, proxy.state, true);
  const { kind, reason } = decision.verdict;
  if (kind === "drop") return { passes: false, decision, action: { kind: "silent" } };
  if (kind !== "reject") return { passes: true, decision };
  const status = refusalStatus(source.trunk, reason);
  refuse(turn, status, reason);
  return { passes: false, decision, action: { kind: "answered", status } };
}
