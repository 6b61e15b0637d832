// ACK of a refusal, and CANCEL: both follow the INVITE whose branch they carry.
import type { TrunkPolicy } from "../../policy/policy.ts";
import { factsOfRoute, misroutedCall } from "../../judging/sip-calls.ts";
import { countProtocolError, countStray } from "../../observe/counters.ts";
import { discardRoutes, followRoutes, foreignRoute } from "../../routing/route.ts";
import { claimsIsup } from "../../sip/bodies/body.ts";
import { findUnreadBody } from "../../sip/bodies/unread-body.ts";
import type { CallSetup } from "../memory/call-setup.ts";
import { ledgerKey, type Outcome } from "../memory/ledger.ts";
import { applyChanges, withheld } from "../messages/message-changes.ts";
import { callOf, followCall, isWithheldIn, sendToAll, setupOf } from "../sending/failover.ts";
import { eitherTransport, forward, steadyTargetOf } from "../sending/forward.ts";
import { acknowledged } from "../sending/stream-to-datagram.ts";
import { answer, hasOwnTag, refuseRequest } from "../turn/answers.ts";
import { attemptOf } from "../turn/request-attempt.ts";
import { isOfCore, isOfTrunk, senderOf, type RequestTurn } from "../turn/turn.ts";
import { inDialog } from "./in-dialog.ts";

/**
 * Strays of a trunk without a limit of calls that go on in a second, and those of a trunk with a low one. Strays of the
 * core are not bounded.
 */
const USUAL_STRAYS = 500;
const LEAST_STRAYS = 50;

/**
 * Handles the ACK of a refusal, and CANCEL. Both follow the INVITE whose branch they carry (RFC 3261 sections 9.1,
 * 17.1.1.3).
 */
export function hopByHop(turn: RequestTurn): void {
  const { proxy, message, now, routes, source } = turn;
  if (message.method === "ACK" && hasOwnTag(turn)) {
    acknowledged(turn);
    return;
  }
  const key = ledgerKey(senderOf(turn), turn.request, message.cseq);
  if (message.method === "CANCEL" && proxy.held.has(key)) {
    // The call has no final answer yet: its refusal follows (RFC 3261 section 9.2).
    answer(turn, 200, "");
    return;
  }
  const setup = setupOf(turn, key);
  const outcome = setup?.outcome ?? changeBefore(turn, key);
  if (outcome !== undefined && outcome.kind !== "forward") return;
  if (setup === undefined) {
    // A request without To tag follows an INVITE that begins a call: no dialog is there yet that a token could prove.
    if ((routes.token !== undefined && turn.request.toTag !== "") || source === undefined) {
      inDialog(turn);
      return;
    }
    // A trunk that redirects has no INVITE that was sent on. The only exceptions are INVITEs that were sent on before
    // it began to redirect.
    if (source.trunk.mode === "redirect") {
      countStray(proxy.counters, source.trunk.id, message.method, false);
      return;
    }
  }
  if (isMisrouted(turn)) {
    const call = setup === undefined ? undefined : proxy.calls.refOf(setup.slot);
    refuseRequest(turn, { reason: "routing-refused", facts: factsOfRoute(turn.routes), call });
    return;
  }
  if (setup === undefined && source !== undefined && !takeStray(turn, source)) return;
  if (setup !== undefined && message.method === "CANCEL") proxy.calls.cancelled(setup.slot, now);
  if (setup?.sent === undefined) followInvite(turn, setup);
  else followCall(turn, setup.sent);
}

/** True for a Route with which the INVITE did not pass. Only emergency calls pass with a Route of the peer's choice. */
function isMisrouted(turn: RequestTurn): boolean {
  if (isOfCore(turn) || foreignRoute(turn.routes) === undefined) return false;
  return !isOfTrunk(turn) || misroutedCall(turn) !== undefined;
}

/**
 * Returns true when an ACK or CANCEL that belongs to nothing that we remember may go on. After a restart, and from
 * another node, such requests are honest and end calls. They come at most as often as calls do,
 * and name no caller.
 */
function takeStray(turn: RequestTurn, { trunk }: TrunkPolicy): boolean {
  const { proxy, message, now } = turn;
  const { strayRate, counters } = proxy;
  const { callsPerSecond, attemptsPerSecond } = trunk.limits;
  const rate = Math.max(callsPerSecond ?? attemptsPerSecond ?? USUAL_STRAYS, LEAST_STRAYS);
  const isPassed =
    trunk.side === "core" || (!mayNameCaller(turn) && strayRate.wait(trunk.id, rate, now) === 0);
  if (isPassed) strayRate.take(trunk.id, rate, now);
  countStray(counters, trunk.id, message.method, isPassed);
  return isPassed;
}

/**
 * True for an ACK whose body may name a caller. A stray belongs to no dialog of which the caller is known, so an ISUP part
 * of it can't be judged.
 */
function mayNameCaller(turn: RequestTurn): boolean {
  const { proxy, message } = turn;
  if (message.method !== "ACK" || message.bodyStart >= message.end) return false;
  if (!isOfTrunk(turn) || isOfCore(turn)) return false;
  if (claimsIsup(message)) return true;
  const { trunk, screen } = turn.source;
  if (findUnreadBody(message, trunk.bodies) === undefined) return false;
  const { kind } = screen.judgeBody(attemptOf(turn), proxy.state).verdict;
  return kind === "reject" || kind === "drop";
}

/** Returns what was done with the re-INVITE that the request follows. Only refused re-INVITEs are kept. */
function changeBefore({ proxy: { ledger }, now }: RequestTurn, key: string): Outcome | undefined {
  return ledger.size === 0 ? undefined : ledger.get(key, now)?.outcome;
}

/**
 * Sends the request to where its INVITE went. The target is the one that is kept for the INVITE, else the one that the
 * policy gives.
 */
function followInvite(turn: RequestTurn, setup: CallSetup | undefined): void {
  const { proxy, message, edits, routes, source } = turn;
  const isCore = isOfCore(turn);
  const onward = (isCore ? followRoutes : discardRoutes)(message, routes, edits);
  // The number of an INVITE that is not remembered may have been withheld. Peers tell transactions by the branch (RFC
  // 3261 section 17.2.3).
  const isWithheld =
    setup === undefined
      ? source?.mayWithhold === true || proxy.withheldOn.has(senderOf(turn))
      : isWithheldIn(setup);
  if (isWithheld) applyChanges(message, edits, withheld);
  // Without memory of the INVITE (after a restart, or on another node), ACK and CANCEL still go where it went. Neither
  // can begin a call.
  const kept = setup?.outcome.kind === "forward" ? setup.outcome.target : undefined;
  const target = kept ?? (isOfTrunk(turn) ? steadyTargetOf(turn, onward) : undefined);
  if (target === undefined) countProtocolError(proxy.counters, senderOf(turn), 481);
  else if (setup === undefined && !isCore && source?.trunk.tcpAbove !== undefined)
    sendToAll(turn, eitherTransport(turn, target), undefined, isWithheld);
  else forward(turn, target, callOf(setup));
}
