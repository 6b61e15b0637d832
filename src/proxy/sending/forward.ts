// Sends a request on: chooses its target, writes our Via and Record-Route, and renders it.
import { NO_CALL, type CallSlot } from "../../calls/calls.ts";
import type { CallAttempt } from "../../domain/attempt.ts";
import type { Action, HopId } from "../../domain/call.ts";
import type { AssertedIdentity } from "../../domain/identity.ts";
import type { PartyNumber } from "../../domain/number.ts";
import type { ReasonCode } from "../../domain/reason.ts";
import { NEXT_HOP, type Trunk } from "../../domain/trunk.ts";
import { defaultPort, hopIdOf, type Listener, type Target } from "../../routing/listener.ts";
import type { Destination } from "../../routing/hop-health.ts";
import {
  branchFields,
  hopPort,
  pathOf,
  spliceVia,
  type RequestInHand,
} from "../../routing/request-in-hand.ts";
import { isOwn } from "../../routing/own-places.ts";
import { literalTarget, type Onward } from "../../routing/route.ts";
import { isPassedOver } from "../../screening/identities.ts";
import { readToNumbers } from "../../sip/attempt/called.ts";
import { decrementMaxForwards, ensureContentLength, render, spliceWritten } from "../../sip/edit.ts";
import { Header } from "../../sip/header.ts";
import { putOctets, putText } from "../../sip/octet-pen.ts";
import { formatBranch } from "../../sip/tag.ts";
import type { Acceptance } from "../memory/dialog-proof.ts";
import { putToken } from "../memory/dialog-token.ts";
import type { CallingParties } from "../memory/named-parties.ts";
import { applyChanges, type MessageChanges } from "../messages/message-changes.ts";
import { answer } from "../turn/answers.ts";
import { mostOctets } from "../turn/output.ts";
import { egressOf, isHop, portTowards, trunkAt } from "../turn/peer-port.ts";
import type { RequestTurn, TrunkTurn } from "../turn/turn.ts";
import { putPlaceParam } from "./asked-place.ts";
import { markOf, type MarkedCall } from "./call-mark.ts";
import { bridgeRequest } from "./stream-to-datagram.ts";

/**
 * True where the policy alone chooses the target, and nothing in the message does: for every trunk but the core, and for
 * a request of the core that names no other target than the filter. A tel URI or urn names none. A host name behind our
 * own Route counts as none, for nobody resolves it here.
 */
export function isByPolicy({ proxy, source, routes }: TrunkTurn, { next, uri }: Onward): boolean {
  if (source.trunk.side !== "core") return true;
  if (next !== undefined) return false;
  if (uri.host === "") return true;
  return isOwn(proxy.own, uri, source.trunk.ownNames) || (routes.own > 0 && literalTarget(uri) === undefined);
}

/** Returns the target of a request that has no token. */
export function targetOf(turn: TrunkTurn, onward: Onward): Target | undefined {
  const { proxy, source, request } = turn;
  return isByPolicy(turn, onward)
    ? bySize(turn, source.trunk, proxy.hops.choose(source.trunk, request.callId))
    : routedTarget(turn, onward);
}

/**
 * Returns a target that does not depend on which next hops are up. ACK and CANCEL go there when nobody remembers their
 * INVITE (RFC 3261 section 16.11).
 */
export function steadyTargetOf(turn: TrunkTurn, onward: Onward): Target | undefined {
  const { proxy, source, request } = turn;
  const target = isByPolicy(turn, onward)
    ? proxy.hops.preferred(source.trunk, request.callId)
    : routedTarget(turn, onward);
  return target === undefined || isHairpin(turn, target) ? undefined : target;
}

/**
 * True where a request of the core would go back to the core, to the sender or to another part of it. Nobody judges it,
 * and who forges the address of the core would ring every phone behind it. No call of the core needs the filter for that.
 */
export function isHairpin(turn: RequestTurn, target: Target): boolean {
  if (turn.source?.trunk.side !== "core") return false;
  const { address, port } = turn.request;
  if (target.address === address && target.port === port) return true;
  const egress = egressOf(turn, target);
  return egress !== undefined && trunkAt(turn, egress, target)?.trunk.side === "core";
}

/** Octets that our Via and Record-Route add to a request, approximately. */
const ADDED = 300;

/**
 * Sends a request that is too large for one packet by TCP, where the trunk says that its next hops accept TCP (RFC 3261
 * section 18.1.1).
 */
function bySize(turn: RequestTurn, { tcpAbove }: Trunk, target: Target | undefined): Target | undefined {
  if (tcpAbove === undefined || target === undefined || target.transport !== "udp") return target;
  const { start, end } = turn.message;
  if (end - start + ADDED <= tcpAbove) return target;
  return byTcp(turn, target) ?? target;
}

/** Returns the same place by TCP, where there is a listener for it. */
function byTcp(turn: RequestTurn, { address, port }: Target): Target | undefined {
  const stream = { transport: "tcp", address, port } as const;
  return egressOf(turn, stream) === undefined ? undefined : stream;
}

/**
 * Returns the targets of an ACK or CANCEL whose INVITE nobody remembers. The INVITE may have gone by UDP or, for its
 * size, by TCP, so the request goes by both. A copy whose INVITE the next hop does not know does no harm.
 */
export function eitherTransport(turn: RequestTurn, target: Target): readonly Target[] {
  const stream = target.transport === "udp" ? byTcp(turn, target) : undefined;
  return stream === undefined ? [target] : [target, stream];
}

/** Returns the target that Route or Request-URI names: an address of a trunk or next hop, never our own. */
export function routedTarget(turn: RequestTurn, onward: Onward): Target | undefined {
  const uri = onward.next ?? onward.uri;
  const target = literalTarget(uri);
  if (target === undefined || isOwn(turn.proxy.own, uri, turn.source?.trunk.ownNames)) return undefined;
  return isKnown(turn, target) ? target : undefined;
}

/** True for an address of a trunk or next hop. Answers from there are accepted. */
export function isKnown(turn: RequestTurn, target: Target): boolean {
  const { proxy } = turn;
  const listener = egressOf(turn, target);
  if (listener === undefined) return false;
  const { address, port } = target;
  return trunkAt(turn, listener, target) !== undefined || isHop(proxy, { listener, address, port });
}

/** A request that was judged and is sent on. */
export interface JudgedRequest {
  /** The call that it begins. {@link NO_CALL}: it begins none, or the call has no row. */
  readonly slot: CallSlot;
  readonly attempt: CallAttempt;
  readonly reason: ReasonCode;
  readonly changes: MessageChanges | undefined;
}

const NO_NUMBERS: readonly PartyNumber[] = [];
const NO_IDENTITIES: readonly AssertedIdentity[] = [];
const NOBODY: CallingParties = { counted: NO_IDENTITIES, passedOver: NO_IDENTITIES };

/**
 * Forwards an INVITE that begins a call, or another request that was judged. It carries our Record-Route, so that later
 * requests of its dialog come through the filter and prove the dialog.
 *
 * @returns 0: it went on; else the status of our answer
 */
export function forwardCall(turn: RequestTurn, target: Target, judged: JudgedRequest): SendStatus {
  const { message, edits, request } = turn;
  const { listener } = request;
  const egress = egressOf(turn, target);
  if (egress === undefined) return unsendable(turn, 503);
  if (judged.changes !== undefined) applyChanges(message, edits, judged.changes);
  const first = message.first[Header.recordRoute]!;
  const at = first < 0 ? message.headersStart : message.lineStart[first]!;
  const { pen } = edits;
  const begun = pen.at;
  putText(pen, RECORD_ROUTE);
  putText(pen, egress.route);
  const token = pen.at;
  putTokenFor(turn, egress, target, judged);
  const tokenEnd = pen.at;
  putText(pen, ROUTE_END);
  // Where the two sides differ, each sees the address that it can reach. The called side's value is on top (RFC 5658).
  if (egress !== listener) {
    putText(pen, RECORD_ROUTE);
    putText(pen, listener.route);
    putOctets(pen, pen.bytes, token, tokenEnd);
    putText(pen, ROUTE_END);
  }
  spliceWritten(edits, at, at, begun);
  return forward(turn, target, { slot: judged.slot, isWithin: false });
}

/** 0: the request went on. Any other value is the status of our answer to a request that can't be sent. */
export type SendStatus = 0 | 503 | 513;

/** The id of a target. A next hop of the policy has it already. */
function hopKeyOf(target: Target | Destination): HopId {
  return "key" in target ? target.key : hopIdOf(target);
}

/** Returns what was done with a request that was to go to `target`. */
export function actionOf(target: Target, status: SendStatus): Action {
  if (status === 0) return { kind: "forwarded", hop: hopKeyOf(target) };
  return { kind: "answered", status, why: "no-next-hop" };
}

/** Answers a request that can't be sent, so that its sender tries elsewhere. */
function unsendable(turn: RequestTurn, status: 503 | 513): SendStatus {
  turn.proxy.counters.unsendable++;
  answer(turn, status, "");
  return status;
}

function putTokenFor(turn: RequestTurn, egress: Listener, target: Target, judged: JudgedRequest): void {
  const { proxy, message, edits, request } = turn;
  const { slot, attempt, reason } = judged;
  const called = trunkAt(turn, egress, target)?.trunk;
  const isScreened = called !== undefined && called.side !== "core";
  const isJudged = attempt.trunk.side !== "core";
  const parts = {
    // A call without a row has no name: the table was full.
    call: slot === NO_CALL ? "" : proxy.callTags.writeHex(proxy.calls.nameOf(slot)),
    ingress: proxy.tagOfTrunk(attempt.trunk.id),
    egress: proxy.tagOfTrunk(called?.id ?? NEXT_HOP),
    called: isScreened ? [attempt.called, ...readToNumbers(message, called.dialPlan)] : NO_NUMBERS,
    calling: isJudged ? callingOf(attempt, reason) : NOBODY,
    diverting: isJudged ? attempt.diversion : NO_IDENTITIES,
    accepted: acceptanceOf(judged),
    reason,
    source: sourceOf(request),
    target,
  };
  putToken(edits.pen, proxy.tags, parts, attempt, request.fromTag);
}

/** Nobody of an emergency call was authenticated, so there is nothing to tell apart. */
function callingOf(attempt: CallAttempt, reason: ReasonCode): CallingParties {
  const { calling, trunk } = attempt;
  if (trunk.identity === "all" || reason === "emergency")
    return { counted: calling, passedOver: NO_IDENTITIES };
  const counted: AssertedIdentity[] = [];
  const passedOver: AssertedIdentity[] = [];
  for (const identity of calling) (isPassedOver(attempt, identity) ? passedOver : counted).push(identity);
  return { counted, passedOver };
}

function acceptanceOf({ reason, changes }: JudgedRequest): Acceptance {
  if (reason === "emergency") return "emergency";
  if (changes === undefined) return "judged";
  if (changes.isWithheld) return "withheld";
  return changes.label === "" ? "judged" : "labelled";
}

/** Returns where requests to the caller's side go. */
function sourceOf({
  listener: { transport, isReliable },
  address,
  port,
  replyPort,
  via,
}: RequestInHand): Target {
  if (!isReliable) return { transport, address, port: replyPort };
  return { transport, address, port: via.port || defaultPort(transport), connection: port };
}

const RECORD_ROUTE = "Record-Route: ";
const ROUTE_END = ">\r\n";

/** The beginning of our branches, by the index of the listener. */
const BRANCH_HEADS: readonly string[] = Array.from({ length: 36 }, (_, index) => formatBranch(index, ""));

/**
 * Writes our Via. Behind the branch stand the mark and the place that was asked. ACK and CANCEL have those of their
 * INVITE (RFC 3261 sections 9.1, 17.1.1.3); where nobody remembers it, the branch alone.
 */
function putVia(turn: RequestTurn, egress: Listener, target: Target, mac: string, mark: string): void {
  const { message, edits, request } = turn;
  const { method } = message;
  const { pen } = edits;
  putText(pen, "Via: ");
  putText(pen, egress.via);
  putText(pen, BRANCH_HEADS[request.listener.index]!);
  putText(pen, mac);
  const follows = method === "ACK" || method === "CANCEL";
  if (!follows || mark !== "") {
    putText(pen, mark);
    putPlaceParam(pen, target);
  }
  putText(pen, "\r\n");
}

/**
 * Sends the request on with our Via on top. Everything that is not in `edits` stays as it came (RFC 3261 sections 16.6,
 * 16.11).
 *
 * @param call the call that it belongs to, where that is known
 * @returns 0: it went on; else the status of our answer
 */
export function forward(turn: RequestTurn, target: Target, call?: MarkedCall): SendStatus {
  const { proxy, message, edits, request } = turn;
  const { listener } = request;
  const egress = egressOf(turn, target);
  if (egress === undefined) return unsendable(turn, 503);
  // Neither the method nor the To tag enters the branch: ACK and CANCEL carry the branch of their INVITE.
  const index = message.first[Header.via]!;
  const line = message.lineStart[index]!;
  const fields = branchFields(pathOf(request), target.address, hopPort(egress, target.port), listener.bound);
  const mac = proxy.tags.mac("branch", fields);
  const begun = edits.pen.at;
  putVia(turn, egress, target, mac, markOf(proxy, call, mac));
  spliceWritten(edits, line, line, begun);
  spliceVia(request, edits);
  decrementMaxForwards(message, edits);
  if (egress.isReliable) ensureContentLength(message, edits);
  const length = render(message, edits, proxy.output.bufferFor(egress), mostOctets(egress));
  if (length < 0) return unsendable(turn, 513);
  proxy.counters.forwarded++;
  const port = portTowards(proxy, egress, target);
  if (egress.isReliable === listener.isReliable) proxy.output.transmit(egress, target.address, port, length);
  else {
    const branch = formatBranch(listener.index, mac);
    bridgeRequest(turn, { listener: egress, address: target.address, port, branch }, length);
  }
  return 0;
}
