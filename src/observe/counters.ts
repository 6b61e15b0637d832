// The counters of each trunk and of the whole filter, and what each event adds to them.
import type { CallEvent, RefusedAs } from "../domain/call.ts";
import { namedMethods } from "../domain/method.ts";
import { reasonCodes, type ReasonCode } from "../domain/reason.ts";
import { ruleIds } from "../domain/rule-id.ts";
import { createSs7Counters, type Ss7Counters } from "./ss7-counters.ts";
import { createStreamCounters, type StreamCounters } from "./stream-counters.ts";
import { verdictKinds, type DecidedBy, type Decision, type VerdictKind } from "../domain/decision.ts";
import { createStrangers, type Strangers } from "./strangers.ts";

/** Upper bounds of the decision-time histogram, in seconds. */
export const decisionBuckets: readonly number[] = [
  1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 5e-4, 1e-3, 1e-2,
];

/** ISUP messages that add something to a call that has begun. */
const isupNames: readonly string[] = ["SAM", "INF", "IRS", "SGM"];

/** Who can decide, in label order. */
export const deciders: readonly DecidedBy[] = [...ruleIds, "default", "exception", "protocol"];

const reasonIndex = new Map(reasonCodes.map((code, index) => [code, index]));
const deciderIndex = new Map(deciders.map((id, index) => [id, index]));
const verdictIndex = new Map(verdictKinds.map((kind, index) => [kind, index]));

/** A stray request, and whether it was sent on. */
export type StrayKey = `${"ACK" | "CANCEL"} ${"passed" | "dropped"}`;

/** The counters of one trunk. They are kept by trunk id and survive a reload of the policy. */
export interface TrunkCounters {
  /** Attempts by a packed key, see {@link eachAttemptCount}. */
  readonly attempts: Map<number, number>;
  /** Requests other than call attempts, by method and then by a packed key as above. */
  readonly requests: Map<string, Map<number, number>>;
  /** Answers that RFC 3261 itself asks for (400, 416, 420, 483 …), by status. */
  readonly protocolErrors: Map<number, number>;
  /** ACK and CANCEL that belong to nothing that is remembered, as "METHOD result". */
  readonly strays: Record<StrayKey, number>;
  retransmissions: number;
  /** Requests that repeat the key of one judged before with other content. */
  forgedRepeats: number;
  /** Calls sent on to another next hop because theirs went down, or answered 503. */
  failoversDown: number;
  failovers503: number;
  /** Calls sent to a next hop that is down, because none is up. */
  noneUp: number;
  /** Calls that went on without their display names. */
  namesRemoved: number;
  /** Responses from this trunk that no request of ours asked for. */
  strayResponses: number;
}

/** All counters of the filter: plain numbers, read at a scrape. */
export interface Counters {
  readonly trunks: Map<string, TrunkCounters>;
  /** Datagrams from sources no trunk matches. */
  unknownSource: number;
  /** The sources of those datagrams. */
  readonly strangers: Strangers;
  /** Datagrams that are not SIP. */
  notSip: number;
  /** Requests and responses that were sent on to the other side. */
  forwarded: number;
  /** Responses without a branch of ours, or not from the peer that the request went to. */
  strayResponses: number;
  /** Where those responses came from, and why they were dropped. */
  readonly strays: Strangers;
  /** Messages that were judged but could not be sent on: too large, or no target. */
  unsendable: number;
  /** Requests that were not remembered because the ledger was full of live entries. */
  ledgerFull: number;
  /** Calls that an order can't end: what their BYE needs found no room in `tables.callBytes`. */
  callBytesFull: number;
  /** Calls that could not be kept for another next hop because the table was full. */
  failoversFull: number;
  /** Requests between a stream and a datagram hop that met a full table. */
  transactionsFull: number;
  /** Requests that a datagram hop never answered. The filter answered 408 for the hop. */
  transactionTimeouts: number;
  /** TCP and TLS connections. */
  readonly streams: StreamCounters;
  /** The M3UA relay. */
  readonly ss7: Ss7Counters;
  /** Errors of our own that the input boundary caught. */
  faults: number;
  /** Calls that another stack reported and the filter did not judge, also those first reported at their end. */
  unjudgedAttempts: number;
  unjudgedReleases: number;
  readonly decisionSeconds: Float64Array;
  decisionSum: number;
}

export function createCounters(): Counters {
  return {
    trunks: new Map(),
    unknownSource: 0,
    strangers: createStrangers(),
    notSip: 0,
    forwarded: 0,
    strayResponses: 0,
    strays: createStrangers(),
    unsendable: 0,
    ledgerFull: 0,
    callBytesFull: 0,
    failoversFull: 0,
    transactionsFull: 0,
    transactionTimeouts: 0,
    streams: createStreamCounters(),
    ss7: createSs7Counters(),
    faults: 0,
    unjudgedAttempts: 0,
    unjudgedReleases: 0,
    decisionSeconds: new Float64Array(decisionBuckets.length + 1),
    decisionSum: 0,
  };
}

/** The counters of trunk `id`; ids come from the policy, so the map is bounded by what operators configured. */
export function trunkCounters(counters: Counters, id: string): TrunkCounters {
  let trunk = counters.trunks.get(id);
  if (trunk === undefined) {
    trunk = {
      attempts: new Map(),
      requests: new Map(),
      protocolErrors: new Map(),
      strays: { "ACK passed": 0, "ACK dropped": 0, "CANCEL passed": 0, "CANCEL dropped": 0 },
      retransmissions: 0,
      forgedRepeats: 0,
      failoversDown: 0,
      failovers503: 0,
      noneUp: 0,
      namesRemoved: 0,
      strayResponses: 0,
    };
    counters.trunks.set(id, trunk);
  }
  return trunk;
}

function packKey(verdict: VerdictKind, reason: ReasonCode, rule: DecidedBy, monitor: boolean): number {
  return (
    ((verdictIndex.get(verdict)! * reasonCodes.length + reasonIndex.get(reason)!) * deciders.length +
      deciderIndex.get(rule)!) *
      2 +
    (monitor ? 1 : 0)
  );
}

function add(map: Map<number, number>, key: number): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

/** A decision that the calls of a trunk may get. */
export interface AnnouncedDecision {
  readonly verdict: VerdictKind;
  readonly reason: ReasonCode;
  readonly rule: DecidedBy;
  /** True for a finding of a rule in monitor mode. */
  readonly isMonitored: boolean;
}

/**
 * Makes a series of `sigwall_attempts_total` exist before its first call. A rate over a series that begins with 1
 * misses that call.
 */
export function announceDecision(
  counters: Counters,
  trunk: string,
  { verdict, reason, rule, isMonitored }: AnnouncedDecision,
): void {
  const { attempts } = trunkCounters(counters, trunk);
  const key = packKey(verdict, reason, rule, isMonitored);
  if (!attempts.has(key)) attempts.set(key, 0);
}

/** Counts what happened to a call. */
export function countEvent(counters: Counters, event: CallEvent): void {
  switch (event.kind) {
    case "decided": {
      const { decision, action, call } = event;
      if (decision.verdict.reason !== "protocol") countDecision(counters, decision);
      // RFC 3261's own answers, and accepted calls that no next hop can take.
      if (action.kind === "answered" && (decision.verdict.reason === "protocol" || action.why !== undefined))
        countProtocolError(counters, call.trunk, action.status);
      return;
    }
    case "request": {
      const { trunk, method, decision, reason, refusedAs, action } = event;
      if (refusedAs !== undefined) {
        const status = action.kind === "answered" ? action.status : 0;
        countRefusedRequest(counters, { trunk, method, as: refusedAs, reason, status });
      } else if (method === "INVITE" || method === "UPDATE") countDecision(counters, decision);
      else countRequest(counters, method, decision);
      return;
    }
    case "moved": {
      const trunk = trunkCounters(counters, event.call.trunk);
      if (event.why === "503") trunk.failovers503++;
      else trunk.failoversDown++;
      return;
    }
    // Each one was counted when it was refused.
    case "shed":
    case "ringing":
    case "answered":
    case "ended":
  }
}

/** Counts a verdict on a call whose attempt was not read. */
export function countVerdict(
  counters: Counters,
  trunk: string,
  verdict: VerdictKind,
  reason: ReasonCode,
  rule: DecidedBy,
): void {
  add(trunkCounters(counters, trunk).attempts, packKey(verdict, reason, rule, false));
}

/** Counts a decision about a call attempt and, under mode `monitor`, its shadow findings. */
export function countDecision(counters: Counters, decision: Decision): void {
  const trunk = trunkCounters(counters, decision.attempt.trunk.id);
  addDecision(trunk.attempts, decision);
  if (decision.marks.length > 0 && decision.marks.some(({ kind }) => kind === "strip")) trunk.namesRemoved++;
}

function addDecision(map: Map<number, number>, { verdict, rule, shadow }: Decision): void {
  add(map, packKey(verdict.kind, verdict.reason, rule, false));
  for (const hit of shadow) add(map, packKey(hit.verdict.kind, hit.verdict.reason, hit.rule, true));
}

/** Counts a decision about a request other than INVITE. */
export function countRequest(counters: Counters, method: string, decision: Decision): void {
  addDecision(requestCounts(counters, decision.attempt.trunk.id, method), decision);
}

/** A request that was refused before any rule was asked. */
export interface RefusedRequest {
  readonly trunk: string;
  readonly method: string;
  readonly as: RefusedAs;
  readonly reason: ReasonCode;
  /** The SIP status of the refusal. */
  readonly status: number;
}

/** Counts a request that was refused before any rule was asked, in one series. */
export function countRefusedRequest(
  counters: Counters,
  { trunk, method, as, reason, status }: RefusedRequest,
): void {
  if (as === "kind") countRefusal(counters, trunk, method, reason);
  else if (as === "protocol") countProtocolError(counters, trunk, status);
  else trunkCounters(counters, trunk).forgedRepeats++;
}

/** Counts a request that was refused for its method, its dialog, its Route or its event package. */
export function countRefusal(counters: Counters, trunk: string, method: string, reason: ReasonCode): void {
  add(requestCounts(counters, trunk, method), packKey("reject", reason, "protocol", false));
}

function requestCounts(counters: Counters, trunk: string, method: string): Map<number, number> {
  const { requests } = trunkCounters(counters, trunk);
  const label = namedMethods.includes(method) || isupNames.includes(method) ? method : "other";
  let counts = requests.get(label);
  if (counts === undefined) requests.set(label, (counts = new Map()));
  return counts;
}

/** Counts an answer that RFC 3261 itself asks for. */
export function countProtocolError(counters: Counters, trunk: string, status: number): void {
  add(trunkCounters(counters, trunk).protocolErrors, status);
}

/** Counts an ACK or CANCEL that belongs to nothing that is remembered. */
export function countStray(counters: Counters, trunk: string, method: string, isPassed: boolean): void {
  const { strays } = trunkCounters(counters, trunk);
  strays[`${method === "ACK" ? "ACK" : "CANCEL"} ${isPassed ? "passed" : "dropped"}`]++;
}

/** Records how long a decision took, in seconds. */
export function observeDecision(counters: Counters, seconds: number): void {
  let bucket = 0;
  while (bucket < decisionBuckets.length && seconds > decisionBuckets[bucket]!) bucket++;
  counters.decisionSeconds[bucket] = counters.decisionSeconds[bucket]! + 1;
  counters.decisionSum += seconds;
}

/** The labels of one packed key. */
export type DecisionLabels = {
  readonly verdict: string;
  readonly reason: string;
  readonly rule: string;
  readonly mode: string;
};

function unpackKey(key: number): DecisionLabels {
  const rest = Math.floor(key / (2 * deciders.length));
  return {
    verdict: verdictKinds[Math.floor(rest / reasonCodes.length)]!,
    reason: reasonCodes[rest % reasonCodes.length]!,
    rule: deciders[Math.floor(key / 2) % deciders.length]!,
    mode: key % 2 === 1 ? "monitor" : "enforce",
  };
}

/** Decisions about call attempts since the start. */
export function decisionCount({ decisionSeconds }: Counters): number {
  let count = 0;
  for (const bucket of decisionSeconds) count += bucket;
  return count;
}

/** Visits every series of `sigwall_attempts_total`. */
export function eachAttemptCount(
  counters: { readonly trunks: ReadonlyMap<string, TrunkCounters> },
  visit: (labels: DecisionLabels & { readonly trunk: string }, count: number) => void,
): void {
  for (const [trunk, { attempts }] of counters.trunks) {
    for (const [key, count] of attempts) visit({ trunk, ...unpackKey(key) }, count);
  }
}

/** Visits every series of `sigwall_requests_total`. */
export function eachRequestCount(
  counters: { readonly trunks: ReadonlyMap<string, TrunkCounters> },
  visit: (
    labels: DecisionLabels & { readonly trunk: string; readonly method: string },
    count: number,
  ) => void,
): void {
  for (const [trunk, { requests }] of counters.trunks) {
    for (const [method, counts] of requests) {
      for (const [key, count] of counts) visit({ trunk, method, ...unpackKey(key) }, count);
    }
  }
}
