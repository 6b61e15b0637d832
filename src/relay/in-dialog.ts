import type { CallAttempt } from "../domain/attempt.ts";
import type { Millis } from "../domain/time.ts";
import type { Policy, TrunkPolicy } from "../config/policy.ts";
import { countDecision, trunkCounters } from "../observe/counters.ts";
import { claimsIsup } from "../sip/body.ts";
import {
  identitiesHold,
  isConfirmed,
  parseToken,
  provesDialog,
  readTarget,
  type DialogToken,
} from "./dialog-token.ts";
import type { Exchange } from "./exchange.ts";
import { forward, isKnown, routedTarget } from "./forward.ts";
import { judgeChange } from "./judge.ts";
import { fingerprint, ledgerKey } from "./ledger.ts";
import type { Target } from "./listener.ts";
import {
  ALLOW,
  answer,
  answerError,
  attemptOf,
  NEXT_HOP,
  refusalStatus,
  refuse,
  type Relay,
} from "./relay.ts";
import { followRoutes, type Onward, type Routes } from "./route.ts";

/** Methods that a source other than the core may use inside a dialog. */
const CARRIED = new Set(["INVITE", "ACK", "CANCEL", "BYE", "PRACK", "UPDATE", "INFO", "OPTIONS"]);

/** A proven dialog, and which side of it the request comes from. */
interface Proof {
  readonly token: DialogToken;
  readonly side: "caller" | "called";
}

/** A request inside a dialog passes when our token proves the dialog and the request comes from one of its two trunks. The core is trusted without. */
export function inDialog(
  relay: Relay,
  now: Millis,
  policy: Policy,
  source: TrunkPolicy | undefined,
  exchange: Exchange,
  routes: Routes,
): void {
  const { message } = relay;
  const id = source?.trunk.id ?? NEXT_HOP;
  const isCore = source?.trunk.side === "core";
  const proof = proveDialog(relay, exchange, routes, relay.tagOfTrunk(id), isCore);
  if (!isCore) {
    if (proof === undefined) {
      answerError(relay, id, exchange, 481);
      return;
    }
    if (!CARRIED.has(message.method)) {
      answerError(relay, id, exchange, 405, `Allow: ${ALLOW}\r\n`);
      return;
    }
    if (source !== undefined && !isAllowed(relay, now, policy, source, exchange, proof)) return;
  }
  const onward = followRoutes(message, routes, relay.edits);
  const target = targetInDialog(relay, policy, source, exchange, proof, onward);
  if (target === undefined) answerError(relay, id, exchange, 404);
  else forward(relay, exchange, target);
}

/** The dialog that the token proves for this request; undefined when nothing does. */
function proveDialog(
  relay: Relay,
  exchange: Exchange,
  routes: Routes,
  sourceTag: string,
  isCore: boolean,
): Proof | undefined {
  const token = routes.token === undefined ? undefined : parseToken(routes.token);
  if (token === undefined) return undefined;
  if (
    (isCore || token.ingress === sourceTag) &&
    provesDialog(relay.tags, token, exchange.callId, exchange.fromTag)
  )
    return { token, side: "caller" };
  if (
    (isCore || token.egress === sourceTag) &&
    provesDialog(relay.tags, token, exchange.callId, exchange.toTag)
  )
    return { token, side: "called" };
  return undefined;
}

/**
 * Where a request of a dialog goes. The core's own Route and Request-URI count; where they name nothing that we reach (a Contact
 * behind NAT, a host name), and from everybody else, the token's: the place the policy chose for the INVITE, or the one it came from.
 */
function targetInDialog(
  relay: Relay,
  policy: Policy,
  source: TrunkPolicy | undefined,
  exchange: Exchange,
  proof: Proof | undefined,
  onward: Onward,
): Target | undefined {
  const { listener } = exchange;
  const routed = source?.trunk.side === "core" ? routedTarget(relay, policy, listener, onward) : undefined;
  if (routed !== undefined || proof === undefined) return routed;
  const other = readTarget(proof.side === "caller" ? proof.token.target : proof.token.source);
  if (isKnown(relay, policy, listener, other)) return other;
  return source === undefined ? undefined : relay.hops.choose(source.trunk, exchange.callId);
}

/** True: let it pass. False: it has been answered. */
function isAllowed(
  relay: Relay,
  now: Millis,
  policy: Policy,
  source: TrunkPolicy,
  exchange: Exchange,
  proof: Proof,
): boolean {
  const { message } = relay;
  const { trunk } = source;
  if (message.method === "INVITE" || message.method === "UPDATE")
    return isChangeAllowed(relay, now, policy, source, exchange, proof);
  // RFC 3204: an INFO may carry an INF or SGM that names another caller.
  if (!claimsIsup(message)) return true;
  answerError(relay, trunk.id, exchange, refusalStatus(trunk, "isup-undecodable"));
  return false;
}

/**
 * A re-INVITE or UPDATE that names a caller whom the token does not, or whose dialog no answer has confirmed, is judged
 * (RFC 4916). A refusal leaves the session as it is: 403 ends no dialog (RFC 3261 section 14.1).
 */
function isChangeAllowed(
  relay: Relay,
  now: Millis,
  policy: Policy,
  source: TrunkPolicy,
  exchange: Exchange,
  { token, side }: Proof,
): boolean {
  const { message, ledger } = relay;
  const { trunk } = source;
  const key = ledgerKey(trunk.id, exchange, message.cseq);
  const seen = ledger.get(key, now);
  if (seen !== undefined && seen.outcome === "reject") {
    const isRepeat = seen.fingerprint === fingerprint(message);
    trunkCounters(relay.counters, trunk.id)[isRepeat ? "retransmissions" : "forgedRepeats"]++;
    if (isRepeat) refuse(relay, exchange, seen.status, seen.reason);
    else answer(relay, exchange, 400, "");
    return false;
  }
  // The called side proves its dialog by the caller's tag, which the token is bound to.
  const isKnownDialog = side === "called" || isConfirmed(relay.tags, token, exchange.callId, exchange.toTag);
  const attempt = attemptOf(relay, trunk, exchange, now);
  const unchanged = identitiesHold(token, side === "caller", attempt.calling);
  if (isKnownDialog && unchanged && message.fault === undefined && !claimsIsup(message)) return true;
  const decision = judgeChange(
    message,
    source,
    withoutCalled(attempt),
    relay.state,
    policy.revision,
    isKnownDialog,
  );
  countDecision(relay.counters, decision);
  relay.sink.decided(decision);
  const { verdict } = decision;
  if (verdict.kind === "drop") return false;
  if (verdict.kind !== "reject") return true;
  const status = refusalStatus(trunk, verdict.reason);
  ledger.set(
    key,
    { fingerprint: fingerprint(message), outcome: "reject", status, reason: verdict.reason },
    now,
  );
  refuse(relay, exchange, status, verdict.reason);
  return false;
}

/** The Request-URI of a dialog is a Contact, which the peer writes as it likes: nobody is exempt for calling 110 there. */
function withoutCalled(attempt: CallAttempt): CallAttempt {
  const { requestUri } = attempt;
  return {
    ...attempt,
    called: { kind: "unusable", why: "not-a-number", detail: "inside a dialog", raw: requestUri },
    emergencyUrn: false,
  };
}
