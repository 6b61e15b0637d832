// A request inside a dialog: proved by our token, judged where it names another caller, sent to the other side.
import { carriageOf, ordinaryMethods } from "../../domain/method.ts";
import type { Target } from "../../routing/listener.ts";
import { followRoutes, type Onward } from "../../routing/route.ts";
import {
  parseToken,
  provesDialog,
  readTarget,
  type DialogToken,
  type Proof,
} from "../memory/dialog-token.ts";
import { applyChanges, withheld } from "../messages/message-changes.ts";
import { forward, isKnown, routedTarget } from "../sending/forward.ts";
import { answerError, refuseMethod, refuseRequest } from "../turn/answers.ts";
import { byConnectionOf } from "../turn/peer-port.ts";
import { isOfCore, isOfTrunk, senderOf, type RequestTurn, type TrunkTurn } from "../turn/turn.ts";
import { isChangeAllowed, isHiddenCaller } from "./caller-change.ts";
import { isEventCarried } from "./out-of-dialog.ts";
import { isIsupAllowed } from "./sip-i-in-dialog.ts";

/** A request inside a dialog passes when our token proves the dialog and the request comes from one of its two trunks. The core is trusted without. */
export function inDialog(turn: RequestTurn): void {
  const { message, source } = turn;
  const proof = proveDialog(turn);
  if (!isOfCore(turn)) {
    if (proof === undefined) {
      refuseRequest(turn, "dialog-unknown");
      return;
    }
    const carriage = carriageOf(source?.trunk.methods ?? ordinaryMethods, message.method);
    // A registration is nobody's dialog (RFC 3261 section 10.2).
    if (carriage === "refuse" || message.method === "REGISTER") {
      refuseMethod(turn);
      return;
    }
    if (isOfTrunk(turn) && !isAllowed(turn, proof)) return;
  }
  const onward = followRoutes(message, turn.routes, turn.edits);
  const target = targetInDialog(turn, proof, onward);
  if (target === undefined) answerError(turn, 404);
  else forward(turn, target);
}

/** The dialog that the token proves for this request; undefined when nothing does. */
function proveDialog(turn: RequestTurn): Proof | undefined {
  const { proxy, routes, request } = turn;
  const token = routes.token === undefined ? undefined : parseToken(routes.token);
  if (token === undefined) return undefined;
  const isCore = isOfCore(turn);
  const sender = proxy.tagOfTrunk(senderOf(turn));
  const { callId, fromTag, toTag } = request;
  if ((isCore || token.ingress === sender) && provesDialog(proxy.tags, token, callId, fromTag))
    return { token, side: "caller" };
  if (
    (isCore || token.egress === sender || isRetired(turn, token)) &&
    provesDialog(proxy.tags, token, callId, toTag)
  )
    return { token, side: "called" };
  return undefined;
}

/** True where a reload took away the trunk of the place that the call went to: it goes on there. */
function isRetired({ source, request }: RequestTurn, { target }: DialogToken): boolean {
  return source === undefined && readTarget(target).address === request.address;
}

/**
 * Where a request of a dialog goes. The core's own Route and Request-URI count; where they name nothing that we reach (a Contact
 * behind NAT, a host name), and from everybody else, the token's: the place the policy chose for the INVITE, or the one it came from.
 */
function targetInDialog(turn: RequestTurn, proof: Proof | undefined, onward: Onward): Target | undefined {
  const { proxy, source, request } = turn;
  const routed = isOfCore(turn) ? routedTarget(turn, onward) : undefined;
  if (proof === undefined) return routed;
  const other = readTarget(proof.side === "caller" ? proof.token.target : proof.token.source);
  if (routed !== undefined) return byConnectionOf(routed, other);
  if (isKnown(turn, other)) return other;
  return source === undefined ? undefined : proxy.hops.choose(source.trunk, request.callId);
}

/** True: let it pass. False: it has been answered. */
function isAllowed(turn: TrunkTurn, proof: Proof): boolean {
  const { message, edits, source } = turn;
  if (message.method === "INVITE" || message.method === "UPDATE") return isChangeAllowed(turn, proof);
  if (carriageOf(source.trunk.methods, message.method) === "screen")
    return isEventCarried(turn) && isChangeAllowed(turn, proof);
  if (!isIsupAllowed(turn, proof)) return false;
  if (isHiddenCaller(proof)) applyChanges(message, edits, withheld);
  return true;
}
