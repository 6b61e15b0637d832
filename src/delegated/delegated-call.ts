// Judges requests that another SIP stack has taken, and says what that stack is to do with each.
import type { Buffer } from "node:buffer";
import { NO_CALL, type Calls, type CallSlot } from "../calls/calls.ts";
import type { Action, CallEvent } from "../domain/call.ts";
import type { Capabilities } from "../domain/capabilities.ts";
import type { Decision, Deny } from "../domain/decision.ts";
import type { Instant, Millis } from "../domain/time.ts";
import type { CallReader } from "../judging/call-reader.ts";
import { bareAttempt } from "../judging/bare-attempt.ts";
import { decide, refuseUnasked, type Judge, type Judged } from "../judging/decide.ts";
import type { Overload } from "../judging/overload.ts";
import { unsupported } from "../judging/protocol-answers.ts";
import { refusalStatus } from "../judging/refusal.ts";
import { knownOf, misrouted, type SipCall, sipCalls, unreadable } from "../judging/sip-calls.ts";
import { createTeller } from "../judging/tell.ts";
import { createToldShare } from "../judging/told-share.ts";
import { type Counters, countProtocolError } from "../observe/counters.ts";
import type { Policy, TrunkPolicy } from "../policy/policy.ts";
import { changesOf } from "../proxy/messages/message-changes.ts";
import { partyAt, redirectContact } from "../proxy/messages/target-uri.ts";
import { hopIdOf, type Listener, type Target } from "../routing/listener.ts";
import type { NextHops } from "../routing/next-hops.ts";
import { originOf, readRequestInHand, type RequestInHand } from "../routing/request-in-hand.ts";
import { isOwn, type OwnPlaces } from "../routing/own-places.ts";
import { foreignRoute, literalTarget, readRoutes } from "../routing/route.ts";
import type { ScreeningState } from "../screening/state.ts";
import { readAttempt } from "../sip/attempt/sip-attempt.ts";
import { claimsIsup } from "../sip/bodies/body.ts";
import { Header } from "../sip/header.ts";
import { bytesOf, createMessage } from "../sip/message.ts";
import { scan } from "../sip/scan.ts";
import {
  answer,
  faultOrder,
  type Fields,
  NO_FIELDS,
  type Order,
  refusal,
  shedOrder,
  type Answer,
} from "./orders.ts";
import { answerOther } from "./other-requests.ts";
import type { PassedOn } from "./reported-calls.ts";

/** A request as the other stack shows it. */
export interface ShownRequest {
  readonly bytes: Buffer;
  /** True when the request waited for too long: the caller has given up, or is about to. */
  readonly isLate: boolean;
  readonly listener: Listener;
  readonly address: string;
  readonly port: number;
}

export interface DelegatedParts {
  readonly policy: () => Policy;
  readonly own: OwnPlaces;
  readonly hops: NextHops;
  readonly state: ScreeningState;
  readonly counters: Counters;
  readonly capabilities: Capabilities;
  readonly overload: Overload;
  /** Monotonic milliseconds with fractions, for the decision-time histogram only. */
  readonly elapsed: () => number;
  /** Every call of the engine. */
  readonly calls: Calls<undefined>;
  /** Takes the events of calls. Must return at once: bytes in the event are overwritten afterwards. */
  readonly happened: (event: CallEvent) => void;
  /**
   * An INVITE was shown, a stranger's too. Reports are compared with it. `passed`: its call, told once more when it is
   * let through.
   */
  readonly judged: (request: RequestInHand, passed: PassedOn | undefined, now: Millis) => void;
  /** True when the answer to a call so decided waits for its evidence. Left out: none does. */
  readonly isHeld?: (decision: Decision) => boolean;
  /** Takes an error of the filter. It is counted already, and answered by the trunk's exception policy. */
  readonly fault: (error: unknown) => void;
}

/** Judges requests that another SIP stack has taken and will answer or pass on. Never throws. */
export interface DelegatedCalls {
  take(now: Millis, request: ShownRequest): Order;
  /** Lets time pass, several times a second. */
  tick(now: Millis): void;
}

/** What is done with a call, and the row that it got. */
interface Remembered {
  readonly order: Order;
  readonly decision: Decision;
  readonly slot: CallSlot;
}

/** An INVITE that another stack shows. */
interface DelegatedTurn extends SipCall {
  readonly isLate: boolean;
}

/**
 * At most this many targets of one call: the server behind drachtio-srf writes beyond its buffer with more than ten.
 */
const MOST_TARGETS = 3;

/** At most this many characters of a target: drachtio keeps 255. */
const LONGEST_TARGET = 240;

const strangerOrder = answer(403);

export function createDelegatedCalls(parts: DelegatedParts): DelegatedCalls {
  const { counters, hops, capabilities, state, overload, elapsed, calls } = parts;
  const message = createMessage();
  const tell = createTeller(counters, parts.happened);
  const judge: Judge = {
    state,
    overload,
    counters,
    capabilities,
    told: createToldShare(state.wall),
    elapsed,
  };
  const teller = { counters, toldRequests: createToldShare(state.wall, "requests"), tell };
  const reader = readerFor(capabilities);

  /** Reads the message that is shown; undefined: it is no request that can be answered. */
  function read({ bytes, listener, address, port }: ShownRequest, now: Millis): RequestInHand | undefined {
    scan(message, bytes);
    if (message.kind !== "request") return undefined;
    const request = readRequestInHand(message, listener, address, port);
    // Before any rule is asked: whatever refuses it, the other stack did not pass it by itself.
    if (request !== undefined && message.method === "INVITE") parts.judged(request, undefined, now);
    return request;
  }

  function take({ now, at }: Instant, policy: Policy, source: TrunkPolicy, shown: ShownRequest): Order {
    const request = read(shown, now);
    if (request === undefined) {
      countProtocolError(counters, source.trunk.id, 400);
      return answer(400);
    }
    if (message.method !== "INVITE" || request.toTag !== "")
      return answerOther(teller, { now, at, policy, source, message, request });
    const routes = readRoutes(message, parts.own, source.trunk.ownNames);
    return takeInvite({ now, at, policy, source, message, request, routes, isLate: shown.isLate });
  }

  function takeInvite(turn: DelegatedTurn): Order {
    const { source, now, at, policy, request } = turn;
    const { trunk } = source;
    const judged = refuseHairpin(turn, decide(judge, reader, turn));
    if (judged === undefined) return shedOrder(policy, trunk);
    const { order, decision, slot } = remember(turn, judged.decision, orderOf(turn, judged));
    if (isTold(turn, judged))
      tell({
        kind: "decided",
        call: slot === NO_CALL ? calls.nameless(trunk.id) : calls.refOf(slot),
        at,
        decision,
        action: actionOf(decision, order),
        listener: request.listener.id,
        bytes: bytesOf(message),
      });
    if (order.kind === "proxy")
      parts.judged(request, { name: slot === NO_CALL ? undefined : calls.nameOf(slot) }, now);
    return order.kind === "answer" && parts.isHeld?.(decision) === true ? { ...order, isHeld: true } : order;
  }

  /**
   * Gives a row to a call that passes. When no row is left, the trunk's exception policy decides; emergency calls pass.
   */
  function remember({ source, policy, now }: DelegatedTurn, decision: Decision, order: Order): Remembered {
    if (order.kind !== "proxy") return { order, decision, slot: NO_CALL };
    const { trunk } = source;
    const slot = calls.begin("", trunk.id, now);
    if (slot !== NO_CALL) {
      calls.forwarded(slot, now);
      return { order, decision, slot };
    }
    counters.ledgerFull++;
    if (trunk.exception === "accept" || decision.verdict.reason === "emergency")
      return { order, decision, slot };
    const verdict = { kind: trunk.exception, reason: "overload" } as const;
    return { order: shedOrder(policy, trunk), decision: { ...decision, verdict, rule: "exception" }, slot };
  }

  /**
   * True when the answer is told by itself. Answers of the protocol are told one by one as long as there are few; all
   * are counted.
   */
  function isTold({ source, now }: DelegatedTurn, { decision, status }: Judged): boolean {
    if (decision.verdict.reason !== "protocol") return true;
    const { id } = source.trunk;
    if (judge.told.take(id, "protocol", status, now)) return true;
    countProtocolError(counters, id, status);
    return false;
  }

  function orderOf(turn: DelegatedTurn, { decision, status }: Judged): Order {
    const { source, policy, routes } = turn;
    const { trunk } = source;
    const { verdict } = decision;
    if (verdict.reason === "overload" && verdict.kind === "reject") return shedOrder(policy, trunk);
    if (verdict.reason === "protocol")
      return answer(status, status === 420 ? unsupportedFields() : NO_FIELDS);
    if (verdict.kind === "reject") {
      const isMalformed = verdict.reason === "message-malformed" && message.fault !== undefined;
      return refusal(isMalformed ? message.faultStatus : status, verdict.reason);
    }
    if (status !== 0) return refusal(status, verdict.reason);
    const targets = targetsOf(turn);
    const [first] = targets;
    if (first === undefined) return answer(isByPolicy(turn) && trunk.nextHops.length > 0 ? 503 : 404);
    const label = changesOf(trunk, decision)?.label ?? "";
    const fields = label === "" ? NO_FIELDS : { "P-Sigwall-Label": label };
    if (trunk.mode === "redirect")
      return {
        ...answer(302, { Contact: redirectContact(routes.uri, first), ...fields }),
        redirectedTo: first,
      };
    const uris = targets.map((target) => partyAt(routes.uri, target));
    if (uris.some((uri) => uri.length > LONGEST_TARGET)) {
      counters.unsendable++;
      return answer(414);
    }
    const hop = hops.at(first.transport, first.address, first.port);
    return { kind: "proxy", targets: uris, first, hop, fields };
  }

  /** Nothing from the core goes back to the core: nobody judges it, and its source address may be forged. */
  function refuseHairpin(turn: DelegatedTurn, judged: Judged | undefined): Judged | undefined {
    const { source, policy, request } = turn;
    const { trunk } = source;
    if (judged === undefined || trunk.side !== "core") return judged;
    const target = isByPolicy(turn) ? hops.choose(trunk, request.callId) : namedTarget(turn);
    if (target === undefined || trunkAt(policy, target)?.trunk.side !== "core") return judged;
    const verdict = { kind: "reject", reason: "routing-refused", facts: { route: target.address } } as const;
    const status = refusalStatus(trunk, "routing-refused");
    return { decision: { ...judged.decision, verdict, rule: "protocol" }, status };
  }

  /** True where the policy alone chooses the targets: for every trunk but the core, and where the core names us. */
  function isByPolicy({ source: { trunk }, routes }: DelegatedTurn): boolean {
    return trunk.side !== "core" || isOwn(parts.own, foreignRoute(routes) ?? routes.uri, trunk.ownNames);
  }

  /** The target that the core names: a place of a trunk or a next hop. */
  function namedTarget({ policy, routes }: DelegatedTurn): Target | undefined {
    const target = literalTarget(foreignRoute(routes) ?? routes.uri);
    if (target === undefined) return undefined;
    const isKnown = hops.has(target.address, target.port) || trunkAt(policy, target) !== undefined;
    return isKnown ? target : undefined;
  }

  /** The trunk at a place, on whichever listener. */
  function trunkAt({ matchTrunk }: Policy, { address, port }: Target): TrunkPolicy | undefined {
    for (const { id } of parts.own.listeners) {
      const trunk = matchTrunk(id, address, port);
      if (trunk !== undefined) return trunk;
    }
    return undefined;
  }

  /** The targets of a call. */
  function targetsOf(turn: DelegatedTurn): readonly Target[] {
    const { trunk } = turn.source;
    const { callId } = turn.request;
    if (!isByPolicy(turn)) return [namedTarget(turn)].filter((target) => target !== undefined);
    const first = hops.choose(trunk, callId);
    if (first === undefined) return [];
    if (first.state === "down") noteNoneUp(trunk.id);
    const targets = [first];
    while (trunk.failoverOn503 && targets.length < MOST_TARGETS) {
      const next = hops.next(trunk, callId, targets);
      if (next === undefined) break;
      targets.push(next);
    }
    return targets;
  }

  function noteNoneUp(id: string): void {
    const trunk = counters.trunks.get(id);
    if (trunk !== undefined) trunk.noneUp++;
  }

  function unsupportedFields(): Fields {
    const values = unsupported(message)
      .split("\r\n")
      .map((line) => line.slice("Unsupported: ".length))
      .filter((value) => value !== "");
    return { Unsupported: values.join(", ") };
  }

  /** Tells the answer to a fault of the filter. Nothing of the message is read, since it may have caused the fault. */
  function tellFault(
    at: Millis,
    { trunk }: TrunkPolicy,
    { listener, address, port }: ShownRequest,
    { status }: Answer,
  ): void {
    const attempt = bareAttempt(trunk, at, originOf({ listener, address, port }));
    const verdict = { kind: trunk.exception === "drop" ? "drop" : "reject", reason: "rule-fault" } as const;
    tell({
      kind: "decided",
      call: calls.nameless(trunk.id),
      at,
      decision: refuseUnasked(attempt, verdict, parts.policy().revision, "exception"),
      action: { kind: "answered", status },
      listener: listener.id,
    });
  }

  return {
    tick(now) {
      judge.told.flush(now, tell);
      teller.toldRequests.flush(now, tell);
    },
    take(now, request) {
      let source: TrunkPolicy | undefined;
      const at = now + state.wall.ahead;
      try {
        const policy = parts.policy();
        hops.adopt(policy, now);
        source = policy.matchTrunk(request.listener.id, request.address, request.port);
        if (source !== undefined) return take({ now, at }, policy, source, request);
        counters.unknownSource++;
        read(request, now);
        return strangerOrder;
      } catch (error) {
        counters.faults++;
        parts.fault(error);
        const order = faultOrder(source?.trunk);
        if (source !== undefined && message.method === "INVITE") tellFault(at, source, request, order);
        return order;
      }
    },
  };
}

/** Reads INVITEs as this engine shows them: with less in them than in the embedded engine, and sometimes too late. */
function readerFor(capabilities: Capabilities): CallReader<DelegatedTurn> {
  return {
    ...sipCalls,
    attemptOf: ({ message, source, at, request, routes }) =>
      readAttempt(message, source.trunk, at, originOf(request), knownOf(request, routes)),
    unjudgeable(turn, attempt) {
      const unable = turn.message.fault === undefined ? unableToJudge(capabilities, turn) : undefined;
      // The server follows a Route, and the filter can't remove it: an emergency call is no exception.
      return unable ?? unreadable(turn.message, attempt) ?? misrouted(turn);
    },
  };
}

/** Refuses an INVITE that came too late, that holds ISUP, or that has a field which the engine can't remove. */
function unableToJudge(
  capabilities: Capabilities,
  { message, source, isLate }: DelegatedTurn,
): Deny | undefined {
  if (isLate) return tooLate;
  if (!capabilities.sipI && claimsIsup(message)) return { kind: "reject", reason: "isup-undecodable" };
  if (capabilities.removesFields || source.trunk.side === "core" || message.count[Header.label] === 0)
    return undefined;
  return {
    kind: "reject",
    reason: "message-malformed",
    facts: { fault: "P-Sigwall-Label is ours, and can't be removed" },
  };
}

/** What the other stack was told to do, as an action. */
function actionOf({ verdict }: Decision, order: Order): Action {
  if (order.kind === "proxy") return { kind: "forwarded", hop: hopIdOf(order.first) };
  const { status, redirectedTo } = order;
  if (redirectedTo !== undefined) return { kind: "redirected", hop: hopIdOf(redirectedTo) };
  const isRefused = verdict.kind === "reject" || verdict.kind === "drop" || verdict.kind === "withhold";
  return isRefused ? { kind: "answered", status } : { kind: "answered", status, why: "no-next-hop" };
}

const tooLate: Deny = { kind: "reject", reason: "overload", facts: { why: "waited for too long" } };
