import { carriageOf, ordinaryMethods } from "../../domain/method.ts";
import type { TrunkPolicy } from "../../policy/policy.ts";
import { isChangeAllowed, isHiddenCaller } from "./caller-change.ts";
import {
  type DialogToken,
  parseToken,
  type Proof,
  provesDialog,
  readTarget,
} from "../memory/dialog-token.ts";
import type { RequestInHand } from "../../routing/request-in-hand.ts";
import { forward, isKnown, routedTarget } from "../sending/forward.ts";
import { isIsupAllowed } from "./sip-i-in-dialog.ts";
import type { Target } from "../../routing/listener.ts";
import { isEventCarried } from "./out-of-dialog.ts";
import { NEXT_HOP, type Relay } from "../turn/proxy-state.ts";
import { followRoutes, type Onward, type Routes } from "../../routing/route.ts";
import { byConnectionOf } from "../turn/peer-port.ts";
import { applyChanges, withheld } from "../messages/message-changes.ts";
import { answerError, refuseMethod, refuseRequest } from "../turn/answers.ts";

/** A request inside a dialog passes when our token proves the dialog and the request comes from one of its two trunks. The core is trusted without. */
export function inDialog(
  relay: Relay,
  source: TrunkPolicy | undefined,
  exchange: RequestInHand,
  routes: Routes,
): void {
  const { message } = relay;
  const id = source?.trunk.id ?? NEXT_HOP;
  const isCore = source?.trunk.side === "core";
  const proof = proveDialog(relay, exchange, routes, relay.tagOfTrunk(id), isCore, source === undefined);
  if (!isCore) {
    if (proof === undefined) {
      refuseRequest(relay, source?.trunk, exchange, "dialog-unknown");
      return;
    }
    const carriage = carriageOf(source?.trunk.methods ?? ordinaryMethods, message.method);
    // A registration is nobody's dialog (RFC 3261 section 10.2).
    if (carriage === "refuse" || message.method === "REGISTER") {
      refuseMethod(relay, source?.trunk, exchange);
      return;
    }
    if (source !== undefined && !isAllowed(relay, source, exchange, proof)) return;
  }
  const onward = followRoutes(message, routes, relay.edits);
  const target = targetInDialog(relay, source, exchange, proof, onward);
  if (target === undefined) answerError(relay, id, exchange, 404);
  else forward(relay, exchange, target);
}

/** The dialog that the token proves for this request; undefined when nothing does. */
function proveDialog(
  relay: Relay,
  exchange: RequestInHand,
  routes: Routes,
  sourceTag: string,
  isCore: boolean,
  isStranger: boolean,
): Proof | undefined {
  const token = routes.token === undefined ? undefined : parseToken(routes.token);
  if (token === undefined) return undefined;
  if (
    (isCore || token.ingress === sourceTag) &&
    provesDialog(relay.tags, token, exchange.callId, exchange.fromTag)
  )
    return { token, side: "caller" };
  if (
    (isCore || token.egress === sourceTag || isRetired(token, exchange, isStranger)) &&
    provesDialog(relay.tags, token, exchange.callId, exchange.toTag)
  )
    return { token, side: "called" };
  return undefined;
}

/** True where a reload took away the trunk of the place that the call went to: it goes on there. */
function isRetired({ target }: DialogToken, { address }: RequestInHand, isStranger: boolean): boolean {
  return isStranger && readTarget(target).address === address;
}

/**
 * Where a request of a dialog goes. The core's own Route and Request-URI count; where they name nothing that we reach (a Contact
 * behind NAT, a host name), and from everybody else, the token's: the place the policy chose for the INVITE, or the one it came from.
 */
function targetInDialog(
  relay: Relay,
  source: TrunkPolicy | undefined,
  exchange: RequestInHand,
  proof: Proof | undefined,
  onward: Onward,
): Target | undefined {
  const { listener } = exchange;
  const routed = source?.trunk.side === "core" ? routedTarget(relay, listener, onward) : undefined;
  if (proof === undefined) return routed;
  const other = readTarget(proof.side === "caller" ? proof.token.target : proof.token.source);
  if (routed !== undefined) return byConnectionOf(routed, other);
  if (isKnown(relay, listener, other)) return other;
  return source === undefined ? undefined : relay.hops.choose(source.trunk, exchange.callId);
}

/** True: let it pass. False: it has been answered. */
function isAllowed(relay: Relay, source: TrunkPolicy, exchange: RequestInHand, proof: Proof): boolean {
  const { message } = relay;
  const { trunk } = source;
  if (message.method === "INVITE" || message.method === "UPDATE")
    return isChangeAllowed(relay, source, exchange, proof);
  if (carriageOf(trunk.methods, message.method) === "screen") {
    return isEventCarried(relay, trunk, exchange) && isChangeAllowed(relay, source, exchange, proof);
  }
  if (!isIsupAllowed(relay, source, exchange, proof)) return false;
  if (isHiddenCaller(proof)) applyChanges(message, relay.edits, withheld);
  return true;
}
