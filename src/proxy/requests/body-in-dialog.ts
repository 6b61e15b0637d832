// The body of a request inside a dialog: refused where it may name a caller that nobody reads.
import { refusalStatus } from "../../judging/refusal.ts";
import { findUnreadBody } from "../../sip/bodies/unread-body.ts";
import { fingerprint, ledgerKey } from "../memory/ledger.ts";
import { refuse } from "../turn/answers.ts";
import { attemptOf } from "../turn/request-attempt.ts";
import type { TrunkTurn } from "../turn/turn.ts";
import { repeatChange } from "./caller-change.ts";
import { passes, type ChangeDecided } from "./change-decided.ts";

/**
 * Judges the body of a request inside a dialog by the rule `bodies` alone, from either side: which types may pass is a
 * matter of the trunk. A refusal leaves the session as it is.
 */
export function decideBody(turn: TrunkTurn): ChangeDecided {
  const { proxy, message, now, request, source } = turn;
  const { trunk, screen } = source;
  if (message.fault !== undefined || findUnreadBody(message, trunk.bodies) === undefined) return passes;
  const key = ledgerKey(trunk.id, request, message.cseq);
  const seen = proxy.ledger.get(key, now);
  if (seen?.outcome.kind === "reject") return repeatChange(turn, seen);
  const decision = screen.judgeBody(attemptOf(turn), proxy.state);
  const { kind, reason } = decision.verdict;
  if (kind === "drop") return { passes: false, decision, action: { kind: "silent" } };
  if (kind !== "reject") return decision.shadow.length === 0 ? passes : { passes: true, decision };
  const status = refusalStatus(trunk, reason);
  // The ACK of a refused INVITE ends here, and its repeats get the same answer.
  proxy.ledger.set(
    key,
    { fingerprint: fingerprint(message), outcome: { kind: "reject", status, reason } },
    now,
  );
  refuse(turn, status, reason);
  return { passes: false, decision, action: { kind: "answered", status } };
}
