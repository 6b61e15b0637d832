import type { Buffer } from "node:buffer";
import type { Capabilities } from "../domain/capabilities.ts";
import { carriageOf, ordinaryMethods } from "../domain/method.ts";
import type { ReasonCode } from "../domain/reason.ts";
import type { Millis } from "../domain/time.ts";
import type { Trunk, TrunkId } from "../domain/trunk.ts";
import type { Decision, Deny } from "../domain/decision.ts";
import type { Policy, TrunkPolicy } from "../policy/policy.ts";
import {
  countDecision,
  type Counters,
  countProtocolError,
  countRefusal,
  countVerdict,
  observeDecision,
} from "../observe/counters.ts";
import type { ScreeningState } from "../screening/state.ts";
import { readAttempt } from "../sip/attempt/sip-attempt.ts";
import { claimsIsup } from "../sip/bodies/body.ts";
import { Header } from "../sip/header.ts";
import { createMessage } from "../sip/message.ts";
import { scan } from "../sip/scan.ts";
import type { Destination } from "../routing/hop-health.ts";
import { type RequestInHand, originOf, readRequestInHand } from "../routing/request-in-hand.ts";
import { judgeCall } from "../judging/judge-invite.ts";
import type { Listener, Target } from "../routing/listener.ts";
import type { NextHops } from "../routing/next-hops.ts";
import { unsupported } from "../judging/protocol-answers.ts";
import { partyAt, redirectContact } from "../proxy/messages/target-uri.ts";
import type { Overload } from "../judging/overload.ts";
import { foreignRoute, isOwn, literalTarget, readRoutes, type Routes } from "../routing/route.ts";
import { changesOf } from "../proxy/messages/message-changes.ts";
import { causeField, refusalStatus } from "../judging/refusal.ts";
import { isShed } from "../judging/admission.ts";

/** Header fields that the other stack adds, by name. */
export type Fields = Readonly<Record<string, string>>;

/** What the other stack is to do with a request. */
export type Order =
  | { readonly kind: "answer"; readonly status: number; readonly fields: Fields }
  /** Passed on, to the first of `targets` that takes it. `hop`: the next hop of the first one, where it is one. */
  | {
      readonly kind: "proxy";
      readonly targets: readonly string[];
      readonly hop: Destination | undefined;
      readonly fields: Fields;
    };

/** A request as the other stack shows it. */
export interface ShownRequest {
  readonly bytes: Buffer;
  /** True when it waited for too long: whoever called has given up, or is about to. */
  readonly isLate: boolean;
  readonly listener: Listener;
  readonly address: string;
  readonly port: number;
}

export interface DelegatedParts {
  readonly policy: () => Policy;
  readonly listeners: readonly Listener[];
  readonly hops: NextHops;
  readonly state: ScreeningState;
  readonly counters: Counters;
  readonly capabilities: Capabilities;
  readonly overload: Overload;
  /** Monotonic milliseconds with fractions, for the decision-time histogram only. */
  readonly elapsed: () => number;
  readonly decided: (decision: Decision, message: Uint8Array) => void;
  /** A call attempt was judged, so that whoever reports attempts can be held against it. `trunk`: set for one that was let through. */
  readonly judged: (exchange: RequestInHand, trunk: TrunkId | undefined, now: Millis) => void;
  /** An error of our own, already counted and answered by the trunk's exception policy. */
  readonly fault: (error: unknown) => void;
}

/** Judges requests that another SIP stack has taken and will answer or pass on. Never throws. */
export interface DelegatedCalls {
  take(now: Millis, request: ShownRequest): Order;
}

/** Targets of one call: the server behind drachtio-srf writes beyond its buffer with more than ten. */
const MOST_TARGETS = 3;

/** Characters of a target: drachtio keeps 255. */
const LONGEST_TARGET = 240;

const NO_FIELDS: Fields = {};
const strangerOrder = answer(403);

export function createDelegatedCalls(parts: DelegatedParts): DelegatedCalls {
  const { counters, hops, capabilities } = parts;
  const message = createMessage();

  function take(now: Millis, policy: Policy, source: TrunkPolicy, request: ShownRequest): Order {
    scan(message, request.bytes);
    const { listener, address, port } = request;
    const exchange =
      message.kind === "request" ? readRequestInHand(message, listener, address, port) : undefined;
    const { id } = source.trunk;
    if (exchange === undefined) {
      countProtocolError(counters, id, 400);
      return answer(400);
    }
    if (message.method !== "INVITE") return takeOther(source.trunk);
    if (exchange.toTag !== "") {
      // The server passes or refuses what stands in a dialog; nothing of it should come here.
      countRefusal(counters, id, message.method, "dialog-unknown");
      return answer(refusalStatus(source.trunk, "dialog-unknown"));
    }
    return takeInvite(now, policy, source, exchange, request.isLate);
  }

  /** The engine carries calls only: OPTIONS is answered, everything else refused. */
  function takeOther(trunk: Trunk): Order {
    const carriage = carriageOf(trunk.methods, message.method);
    if (message.method === "OPTIONS" && carriage !== "refuse")
      return answer(200, { Allow: ordinaryMethods.allow, Accept: "application/sdp" });
    countRefusal(counters, trunk.id, message.method, "method-not-allowed");
    return answer(refusalStatus(trunk, "method-not-allowed"), { Allow: ordinaryMethods.allow });
  }

  function takeInvite(
    now: Millis,
    policy: Policy,
    source: TrunkPolicy,
    exchange: RequestInHand,
    isLate: boolean,
  ): Order {
    const { trunk } = source;
    if (
      (parts.overload.isShedding || trunk.limits.attemptsPerSecond !== undefined) &&
      isShed(parts.overload, now, trunk, exchange)
    ) {
      countVerdict(counters, trunk.id, "reject", "overload", "protocol");
      parts.judged(exchange, undefined, now);
      return shedOrder(policy, trunk);
    }
    const begun = parts.elapsed();
    const routes = readRoutes(message, parts.listeners);
    const attempt = readAttempt(message, trunk, now, originOf(exchange), routes.uri);
    const unable = isLate ? tooLate : unableToJudge(trunk);
    let decision: Decision;
    if (unable !== undefined && message.fault === undefined) {
      decision = {
        attempt,
        verdict: unable,
        rule: "protocol",
        marks: [],
        shadow: [],
        revision: policy.revision,
      };
    } else {
      const judgement = judgeCall(message, source, attempt, routes, parts.state, policy.revision);
      if (judgement.kind === "answered") {
        const { status } = judgement;
        countProtocolError(counters, trunk.id, status);
        parts.judged(exchange, undefined, now);
        return answer(status, status === 420 ? unsupportedFields() : NO_FIELDS);
      }
      ({ decision } = judgement);
    }
    observeDecision(counters, (parts.elapsed() - begun) / 1000);
    const enforcedAs = substituteOf(trunk, decision);
    if (enforcedAs !== undefined) decision = { ...decision, enforcedAs };
    countDecision(counters, decision);
    parts.decided(decision, message.bytes);
    const order = orderOf(policy, source, exchange, decision, routes);
    parts.judged(exchange, order.kind === "proxy" ? trunk.id : undefined, now);
    return order;
  }

  /** What this engine shows too little of, or could not take back. */
  function unableToJudge(trunk: Trunk): Deny | undefined {
    if (!capabilities.sipI && claimsIsup(message)) return { kind: "reject", reason: "isup-undecodable" };
    if (capabilities.removesFields || trunk.side === "core" || message.count[Header.label] === 0)
      return undefined;
    return {
      kind: "reject",
      reason: "message-malformed",
      facts: { fault: "P-Sigwall-Label is ours, and can't be removed" },
    };
  }

  /** The status that stands for what the engine can't do; undefined: it can obey. */
  function substituteOf(trunk: Trunk, { verdict, marks }: Decision): number | undefined {
    if (verdict.kind === "reject") return undefined;
    if (verdict.kind === "drop")
      return capabilities.silence ? undefined : (trunk.dropAs ?? refusalStatus(trunk, verdict.reason));
    if (capabilities.removesFields) return undefined;
    if (verdict.kind === "withhold") return refusalStatus(trunk, verdict.reason);
    const strip = marks.find(({ kind }) => kind === "strip");
    return strip === undefined ? undefined : refusalStatus(trunk, strip.reason);
  }

  function orderOf(
    policy: Policy,
    source: TrunkPolicy,
    exchange: RequestInHand,
    decision: Decision,
    routes: Routes,
  ): Order {
    const { trunk } = source;
    const { verdict, marks, enforcedAs } = decision;
    if (verdict.kind === "reject") {
      const isMalformed = verdict.reason === "message-malformed" && message.fault !== undefined;
      return refusal(
        isMalformed ? message.faultStatus : refusalStatus(trunk, verdict.reason),
        verdict.reason,
      );
    }
    if (enforcedAs !== undefined)
      return refusal(enforcedAs, marks.find(({ kind }) => kind === "strip")?.reason ?? verdict.reason);
    const targets = targetsOf(policy, source, exchange, routes);
    const [first] = targets;
    if (first === undefined) {
      const status = trunk.side === "core" || trunk.nextHops.length === 0 ? 404 : 503;
      countProtocolError(counters, trunk.id, status);
      return answer(status);
    }
    const label = changesOf(trunk, decision)?.label ?? "";
    const fields = label === "" ? NO_FIELDS : { "P-Sigwall-Label": label };
    if (trunk.mode === "redirect")
      return answer(302, { Contact: redirectContact(routes.uri, first), ...fields });
    const uris = targets.map((target) => partyAt(routes.uri, target));
    if (uris.some((uri) => uri.length > LONGEST_TARGET)) {
      counters.unsendable++;
      return answer(414);
    }
    return {
      kind: "proxy",
      targets: uris,
      hop: hops.at(first.transport, first.address, first.port),
      fields,
    };
  }

  /** From a trunk other than the core, nothing in the message chooses the target: the policy alone does. */
  function targetsOf(
    policy: Policy,
    { trunk }: TrunkPolicy,
    { listener, callId }: RequestInHand,
    routes: Routes,
  ): readonly Target[] {
    if (trunk.side === "core") {
      const uri = foreignRoute(routes) ?? routes.uri;
      const target = isOwn(parts.listeners, uri) ? undefined : literalTarget(uri);
      const isKnown =
        target !== undefined &&
        (hops.has(target.address, target.port) ||
          policy.matchTrunk(listener.id, target.address, target.port) !== undefined);
      return isKnown ? [target] : [];
    }
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

  return {
    take(now, request) {
      let source: TrunkPolicy | undefined;
      try {
        const policy = parts.policy();
        hops.adopt(policy, now);
        source = policy.matchTrunk(request.listener.id, request.address, request.port);
        if (source !== undefined) return take(now, policy, source, request);
        counters.unknownSource++;
        return strangerOrder;
      } catch (error) {
        counters.faults++;
        parts.fault(error);
        return faultOrder(source?.trunk);
      }
    },
  };
}

const tooLate: Deny = { kind: "reject", reason: "overload", facts: { why: "waited for too long" } };

function answer(status: number, fields: Fields = NO_FIELDS): Order {
  return { kind: "answer", status, fields };
}

/** A call that there is no room for: the peer may be asked to stay away for a while (RFC 3261 section 21.5.4). */
function shedOrder({ overload: { retryAfterSeconds } }: Policy, trunk: Trunk): Order {
  const order = refusal(refusalStatus(trunk, "overload"), "overload");
  if (retryAfterSeconds === undefined) return order;
  return { ...order, fields: { ...order.fields, "Retry-After": String(retryAfterSeconds) } };
}

function refusal(status: number, reason: ReasonCode): Order {
  const cause = causeField(reason);
  return answer(status, cause === undefined ? NO_FIELDS : { Reason: cause });
}

/** Our own failure outside a rule: nothing passes; where silence is the policy, its substitute is. */
function faultOrder(trunk: Trunk | undefined): Order {
  if (trunk === undefined) return refusal(500, "rule-fault");
  const status = refusalStatus(trunk, "rule-fault");
  return refusal(trunk.exception === "drop" ? (trunk.dropAs ?? status) : status, "rule-fault");
}
