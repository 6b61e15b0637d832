import type { Millis } from "../domain/time.ts";
import type { Policy, TrunkPolicy } from "../config/policy.ts";
import { countDecision } from "../observe/counters.ts";
import { claimsIsup } from "../sip/body.ts";
import { Header } from "../sip/header.ts";
import { readCalling, readPrivacy } from "../sip/identity.ts";
import { identitiesHold, parseToken, provesDialog, type DialogToken } from "./dialog-token.ts";
import type { Exchange } from "./exchange.ts";
import { forward, targetOf } from "./forward.ts";
import { judgeCall } from "./judge.ts";
import { ALLOW, answerError, attemptOf, NEXT_HOP, refusalStatus, refuse, type Relay } from "./relay.ts";
import type { Routes } from "./route.ts";

/** Methods that a source other than the core may use inside a dialog. */
const CARRIED = new Set(["INVITE", "ACK", "BYE", "PRACK", "UPDATE", "INFO", "OPTIONS"]);

/** A request inside a dialog passes when our token proves the dialog and the request comes from one of its two trunks. The core is trusted without. */
export function inDialog(
  relay: Relay,
  now: Millis,
  policy: Policy,
  source: TrunkPolicy | undefined,
  exchange: Exchange,
  routes: Routes,
): void {
  const { method } = relay.message;
  const id = source?.trunk.id ?? NEXT_HOP;
  const trusted = source?.trunk.side === "core";
  if (!trusted) {
    const token = routes.token === undefined ? undefined : parseToken(routes.token);
    const side = token === undefined ? undefined : sideOf(relay, token, exchange, relay.tagOfTrunk(id));
    if (token === undefined || side === undefined) {
      answerError(relay, id, exchange, 481);
      return;
    }
    if (!CARRIED.has(method)) {
      answerError(relay, id, exchange, 405, `Allow: ${ALLOW}\r\n`);
      return;
    }
    const changes = method === "INVITE" || method === "UPDATE";
    if (
      changes &&
      source !== undefined &&
      !changeAllowed(relay, now, policy, source, exchange, token, side === "caller")
    )
      return;
  }
  const target = targetOf(relay, policy, source, exchange.listener, routes);
  if (target === undefined) answerError(relay, id, exchange, 404);
  else forward(relay, exchange, target);
}

/** Which side of a proven dialog sent the request; undefined when nothing proves it. */
function sideOf(
  relay: Relay,
  token: DialogToken,
  exchange: Exchange,
  sourceTag: string,
): "caller" | "called" | undefined {
  if (token.ingress === sourceTag && provesDialog(relay.tags, token, exchange.callId, exchange.fromTag))
    return "caller";
  if (token.egress === sourceTag && provesDialog(relay.tags, token, exchange.callId, exchange.toTag))
    return "called";
  return undefined;
}

/**
 * A re-INVITE or UPDATE that names a caller whom the token does not is judged like a new call (RFC 4916); true: let it pass.
 * A refusal leaves the session as it is: 403 ends no dialog (RFC 3261 section 14.1).
 */
function changeAllowed(
  relay: Relay,
  now: Millis,
  policy: Policy,
  source: TrunkPolicy,
  exchange: Exchange,
  token: DialogToken,
  fromCaller: boolean,
): boolean {
  const { message } = relay;
  const { trunk } = source;
  const privacy = message.count[Header.privacy] === 0 ? 0 : readPrivacy(message);
  const calling = readCalling(message, trunk.dialPlan, privacy);
  if (
    message.fault === undefined &&
    !claimsIsup(message) &&
    identitiesHold(relay.tags, token, fromCaller, calling)
  )
    return true;
  const attempt = attemptOf(relay, trunk, exchange, now);
  const judgement = judgeCall(message, source, attempt, undefined, relay.state, policy.revision);
  if (judgement.kind === "answered") {
    answerError(relay, trunk.id, exchange, judgement.status);
    return false;
  }
  const { decision } = judgement;
  countDecision(relay.counters, decision);
  relay.sink.decided(decision);
  const { verdict } = decision;
  if (verdict.kind === "reject")
    refuse(relay, exchange, refusalStatus(trunk, verdict.reason), verdict.reason);
  return verdict.kind !== "reject" && verdict.kind !== "drop";
}
