import type { Buffer } from "node:buffer";
import type { Millis } from "../domain/time.ts";
import type { SipTransport, Trunk } from "../domain/trunk.ts";
import type { TrunkPolicy } from "../policy/policy.ts";
import { countProtocolError, countVerdict, decisionCount } from "../observe/counters.ts";
import { clearEdits } from "../sip/edit.ts";
import { Header } from "../sip/header.ts";
import { scan } from "../sip/scan.ts";
import { acknowledged } from "./sending/stream-to-datagram.ts";
import { type RequestInHand, readRequestInHand } from "../routing/request-in-hand.ts";
import { goDown } from "../routing/hop-health.ts";
import { followCall, sendToAll, sentCallOf } from "./sending/failover.ts";
import { eitherTransport, forward, steadyTargetOf } from "./sending/forward.ts";
import { inDialog } from "./requests/in-dialog.ts";
import { ledgerKey } from "./memory/ledger.ts";
import type { Listener } from "../routing/listener.ts";
import { newCall } from "./requests/new-call.ts";
import type { NextHopStatus, ResolvedAddress } from "../routing/next-hops.ts";
import { passTime } from "./tick.ts";
import { reportChange } from "./sending/probe.ts";
import { outOfDialog } from "./requests/out-of-dialog.ts";
import { type Load, LOAD_INTERVAL, type Overload } from "../judging/overload.ts";
import { protocolError, unsupported } from "../judging/protocol-answers.ts";
import { createRelay, guard, NEXT_HOP, type Relay, type RelayParts, turnTo } from "./turn/proxy-state.ts";
import { relayResponse } from "./responses/response-path.ts";
import { consumeOwn, followRoutes, foreignRoute, readRoutes, type Routes } from "../routing/route.ts";
import { isHop } from "./turn/peer-port.ts";
import { createStreamSide, type StreamSide } from "./connection-events.ts";
import { removeLabels, applyChanges, withheld } from "./messages/message-changes.ts";
import { refusalStatus } from "../judging/refusal.ts";
import { answerError, hasOwnTag, refuse, refuseRequest } from "./turn/answers.ts";

export interface SipProxy extends StreamSide {
  /**
   * Takes one datagram, or one message of a stream; everything that follows from it has been handed to the sink when this returns.
   * `names`: those that a TLS peer's certificate proves. Never throws.
   */
  handle(
    now: Millis,
    listener: Listener,
    address: string,
    port: number,
    bytes: Buffer,
    names?: readonly string[],
  ): void;
  /** Lets time pass, every {@link TICK}: probes of next hops, calls that go to another one, repeats. Never throws. */
  tick(now: Millis): void;
  /** The addresses of the host name of a next hop, by its id; to be called again when they change. */
  resolve(now: Millis, id: string, addresses: readonly ResolvedAddress[]): void;
  /** Nothing can be sent to this place: a connection refused, a network or host unreachable. */
  unreachable(now: Millis, transport: SipTransport, address: string, port: number): void;
  /** Every next hop of every trunk as it is now, from the first moment on. */
  nextHops(): readonly NextHopStatus[];
  /** How the engine fares: called every {@link LOAD_INTERVAL}. */
  measure(load: Load): void;
  /** From now on every new call is answered 503, and OPTIONS too, so that probes of peers move on. What is in progress passes. */
  drain(): void;
  /** What is shed now. */
  readonly overload: Pick<Overload, "stage" | "isDraining" | "load">;
}

/** How often an engine calls `tick`. Milliseconds. */
export const TICK: Millis = 100;

/**
 * What a datagram of an unknown source costs at most, the kernel's work included. Milliseconds, measured by `bench/flood.ts`. That is no reason
 * to shed calls: there would be as much of it as before, and the flood would have what it wants.
 */
const STRANGER_COST = 0.005;

/**
 * The inline SIP proxy: stateless forwarding (RFC 3261 section 16.11) with a bounded ledger, refusals as a stateless
 * UAS (8.2.7). Sans-IO: datagrams and time in, datagrams and decisions out.
 */
export function createSipProxy(parts: RelayParts): SipProxy {
  const relay = createRelay(parts);
  const { hops } = relay;
  let strangers = 0;
  let judged = 0;
  return {
    ...createStreamSide(relay),
    tick: (now) => passTime(relay, now),
    resolve(now, id, addresses) {
      turnTo(relay, now);
      hops.resolve(id, addresses, now);
    },
    unreachable(now, transport, address, port) {
      turnTo(relay, now);
      const hop = hops.at(transport, address, port);
      if (hop !== undefined && goDown(hop, now, relay.policy.nextHopHealth))
        reportChange(relay, hop, "unreachable");
    },
    nextHops: () => hops.status(),
    overload: relay.overload,
    measure({ busy, late }) {
      const { unknownSource } = relay.counters;
      const spent = ((unknownSource - strangers) * STRANGER_COST) / LOAD_INTERVAL;
      const judgedBefore = judged;
      strangers = unknownSource;
      judged = decisionCount(relay.counters);
      relay.overload.measure(
        { busy: Math.max(0, busy - spent), late },
        judged - judgedBefore,
        relay.policyInForce().overload,
      );
    },
    drain: () => relay.overload.drain(),
    handle(now, listener, address, port, bytes, names) {
      turnTo(relay, now);
      const source = relay.policy.matchTrunk(listener.id, address, port, names);
      // No parsing and no state for strangers.
      if (source === undefined && !isHop(relay, listener, address, port)) {
        relay.counters.unknownSource++;
        relay.counters.strangers.note(address);
        return;
      }
      try {
        handleMessage(relay, source, listener, address, port, bytes);
      } catch (error) {
        relay.counters.faults++;
        relay.sink.fault(error);
        if (source !== undefined) answerFault(relay, source.trunk, listener, address, port);
      }
    },
  };
}

function handleMessage(
  relay: Relay,
  source: TrunkPolicy | undefined,
  listener: Listener,
  address: string,
  port: number,
  bytes: Buffer,
): void {
  const { message, counters } = relay;
  scan(message, bytes);
  if (message.kind === "response") {
    if (!relayResponse(relay, listener, address, port)) counters.strayResponses++;
    return;
  }
  if (message.kind === "other") {
    if (message.end > 0) counters.notSip++;
    return;
  }
  const exchange = readRequestInHand(message, listener, address, port);
  const id = source?.trunk.id ?? NEXT_HOP;
  if (exchange === undefined) {
    // Nowhere to answer to.
    countProtocolError(counters, id, 400);
    return;
  }
  clearEdits(relay.edits);
  const isCore = source?.trunk.side === "core";
  if (message.count[Header.label] !== 0 && !isCore) removeLabels(message, relay.edits);
  const routes = readRoutes(message, relay.listeners);
  if (message.method === "INVITE" && exchange.toTag === "" && source !== undefined) {
    newCall(relay, source, exchange, routes);
    return;
  }
  const status = protocolError(message, source?.trunk, exchange.toTag !== "");
  if (status !== 0) answerError(relay, id, exchange, status, status === 420 ? unsupported(message) : "");
  else if (message.method === "ACK" || message.method === "CANCEL") hopByHop(relay, source, exchange, routes);
  else if (exchange.toTag === "") outOfDialog(relay, source, exchange, routes);
  else inDialog(relay, source, exchange, routes);
}

/** ACK of a refusal, and CANCEL: both follow the INVITE whose branch they carry (RFC 3261 sections 9.1, 17.1.1.3). */
function hopByHop(
  relay: Relay,
  source: TrunkPolicy | undefined,
  exchange: RequestInHand,
  routes: Routes,
): void {
  const { message, now } = relay;
  if (message.method === "ACK" && hasOwnTag(relay, exchange)) {
    acknowledged(relay, exchange);
    return;
  }
  const id = source?.trunk.id ?? NEXT_HOP;
  const seen = relay.ledger.get(ledgerKey(id, exchange, message.cseq), now);
  if (seen !== undefined && seen.outcome !== "forward") return;
  const call = sentCallOf(relay, id, exchange);
  if (seen === undefined && call === undefined) {
    if (routes.token !== undefined || source === undefined) {
      inDialog(relay, source, exchange, routes);
      return;
    }
    // Nothing was sent on that these could follow, but what was under way when the trunk began to redirect.
    if (source.trunk.mode === "redirect") return;
  }
  const isCore = source?.trunk.side === "core";
  // An INVITE with a Route of its own choice did not pass; what follows one may not have it either.
  if (!isCore && foreignRoute(routes) !== undefined) {
    refuseRequest(relay, source?.trunk, exchange, "routing-refused");
    return;
  }
  if (call !== undefined) {
    followCall(relay, exchange, routes, call);
    return;
  }
  const onward = (isCore ? followRoutes : consumeOwn)(message, routes, relay.edits);
  // Whose INVITE nobody remembers may have had its number withheld. Peers tell transactions by the branch (RFC 3261 section 17.2.3).
  const isWithheld =
    seen === undefined
      ? source?.mayWithhold === true || relay.withheldOn.has(id)
      : seen.changes?.isWithheld === true;
  if (isWithheld) applyChanges(message, relay.edits, withheld);
  // Without a ledger entry (a restart, another node) both still go where their INVITE went; neither can begin a call.
  const routed = source === undefined ? undefined : steadyTargetOf(relay, source, exchange, onward);
  const target = seen?.target ?? routed;
  if (target === undefined) countProtocolError(relay.counters, id, 481);
  else if (seen === undefined && !isCore && source?.trunk.tcpAbove !== undefined)
    sendToAll(relay, exchange, routes, eitherTransport(relay, exchange.listener, target), isWithheld);
  else forward(relay, exchange, target);
}

/**
 * Our own failure outside a rule: what can't be judged isn't passed, whatever the trunk's exception policy says; that policy only tells
 * whether the peer gets an answer.
 */
function answerFault(relay: Relay, trunk: Trunk, listener: Listener, address: string, port: number): void {
  const { message, counters } = relay;
  if (message.kind !== "request") return;
  const verdict = trunk.exception === "drop" ? "drop" : "reject";
  if (message.method === "INVITE") countVerdict(counters, trunk.id, verdict, "rule-fault", "exception");
  if (verdict === "drop") return;
  // What failed before may fail again.
  guard(relay, () => {
    const exchange = readRequestInHand(message, listener, address, port);
    if (exchange !== undefined) refuse(relay, exchange, refusalStatus(trunk, "rule-fault"), "rule-fault");
  });
}
