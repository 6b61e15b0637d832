// The inline SIP proxy: what it does with each message, with each connection, and as time passes.
import type { CallsView } from "../calls/calls.ts";
import type { ReleaseWork } from "../calls/release.ts";
import type { Buffer } from "node:buffer";
import type { Action } from "../domain/call.ts";
import type { Millis } from "../domain/time.ts";
import { NEXT_HOP, type SipTransport, type TrunkId } from "../domain/trunk.ts";
import { bareAttempt } from "../judging/bare-attempt.ts";
import { refuseUnasked } from "../judging/decide.ts";
import { LOAD_INTERVAL, type Load, type Overload } from "../judging/overload.ts";
import { protocolError } from "../judging/protocol-answers.ts";
import { refusalStatus } from "../judging/refusal.ts";
import { countProtocolError, decisionCount, trunkCounters } from "../observe/counters.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import { goDown } from "../routing/hop-health.ts";
import type { Listener } from "../routing/listener.ts";
import type { NextHopStatus, ResolvedAddress } from "../routing/next-hops.ts";
import { originOf } from "../routing/request-in-hand.ts";
import { bytesOf } from "../sip/message.ts";
import { scan } from "../sip/scan.ts";
import { createConnectionEvents, type ConnectionEvents } from "./connection-events.ts";
import { createOrdinary } from "./ordinary/ordinary.ts";
import { hopByHop } from "./requests/hop-by-hop.ts";
import { inDialog } from "./requests/in-dialog.ts";
import { newCall } from "./requests/new-call.ts";
import { outOfDialog } from "./requests/out-of-dialog.ts";
import { relayResponse } from "./responses/response-path.ts";
import type { StrayReason } from "./sending/asked-place.ts";
import { reportChange } from "./sending/probe.ts";
import { beginRelease } from "./sending/release.ts";
import { passTime } from "./tick.ts";
import { answerError, refuse } from "./turn/answers.ts";
import { isHop } from "./turn/peer-port.ts";
import { createProxyState, guard, type ProxyParts } from "./turn/proxy-state.ts";
import {
  adoptPolicy,
  beginMoment,
  beginRequest,
  isOfTrunk,
  type Moment,
  type Origin,
  type RequestTurn,
} from "./turn/turn.ts";
import type { TrunkPolicy } from "../policy/policy.ts";

export interface SipProxy extends ConnectionEvents {
  /**
   * Takes one datagram, or one message of a stream. Everything that results from it has been handed to the sink when
   * this returns. `names` are those that a TLS peer's certificate proves. Never throws.
   */
  handle(
    now: Millis,
    listener: Listener,
    address: string,
    port: number,
    bytes: Buffer,
    names?: readonly string[],
  ): void;
  /**
   * Lets time pass, to be called every {@link TICK}. Probes next hops, moves calls to other next hops, and repeats
   * messages. Never throws.
   */
  tick(now: Millis): void;
  /** Notes that more evidence is on disk: the answers that wait for it leave. Never throws. */
  evidenceKept(now: Millis): void;
  /** Answers that wait for their evidence. */
  heldAnswers(): number;
  /** Answers that left before their evidence was on disk. */
  unkept(): number;
  /**
   * Takes the addresses of the host name of a next hop, by the id of the next hop. To be called again when they change.
   */
  resolve(now: Millis, id: string, addresses: readonly ResolvedAddress[]): void;
  /** Notes that nothing can be sent to this place: a connection was refused, or a network or host is unreachable. */
  unreachable(now: Millis, transport: SipTransport, address: string, port: number): void;
  /** Returns every next hop of every trunk with its present state. It is complete from the start. */
  nextHops(): readonly NextHopStatus[];
  /** Takes the load of the engine, to be called every {@link LOAD_INTERVAL}. */
  measure(load: Load): void;
  /**
   * From now on every new call is answered 503. OPTIONS are answered 503 too, so that peers that probe us use another
   * node. Calls in progress pass.
   */
  drain(): void;
  /**
   * Begins to end the calls that these trunks have begun: by BYE to both sides, or by a final answer and CANCEL. Nothing
   * happens before the first step.
   */
  release(trunks: ReadonlySet<TrunkId>): ReleaseWork;
  /** Every call that is known. */
  readonly calls: CallsView;
  /** The present state of load shedding. */
  readonly overload: Pick<Overload, "stage" | "isDraining" | "load">;
}

/** Milliseconds between two calls of `tick` by an engine. */
export const TICK: Millis = 100;

/**
 * Milliseconds that a datagram of an unknown source costs at most, the kernel's work included, measured by
 * `bench/flood.ts`. This cost is no reason to shed calls. Shedding would not reduce it, and the sender of a flood would
 * reach its aim.
 */
const STRANGER_COST = 0.005;

/**
 * Creates the inline SIP proxy. It forwards statelessly (RFC 3261 section 16.11) with a bounded ledger, and refuses as
 * a stateless UAS (8.2.7). Sans-IO: datagrams and time go in, datagrams and decisions come out.
 */
export function createSipProxy(parts: ProxyParts): SipProxy {
  const proxy = createProxyState(parts);
  const { hops, counters, overload } = proxy;
  const takeOrdinary = parts.ordinary === false ? undefined : createOrdinary(proxy, parts.ordinary);
  let strangers = 0;
  let judged = 0;
  return {
    ...createConnectionEvents(proxy),
    tick: (now) => passTime(proxy, now),
    evidenceKept: (now) => guard(proxy, () => proxy.held.release(now)),
    heldAnswers: () => proxy.held.size(),
    unkept: () => proxy.held.overdue(),
    resolve(now, id, addresses) {
      beginMoment(proxy, now);
      hops.resolve(id, addresses, now);
    },
    unreachable(now, transport, address, port) {
      const { policy } = beginMoment(proxy, now);
      const hop = hops.at(transport, address, port);
      if (hop !== undefined && goDown(hop, now, policy.nextHopHealth))
        reportChange(proxy, hop, "unreachable");
    },
    nextHops: () => hops.status(),
    calls: proxy.calls,
    overload,
    measure({ busy, late }) {
      const { unknownSource } = counters;
      const spent = ((unknownSource - strangers) * STRANGER_COST) / LOAD_INTERVAL;
      const judgedBefore = judged;
      strangers = unknownSource;
      judged = decisionCount(counters);
      const load = { busy: Math.max(0, busy - spent), late };
      overload.measure(load, judged - judgedBefore, proxy.policyInForce().overload);
    },
    drain: () => overload.drain(),
    release: (trunks) => beginRelease(proxy, trunks),
    handle(now, listener, address, port, bytes, names) {
      const policy = adoptPolicy(proxy, now);
      const source = policy.matchTrunk(listener.id, address, port, names);
      // A message of an unknown source is not parsed, and no state is kept for it. A next hop may answer from another
      // port than the one that is asked; its branch proves the answer.
      if (
        source === undefined &&
        !isHop(proxy, { listener, address, port }) &&
        !(isResponse(bytes) && hops.has(address))
      ) {
        counters.unknownSource++;
        counters.strangers.note(address);
        return;
      }
      try {
        scan(proxy.workspace.message, bytes);
        // Nearly every message of a call ends here. One that is not taken has left no trace but its scan.
        if (takeOrdinary?.(now, policy, source, listener, address, port) === true) return;
        handleMessage(beginMoment(proxy, now), source, { listener, address, port });
      } catch (error) {
        counters.faults++;
        proxy.sink.fault(error);
        if (source !== undefined) answerFault(beginMoment(proxy, now), source, { listener, address, port });
      }
    },
  };
}

/** Handles the message that was scanned into the workspace of the input. */
function handleMessage(moment: Moment, source: TrunkPolicy | undefined, origin: Origin): void {
  const { proxy, now, at, policy } = moment;
  const { counters, workspace } = proxy;
  const { message, edits } = workspace;
  if (message.kind === "response") {
    const { listener, address, port } = origin;
    const why = relayResponse({ proxy, now, at, policy, message, edits, listener, address, port });
    if (why !== undefined) noteStray(moment, source, origin, why);
    return;
  }
  if (message.kind === "other") {
    if (message.end > 0) counters.notSip++;
    return;
  }
  const turn = beginRequest(moment, workspace, source, origin);
  // The request has no address to answer to.
  if (turn === undefined) countProtocolError(counters, source?.trunk.id ?? NEXT_HOP, 400);
  else if (message.method === "INVITE" && turn.request.toTag === "" && isOfTrunk(turn)) newCall(turn);
  else handleOther(turn);
}

function isResponse(bytes: Buffer): boolean {
  return bytes.toString("latin1", 0, 8) === "SIP/2.0 ";
}

function noteStray(
  { proxy: { counters } }: Moment,
  source: TrunkPolicy | undefined,
  { address, port }: Origin,
  why: StrayReason,
): void {
  const trunk = source?.trunk.id ?? NEXT_HOP;
  counters.strayResponses++;
  trunkCounters(counters, trunk).strayResponses++;
  counters.strays.note(`${trunk} ${formatEndpoint({ address, port })}, ${why}`);
}

/** Handles every request except an INVITE of a trunk that begins a call. */
function handleOther(turn: RequestTurn): void {
  const { message, request, source } = turn;
  const refusal = protocolError(message, source?.trunk, request.toTag !== "");
  if (refusal !== undefined) answerError(turn, refusal);
  else if (message.method === "ACK" || message.method === "CANCEL") hopByHop(turn);
  else if (request.toTag === "") outOfDialog(turn);
  else inDialog(turn);
}

/**
 * Handles a failure of our own outside a rule. What can't be judged is not passed, whatever the trunk's exception
 * policy says. That policy only decides whether the peer gets an answer.
 */
function answerFault(moment: Moment, source: TrunkPolicy, origin: Origin): void {
  const { proxy } = moment;
  const { message } = proxy.workspace;
  if (message.kind !== "request") return;
  // A step that failed before may fail again.
  guard(proxy, () => {
    const turn = beginRequest(moment, proxy.workspace, source, origin);
    if (turn !== undefined) refuseFault(turn, source);
  });
}

function refuseFault(turn: RequestTurn, { trunk }: TrunkPolicy): void {
  const { proxy, message, request, at, policy } = turn;
  const isSilent = trunk.exception === "drop";
  const status = refusalStatus(trunk, "rule-fault");
  if (!isSilent) refuse(turn, status, "rule-fault");
  if (message.method !== "INVITE") return;
  const attempt = bareAttempt(trunk, at, originOf(request), request.callId);
  const verdict = { kind: isSilent ? "drop" : "reject", reason: "rule-fault" } as const;
  const decision = refuseUnasked(attempt, verdict, policy.revision, "exception");
  const action: Action = isSilent ? { kind: "silent" } : { kind: "answered", status };
  const told = { at, decision, action, bytes: bytesOf(message) };
  if (request.toTag === "") proxy.tell({ kind: "decided", call: proxy.calls.nameless(trunk.id), ...told });
  else
    proxy.tell({
      kind: "request",
      call: undefined,
      trunk: trunk.id,
      method: message.method,
      reason: "rule-fault",
      ...told,
    });
}
