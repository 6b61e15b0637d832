// A request inside a dialog: proved by our token, judged where it names another caller, sent to the other side.
import { NO_CALL, type CallSlot } from "../../calls/calls.ts";
import type { Action, CallRef } from "../../domain/call.ts";
import type { Decision } from "../../domain/decision.ts";
import { carriageOf, ordinaryMethods } from "../../domain/method.ts";
import type { Millis } from "../../domain/time.ts";
import { countProtocolError } from "../../observe/counters.ts";
import type { Target } from "../../routing/listener.ts";
import { readMessageCause } from "../../sip/fields/reason.ts";
import { bytesOf } from "../../sip/message.ts";
import { followRoutes, type Onward } from "../../routing/route.ts";
import type { DialogToken, Proof } from "../memory/dialog-proof.ts";
import { parseToken, provesDialog, readTarget } from "../memory/dialog-token.ts";
import { applyChanges, withheld } from "../messages/message-changes.ts";
import { slotOf } from "../sending/call-mark.ts";
import { actionOf, forward, isHairpin, isKnown, routedTarget, type SendStatus } from "../sending/forward.ts";
import { answer, answerError, noTarget, refuseMethod, refuseRequest } from "../turn/answers.ts";
import { byConnectionOf } from "../turn/peer-port.ts";
import { isOfCore, isOfTrunk, senderOf, type RequestTurn, type TrunkTurn } from "../turn/turn.ts";
import { decideBody } from "./body-in-dialog.ts";
import { decideChange, isHiddenCaller } from "./caller-change.ts";
import { isAnswered, passes, type ChangeDecided } from "./change-decided.ts";
import { noteTarget, takeAfterRelease } from "./released-dialog.ts";
import { isChange, isStoppedChange } from "./stopped-line.ts";
import { isEventCarried, refuseEvent } from "./out-of-dialog.ts";
import { decideIsup } from "./sip-i-in-dialog.ts";

/**
 * The time for which a filter accepts tokens of 0.1.0 after its start. They belong to calls that began before an
 * upgrade.
 */
const FORMER_ACCEPTED: Millis = 24 * 3_600_000;

/**
 * Handles a request inside a dialog. It passes when our token proves the dialog and the request comes from one of its
 * two trunks. The core needs no token.
 */
export function inDialog(turn: RequestTurn): void {
  const { message, source } = turn;
  const proof = proveDialog(turn);
  if (proof !== undefined && takeAfterRelease(turn, proof)) return;
  if (!isOfCore(turn)) {
    if (proof === undefined) {
      refuseRequest(turn, { reason: "dialog-unknown", facts: { fault: whyUnproved(turn) } });
      return;
    }
    const carriage = carriageOf(source?.trunk.methods ?? ordinaryMethods, message.method);
    // A REGISTER belongs to no dialog (RFC 3261 section 10.2).
    if (carriage === "refuse" || message.method === "REGISTER") {
      refuseMethod(turn, refOf(turn, proof));
      return;
    }
    const change = isOfTrunk(turn) ? decideInDialog(turn, proof) : passes;
    if (change.passes) sendOn(turn, proof, change.decision);
    else if (change.decision !== undefined && change.action !== undefined)
      tellChange(turn, proof, change.decision, change.action);
    return;
  }
  // Nobody judges the core, but it may not keep a call of a stopped line alive either.
  if (proof !== undefined && isOfTrunk(turn) && isStoppedChange(turn, proof)) {
    const { decision, action } = decideChange(turn, proof);
    if (decision !== undefined && action !== undefined) tellChange(turn, proof, decision, action);
    return;
  }
  sendOn(turn, proof, undefined);
}

/**
 * Sends the request on.
 *
 * @param decision is reported together with what was done
 */
function sendOn(turn: RequestTurn, proof: Proof | undefined, decision: Decision | undefined): void {
  const onward = followRoutes(turn.message, turn.routes, turn.edits);
  const target = targetInDialog(turn, proof, onward);
  if (target === undefined) {
    if (decision === undefined) answerError(turn, noTarget);
    else answerNoTarget(turn, proof, decision);
    return;
  }
  if (proof === undefined && isHairpin(turn, target)) {
    refuseRequest(turn, { reason: "routing-refused", facts: { route: target.address } });
    return;
  }
  const status = sendTo(turn, target, proof);
  if (decision !== undefined) tellChange(turn, proof, decision, actionOf(target, status));
}

/** Answers a request that was accepted and that no next hop can take. What was decided is told with it. */
function answerNoTarget(turn: RequestTurn, proof: Proof | undefined, decision: Decision): void {
  const { status } = noTarget;
  countProtocolError(turn.proxy.counters, senderOf(turn), status);
  answer(turn, status, "");
  tellChange(turn, proof, decision, { kind: "answered", status, why: "no-next-hop" });
}

function sendTo(turn: RequestTurn, target: Target, proof: Proof | undefined): SendStatus {
  // An ACK adds nothing to what the answer to its INVITE has shown.
  const slot = proof === undefined || turn.message.method === "ACK" ? NO_CALL : callOf(turn, proof);
  if (slot === NO_CALL || proof === undefined) {
    if (proof !== undefined && turn.message.method === "BYE") tellLeft(turn, proof);
    return forward(turn, target);
  }
  noteRequest(turn, slot, proof);
  return forward(turn, target, answerMatters(turn) ? { slot, isWithin: true } : undefined);
}

/** Tells the other nodes of a BYE whose call has no row here: one of them may carry it. */
function tellLeft({ proxy: { sharing, callTags } }: RequestTurn, { token, side }: Proof): void {
  const read = sharing === undefined ? undefined : callTags.read(token.call ?? "", "");
  if (read?.isKnownNode === true) sharing?.left(read.name, side);
}

/**
 * True when the answer will show something about the call: that it was refreshed (RFC 4028), or that a BYE was
 * accepted.
 */
function answerMatters({ message: { method } }: RequestTurn): boolean {
  return method === "BYE" || method === "INVITE" || method === "UPDATE";
}

/** Returns the call of the dialog, as long as the call has a row here. */
function callOf({ proxy }: RequestTurn, { token }: Proof): CallSlot {
  return token.call === undefined || token.call === ""
    ? NO_CALL
    : slotOf(proxy.callTags, proxy.calls, token.call, "");
}

function refOf(turn: RequestTurn, proof: Proof | undefined): CallRef | undefined {
  const slot = proof === undefined ? NO_CALL : callOf(turn, proof);
  return slot === NO_CALL ? undefined : turn.proxy.calls.refOf(slot);
}

/** Notes a request of the dialog. It proves that the call is still in progress; a BYE ends the call. */
function noteRequest(turn: RequestTurn, slot: CallSlot, { side }: Proof): void {
  const { proxy, message, now, request } = turn;
  proxy.calls.noteSequence(slot, side, message.cseq);
  if (message.method !== "BYE") {
    proxy.calls.seen(slot, now);
    if (isChange(message.method)) noteTarget(turn, slot, side);
    return;
  }
  const calledTag = side === "caller" ? request.toTag : request.fromTag;
  const cause = readMessageCause(message);
  proxy.calls.leaving(slot, calledTag, side, cause, now);
}

function tellChange(turn: RequestTurn, proof: Proof | undefined, decision: Decision, action: Action): void {
  const { proxy, message, at } = turn;
  proxy.tell({
    kind: "request",
    call: refOf(turn, proof),
    trunk: senderOf(turn),
    method: message.method,
    at,
    reason: decision.verdict.reason,
    decision,
    action,
    bytes: bytesOf(message),
  });
}

function refuseEventInDialog(turn: TrunkTurn, proof: Proof): ChangeDecided {
  refuseEvent(turn, refOf(turn, proof));
  return isAnswered;
}

/** Returns the dialog that the token proves for this request. Undefined when there is no proof. */
function proveDialog(turn: RequestTurn): Proof | undefined {
  const { proxy, routes, request } = turn;
  const token = routes.token === undefined ? undefined : parseToken(routes.token);
  if (token === undefined) return undefined;
  if (token.call === undefined && turn.now - proxy.begunAt >= FORMER_ACCEPTED) return undefined;
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

/** Tells in words why {@link proveDialog} found no proof. */
function whyUnproved({ routes }: RequestTurn): string {
  return routes.token === undefined
    ? "it has no Route of ours"
    : "its Route of ours is that of another peer, Call-ID or tag";
}

/** True where a reload removed the trunk of the place that the call went to. The call goes on at that place. */
function isRetired({ source, request }: RequestTurn, { target }: DialogToken): boolean {
  return source === undefined && readTarget(target).address === request.address;
}

/**
 * Returns where a request of a dialog goes. For the core, its own Route and Request-URI count, unless they name nothing
 * that we reach (a Contact behind NAT, a host name). Otherwise, and for every other sender, the token gives the target.
 * That is the place that the policy chose for the INVITE, or the place that the INVITE came from.
 */
function targetInDialog(turn: RequestTurn, proof: Proof | undefined, onward: Onward): Target | undefined {
  const { proxy, source, request } = turn;
  const routed = isOfCore(turn) ? routedTarget(turn, onward) : undefined;
  if (proof === undefined) return routed;
  const other = readTarget(proof.side === "caller" ? proof.token.target : proof.token.source);
  if (routed !== undefined && !isHairpin(turn, routed)) return byConnectionOf(routed, other);
  if (isKnown(turn, other)) return other;
  return source === undefined ? undefined : proxy.hops.choose(source.trunk, request.callId);
}

function decideInDialog(turn: TrunkTurn, proof: Proof): ChangeDecided {
  // An emergency call passes with any body, and so do its requests.
  const body = proof.token.accepted === "emergency" ? passes : decideBody(turn);
  if (!body.passes) return body;
  const change = decideCaller(turn, proof);
  return change.passes && change.decision === undefined ? body : change;
}

function decideCaller(turn: TrunkTurn, proof: Proof): ChangeDecided {
  const { message, edits, source } = turn;
  if (isChange(message.method)) return decideChange(turn, proof);
  if (carriageOf(source.trunk.methods, message.method) === "screen")
    return isEventCarried(turn) ? decideChange(turn, proof) : refuseEventInDialog(turn, proof);
  const decided = decideIsup(turn, proof);
  if (decided.passes && isHiddenCaller(proof)) applyChanges(message, edits, withheld);
  return decided;
}
