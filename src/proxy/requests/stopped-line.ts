// A change or refresh of a call on a line that is stopped by order: refused, so that no call outlives its session there.
import { refuseUnasked } from "../../judging/decide.ts";
import type { TrunkId } from "../../domain/trunk.ts";
import type { Proof } from "../memory/dialog-proof.ts";
import { requestAttempt } from "../turn/request-attempt.ts";
import { isOfCore, type TrunkTurn } from "../turn/turn.ts";
import type { ChangeJudged } from "./change-decided.ts";

/** True for the methods that change or refresh a session (RFC 3261 section 14, RFC 3311, RFC 4028). */
export function isChange(method: string): boolean {
  return method === "INVITE" || method === "UPDATE";
}

/** True for a change or refresh of a call whose line is stopped: that of its sender, or that of the calling side. */
export function isStoppedChange(turn: TrunkTurn, proof: Proof): boolean {
  const { proxy, message, source, at } = turn;
  // No order ends an emergency call.
  if (!isChange(message.method) || proof.token.accepted === "emergency") return false;
  const { lines } = proxy.state;
  if (!isOfCore(turn) && lines.isStopped(source.trunk.id, at)) return true;
  const caller = proof.side === "called" ? callingTrunk(turn, proof) : undefined;
  return caller !== undefined && lines.isStopped(caller, at);
}

/** Returns the trunk that the call came from, as long as the policy has it. A token names it by a tag. */
function callingTrunk({ proxy, policy }: TrunkTurn, { token }: Proof): TrunkId | undefined {
  return policy.trunks.find(({ trunk }) => proxy.tagOfTrunk(trunk.id) === token.ingress)?.trunk.id;
}

/** Refuses a change or refresh on a stopped line; undefined: it is judged like any other. */
export function judgeStopped(turn: TrunkTurn, proof: Proof): ChangeJudged | undefined {
  if (!isStoppedChange(turn, proof)) return undefined;
  const verdict = { kind: "reject", reason: "line-stopped" } as const;
  const decision = refuseUnasked(requestAttempt(turn), verdict, turn.policy.revision, "line-state");
  return { decision, changes: undefined };
}
