import type { TrunkPolicy } from "../../policy/policy.ts";
import { carriageOf, namedMethods } from "../../domain/method.ts";
import { statusOf } from "../../domain/reason.ts";
import type { Trunk } from "../../domain/trunk.ts";
import { countRefusal } from "../../observe/counters.ts";
import { readEventPackage } from "../../sip/attempt/request-identity.ts";
import type { RequestInHand } from "../../routing/request-in-hand.ts";
import { forward, targetOf } from "../sending/forward.ts";
import { ledgerKey } from "../memory/ledger.ts";
import { newCall } from "./new-call.ts";
import type { Relay } from "../turn/proxy-state.ts";
import { consumeOwn, followRoutes, foreignRoute, isOwn, type Routes } from "../../routing/route.ts";
import { answer, answerError, refuseMethod, refuseRequest, retryAfter } from "../turn/answers.ts";

/**
 * A request that neither begins a call nor stands in a dialog. What becomes of it is the trunk's `methods`; the core may send
 * anything on.
 */
export function outOfDialog(
  relay: Relay,
  source: TrunkPolicy | undefined,
  exchange: RequestInHand,
  routes: Routes,
): void {
  if (source === undefined) {
    relay.counters.unknownSource++;
    return;
  }
  const { trunk } = source;
  const { method, maxForwards } = relay.message;
  const carriage = carriageOf(trunk.methods, method);
  // RFC 3261 section 11: a ping of the filter itself says nothing of what is behind it.
  const isForUs = isOwn(relay.listeners, routes.uri) && (routes.uri.user ?? "") === "";
  if (method === "OPTIONS" && relay.overload.isDraining)
    answer(relay, exchange, statusOf("overload"), retryAfter(relay));
  else if (method === "OPTIONS" && (carriage === "answer" || maxForwards === 0 || isForUs))
    answer(relay, exchange, 200, `Allow: ${trunk.methods.allow}\r\nAccept: application/sdp\r\n`);
  else if (trunk.side === "core" || carriage === "pass") sendOn(relay, source, exchange, routes);
  else if (carriage === "dialog") refuseRequest(relay, trunk, exchange, "dialog-unknown");
  else if (wasJudged(relay, trunk, exchange)) newCall(relay, source, exchange, routes);
  else if (carriage === "screen") {
    if (isEventCarried(relay, trunk, exchange)) newCall(relay, source, exchange, routes);
  } else if (isForUs && !namedMethods.includes(method)) refuseUnknown(relay, trunk, exchange);
  else refuseMethod(relay, trunk, exchange);
}

/** True for a repeat: it meets the answer of the first one, whatever the policy carries by now. */
function wasJudged(relay: Relay, trunk: Trunk, exchange: RequestInHand): boolean {
  const { now } = relay;
  return relay.ledger.get(ledgerKey(trunk.id, exchange, relay.message.cseq), now) !== undefined;
}

/** RFC 3261 section 21.5.2: as a UAS we know no such method, for anybody. */
function refuseUnknown(relay: Relay, trunk: Trunk, exchange: RequestInHand): void {
  countRefusal(relay.counters, trunk.id, relay.message.method, "method-not-allowed");
  answer(relay, exchange, 501, `Allow: ${trunk.methods.allow}\r\n`);
}

function sendOn(relay: Relay, source: TrunkPolicy, exchange: RequestInHand, routes: Routes): void {
  const { trunk } = source;
  const isCore = trunk.side === "core";
  if (!isCore && foreignRoute(routes) !== undefined) {
    refuseRequest(relay, trunk, exchange, "routing-refused");
    return;
  }
  const onward = (isCore ? followRoutes : consumeOwn)(relay.message, routes, relay.edits);
  const target = targetOf(relay, source, exchange, onward);
  if (target === undefined) answerError(relay, trunk.id, exchange, 404);
  else forward(relay, exchange, target);
}

/** True for a method without events, and for an event package of the trunk. Otherwise it has been answered 489 (RFC 6665 section 4.2.1.1). */
export function isEventCarried(relay: Relay, trunk: Trunk, exchange: RequestInHand): boolean {
  const { message } = relay;
  const packages = trunk.methods.events.get(message.method);
  if (packages === undefined) return true;
  const asked = readEventPackage(message);
  if (asked !== undefined && packages.has(asked)) return true;
  countRefusal(relay.counters, trunk.id, message.method, "method-not-allowed");
  answer(relay, exchange, 489, `Allow-Events: ${[...packages].join(", ")}\r\n`);
  return false;
}
