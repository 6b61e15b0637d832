// A request that neither begins a call nor stands in a dialog: what becomes of it is the trunk's `methods`.
import type { CallRef } from "../../domain/call.ts";
import { carriageOf, namedMethods } from "../../domain/method.ts";
import { statusOf } from "../../domain/reason.ts";
import { factsOfRoute } from "../../judging/sip-calls.ts";
import { isOwn } from "../../routing/own-places.ts";
import { discardRoutes, followRoutes, foreignRoute } from "../../routing/route.ts";
import { readEventPackage } from "../../sip/attempt/request-identity.ts";
import { ledgerKey } from "../memory/ledger.ts";
import { forward, isHairpin, targetOf } from "../sending/forward.ts";
import { answer, answerError, noTarget, refuseMethod, refuseRequest, retryAfter } from "../turn/answers.ts";
import { isOfTrunk, type RequestTurn, type TrunkTurn } from "../turn/turn.ts";
import { newCall } from "./new-call.ts";

/**
 * Handles a request that neither begins a call nor belongs to a dialog. The trunk's `methods` decide about it. The core
 * may send any such request on.
 */
export function outOfDialog(turn: RequestTurn): void {
  const { proxy, policy, routes } = turn;
  if (!isOfTrunk(turn)) {
    proxy.counters.unknownSource++;
    return;
  }
  const { trunk } = turn.source;
  const { method, maxForwards } = turn.message;
  const carriage = carriageOf(trunk.methods, method);
  // An OPTIONS to the filter itself shows nothing about the systems behind it (RFC 3261 section 11).
  const isForUs = isOwn(proxy.own, routes.uri, trunk.ownNames) && (routes.uri.user ?? "") === "";
  if (method === "OPTIONS" && proxy.overload.isDraining)
    answer(turn, statusOf("overload"), retryAfter(policy));
  else if (method === "OPTIONS" && (carriage === "answer" || maxForwards === 0 || isForUs))
    answer(turn, 200, `Allow: ${trunk.methods.allow}\r\nAccept: application/sdp\r\n`);
  else if (trunk.side === "core" || carriage === "pass") sendOn(turn);
  else if (carriage === "dialog")
    refuseRequest(turn, {
      reason: "dialog-unknown",
      facts: { fault: "it belongs in a dialog and has no To tag" },
    });
  else if (wasJudged(turn)) newCall(turn);
  else if (carriage === "screen") {
    if (isEventCarried(turn)) newCall(turn);
    else refuseEvent(turn);
  } else if (isForUs && !namedMethods.includes(method)) refuseUnknown(turn);
  else refuseMethod(turn);
}

/** True for a repeat. It gets the answer of the first request, whatever the policy carries by now. */
function wasJudged({ proxy, now, message, source, request }: TrunkTurn): boolean {
  return proxy.ledger.get(ledgerKey(source.trunk.id, request, message.cseq), now) !== undefined;
}

/** Refuses a method that we, as a UAS, do not know, whoever sends it (RFC 3261 section 21.5.2). */
function refuseUnknown(turn: TrunkTurn): void {
  refuseRequest(turn, {
    reason: "method-not-allowed",
    status: 501,
    facts: { fault: `${turn.message.method} is unknown` },
    extra: `Allow: ${turn.source.trunk.methods.allow}\r\n`,
  });
}

function sendOn(turn: TrunkTurn): void {
  const { message, routes, edits, source } = turn;
  const isCore = source.trunk.side === "core";
  if (!isCore && foreignRoute(routes) !== undefined) {
    refuseRequest(turn, { reason: "routing-refused", facts: factsOfRoute(routes) });
    return;
  }
  const onward = (isCore ? followRoutes : discardRoutes)(message, routes, edits);
  const target = targetOf(turn, onward);
  if (target === undefined) answerError(turn, noTarget);
  else if (isHairpin(turn, target))
    refuseRequest(turn, { reason: "routing-refused", facts: { route: target.address } });
  else forward(turn, target);
}

/** True for a method without events, and for an event package that the trunk may use. */
export function isEventCarried({ message, source }: TrunkTurn): boolean {
  const packages = source.trunk.methods.events.get(message.method);
  if (packages === undefined) return true;
  const asked = readEventPackage(message);
  return asked !== undefined && packages.has(asked);
}

/** Answers 489 to an event package that the trunk may not use (RFC 6665 section 4.2.1.1). */
export function refuseEvent(turn: TrunkTurn, call?: CallRef): void {
  const { message, source } = turn;
  const packages = source.trunk.methods.events.get(message.method) ?? [];
  const asked = readEventPackage(message);
  refuseRequest(turn, {
    reason: "method-not-allowed",
    status: 489,
    facts: {
      fault: asked === undefined ? "it names no single event package" : `event package ${asked}`,
    },
    extra: `Allow-Events: ${[...packages].join(", ")}\r\n`,
    call,
  });
}
