import type { CallAttempt } from "../../domain/attempt.ts";
import type { AssertedIdentity } from "../../domain/identity.ts";
import type { PartyNumber } from "../../domain/number.ts";
import type { ReasonCode } from "../../domain/reason.ts";
import type { Trunk } from "../../domain/trunk.ts";
import type { TrunkPolicy } from "../../policy/policy.ts";
import { readToNumber } from "../../sip/attempt/called.ts";
import { decrementMaxForwards, ensureContentLength, render, splice } from "../../sip/edit.ts";
import { Header } from "../../sip/header.ts";
import { formatBranch } from "../../sip/tag.ts";
import { createToken } from "../memory/dialog-token.ts";
import { bridgeRequest } from "./stream-to-datagram.ts";
import { branchFields, type RequestInHand, fillVia, hopPort } from "../../routing/request-in-hand.ts";
import { defaultPort, egressListener, type Listener, type Target } from "../../routing/listener.ts";
import { NEXT_HOP, type Relay } from "../turn/proxy-state.ts";
import { isOwn, literalTarget, type Onward } from "../../routing/route.ts";
import { isHop, portTowards, trunkAt } from "../turn/peer-port.ts";
import { applyChanges, type MessageChanges } from "../messages/message-changes.ts";
import { answer } from "../turn/answers.ts";
import { mostOctets, outputFor, transmit } from "../turn/output.ts";

/**
 * Where a request of `source` goes that no token speaks for. From a trunk other than the core, nothing in the message chooses
 * the target: the policy alone does.
 */
export function targetOf(
  relay: Relay,
  source: TrunkPolicy,
  exchange: RequestInHand,
  onward: Onward,
): Target | undefined {
  return source.trunk.side === "core"
    ? routedTarget(relay, exchange.listener, onward)
    : bySize(relay, source.trunk, exchange.listener, relay.hops.choose(source.trunk, exchange.callId));
}

/** The same whatever is up or down: where ACK and CANCEL go when nobody remembers their INVITE (RFC 3261 section 16.11). */
export function steadyTargetOf(
  relay: Relay,
  source: TrunkPolicy,
  exchange: RequestInHand,
  onward: Onward,
): Target | undefined {
  return source.trunk.side === "core"
    ? routedTarget(relay, exchange.listener, onward)
    : relay.hops.preferred(source.trunk, exchange.callId);
}

/** Octets that our Via and Record-Route add to a request, about. */
const ADDED = 300;

/** RFC 3261 section 18.1.1: a request too large for one packet goes by TCP, where the trunk says that its next hops take that. */
function bySize(
  relay: Relay,
  { tcpAbove }: Trunk,
  ingress: Listener,
  target: Target | undefined,
): Target | undefined {
  if (tcpAbove === undefined || target === undefined || target.transport !== "udp") return target;
  const { start, end } = relay.message;
  if (end - start + ADDED <= tcpAbove) return target;
  return byTcp(relay, ingress, target) ?? target;
}

/** The same place by TCP, where there is a listener for it. */
function byTcp(relay: Relay, ingress: Listener, { address, port }: Target): Target | undefined {
  const stream = { transport: "tcp", address, port } as const;
  return egressListener(relay.listeners, ingress, stream) === undefined ? undefined : stream;
}

/**
 * Where ACK and CANCEL go when their INVITE may have gone by UDP or, for its size, by TCP, and nobody remembers: both ways, since the
 * one that its next hop does not know does no harm.
 */
export function eitherTransport(relay: Relay, ingress: Listener, target: Target): readonly Target[] {
  const stream = target.transport === "udp" ? byTcp(relay, ingress, target) : undefined;
  return stream === undefined ? [target] : [target, stream];
}

/** The target that Route or Request-URI names: an address of a trunk or next hop, never ourselves. */
export function routedTarget(relay: Relay, ingress: Listener, onward: Onward): Target | undefined {
  const uri = onward.next ?? onward.uri;
  const target = literalTarget(uri);
  if (target === undefined || isOwn(relay.listeners, uri)) return undefined;
  return isKnown(relay, ingress, target) ? target : undefined;
}

/** True for an address of a trunk or next hop: its answers will be taken. */
export function isKnown(relay: Relay, ingress: Listener, target: Target): boolean {
  const egress = egressListener(relay.listeners, ingress, target);
  if (egress === undefined) return false;
  return trunkAt(relay, egress, target) !== undefined || isHop(relay, egress, target.address, target.port);
}

const NO_NUMBERS: readonly PartyNumber[] = [];
const NO_IDENTITIES: readonly AssertedIdentity[] = [];

/** Forwards an INVITE that begins a call, or another request that was judged: with our Record-Route, so that its dialog comes back and proves itself. */
export function forwardCall(
  relay: Relay,
  exchange: RequestInHand,
  target: Target,
  attempt: CallAttempt,
  reason: ReasonCode,
  changes: MessageChanges | undefined,
): void {
  const { message, edits, listeners } = relay;
  const { listener } = exchange;
  const egress = egressListener(listeners, listener, target);
  if (egress === undefined) {
    relay.counters.unsendable++;
    return;
  }
  const called = trunkAt(relay, egress, target)?.trunk;
  const isScreened = called !== undefined && called.side !== "core";
  // An emergency call was let through unjudged: no number of it is authorised for anything else.
  // A labelled one is judged again with every change, so that its label comes again.
  const isLabelled = changes !== undefined && changes.label !== "";
  const isJudged = attempt.trunk.side !== "core" && reason !== "emergency" && !isLabelled;
  const token = createToken(
    relay.tags,
    {
      ingress: relay.tagOfTrunk(attempt.trunk.id),
      egress: relay.tagOfTrunk(called?.id ?? NEXT_HOP),
      called: isScreened ? [attempt.called, readToNumber(message, called.dialPlan)] : NO_NUMBERS,
      calling: isJudged ? attempt.calling : NO_IDENTITIES,
      isWithheld: changes !== undefined && changes.isWithheld,
      source: sourceOf(exchange),
      target,
    },
    attempt,
    exchange.fromTag,
  );
  if (changes !== undefined) applyChanges(message, edits, changes);
  const first = message.first[Header.recordRoute]!;
  const at = first < 0 ? message.headersStart : message.lineStart[first]!;
  // RFC 5658: where the sides differ, each sees the address it can reach; the called side's value is on top.
  const inner = recordRoute(egress, token);
  splice(edits, at, at, egress === listener ? inner : inner + recordRoute(listener, token));
  forward(relay, exchange, target);
}

/** Where requests to the caller's side go. */
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

function recordRoute(listener: Listener, token: string): string {
  return `Record-Route: ${listener.route}${token}>\r\n`;
}

/** Sends the request on with our Via on top; everything that is not in `edits` stays as it came (RFC 3261 sections 16.6, 16.11). */
export function forward(relay: Relay, exchange: RequestInHand, target: Target): void {
  const { message, edits, counters } = relay;
  const { via, listener } = exchange;
  const egress = egressListener(relay.listeners, listener, target);
  if (egress === undefined) {
    counters.unsendable++;
    return;
  }
  // Neither method nor To tag enters the branch: ACK and CANCEL carry their INVITE's.
  const mac = relay.tags.mac(
    "branch",
    branchFields(
      via,
      exchange.address,
      exchange.replyPort,
      exchange.callId,
      message.cseq,
      target.address,
      hopPort(egress, target.port),
      listener.id,
    ),
  );
  const index = message.first[Header.via]!;
  const line = message.lineStart[index]!;
  const branch = formatBranch(listener.index, mac);
  splice(edits, line, line, `Via: ${egress.via}${branch}\r\n`);
  const filled = fillVia(exchange);
  if (filled !== exchange.viaValue)
    splice(edits, message.valueStart[index]!, message.valueEnd[index]!, filled);
  decrementMaxForwards(message, edits);
  if (egress.isReliable) ensureContentLength(message, edits);
  const out = outputFor(relay, egress);
  const length = render(message, edits, out, mostOctets(egress));
  if (length < 0) {
    counters.unsendable++;
    answer(relay, exchange, 513, "");
    return;
  }
  counters.forwarded++;
  const port = portTowards(relay, egress, target);
  if (egress.isReliable === listener.isReliable) transmit(relay, egress, target.address, port, length);
  else bridgeRequest(relay, exchange, egress, target.address, port, branch, out, length);
}
