import type { Buffer } from "node:buffer";
import type { Millis } from "../domain/time.ts";
import type { TrunkId } from "../domain/trunk.ts";
import type { Counters } from "../observe/counters.ts";
import { createMessage } from "../sip/message.ts";
import { scan } from "../sip/scan.ts";
import { createExpiringMap } from "../state/expiring-map.ts";
import { readRequestInHand, type RequestInHand } from "../routing/request-in-hand.ts";
import { createListener } from "../routing/listener.ts";

/** What a report on a call is about. `stop`: it ended, after an answer or without one. */
export type ReportKind = "attempt" | "start" | "stop";

/** What the reports say of a call that was let through. `failed`: it ended without having been answered. */
export interface ReportedEvent {
  readonly kind: "attempted" | "answered" | "released" | "failed";
  readonly at: Millis;
  /** The trunk of the calling side. */
  readonly trunk: TrunkId;
  readonly callId: string;
}

/** A call that another stack let through without asking. */
export interface UnjudgedCall {
  /** `attempt`: reported when it began; `release`: first heard of when it ended. */
  readonly report: "attempt" | "release";
  readonly callId: string;
  /** Sent-by of the top Via: who says to have sent it. */
  readonly sentBy: string;
}

/** The books on calls that another SIP stack carries: what it reports is held against what was judged. */
export interface ReportedCalls {
  /** An attempt was judged. `trunk`: that of its calling side when it was let through. */
  judged(exchange: RequestInHand, trunk: TrunkId | undefined, now: Millis): void;
  /** The stack reports something that it received from the network. */
  reported(kind: ReportKind, isRelease: boolean, bytes: Buffer, now: Millis): void;
  /** Looks for attempts that were reported and not judged since. */
  sweep(now: Millis): void;
  /** Answered calls in progress, by trunk of the calling side. */
  channels(): ReadonlyMap<TrunkId, number>;
}

export interface ReportedParts {
  readonly counters: Counters;
  /** Most calls that are remembered. */
  readonly capacity: number;
  readonly unjudged: (call: UnjudgedCall) => void;
  readonly happened: (event: ReportedEvent) => void;
}

/** A report may come before the attempt itself does. */
const GRACE: Millis = 2000;
/** RFC 3261 section 17.1.1.2: 64·T1, twice. */
const JUDGED_TTL: Millis = 64_000;
/** Longer calls are no longer known when they end; they count as channels until their room is needed. */
const CALL_TTL: Millis = 12 * 3_600_000;
/** Reports that wait for their attempt; more than these are counted at once. */
const MOST_WAITING = 1024;

interface KnownCall {
  readonly trunk: TrunkId;
  readonly callId: string;
  /** Tags of both sides, the caller's first: a fork that answers too brings one more. */
  readonly tags: string[];
  isAnswered: boolean;
}

/** Answers to one call that are told apart. */
const MOST_TAGS = 8;

/** The place of reports: they say nothing of where a message arrived. */
const nowhere = createListener("report", 0, "udp", "0.0.0.0", 0);

function keyOf({ callId, via, message }: RequestInHand): string {
  return `${callId}\n${message.cseq}\n${via.branch}`;
}

/** A dialog, whichever side speaks. */
function dialogKey({ callId, fromTag, toTag }: RequestInHand): string {
  return fromTag < toTag ? `${callId}\n${fromTag}\n${toTag}` : `${callId}\n${toTag}\n${fromTag}`;
}

/** The Call-ID is the caller's choice: under that of a call that was judged, another one may stand. Tags tell them apart. */
function isOfCall({ fromTag, toTag }: RequestInHand, { tags, isAnswered }: KnownCall): boolean {
  return isAnswered
    ? tags.includes(fromTag) && tags.includes(toTag)
    : fromTag === tags[0] || toTag === tags[0];
}

export function createReportedCalls({
  counters,
  capacity,
  unjudged,
  happened,
}: ReportedParts): ReportedCalls {
  const message = createMessage();
  const channels = new Map<TrunkId, number>();
  const judged = createExpiringMap<true>(capacity, JUDGED_TTL);
  const ended = createExpiringMap<true>(capacity, JUDGED_TTL);
  const calls = createExpiringMap<KnownCall>(capacity, CALL_TTL, leave);
  const waiting = new Map<string, { readonly since: Millis; readonly call: UnjudgedCall }>();

  function leave({ trunk, isAnswered }: KnownCall): void {
    if (isAnswered) channels.set(trunk, (channels.get(trunk) ?? 1) - 1);
  }

  function report(call: UnjudgedCall): void {
    if (call.report === "attempt") counters.unjudgedAttempts++;
    else counters.unjudgedReleases++;
    unjudged(call);
  }

  function tell(kind: ReportedEvent["kind"], at: Millis, { trunk, callId }: KnownCall): void {
    happened({ kind, at, trunk, callId });
  }

  function noteAttempt(exchange: RequestInHand, now: Millis): void {
    const key = keyOf(exchange);
    if (judged.get(key, now) === true || waiting.has(key)) return;
    const call: UnjudgedCall = { report: "attempt", callId: exchange.callId, sentBy: exchange.via.sentBy };
    if (waiting.size < MOST_WAITING) waiting.set(key, { since: now, call });
    else report(call);
  }

  function noteStart({ callId, toTag }: RequestInHand, now: Millis): void {
    const call = calls.get(callId, now);
    if (call === undefined) return;
    if (call.tags.length < MOST_TAGS && !call.tags.includes(toTag)) call.tags.push(toTag);
    if (call.isAnswered) return;
    call.isAnswered = true;
    channels.set(call.trunk, (channels.get(call.trunk) ?? 0) + 1);
    tell("answered", now, call);
  }

  function noteStop(exchange: RequestInHand, isRelease: boolean, now: Millis): void {
    const { callId } = exchange;
    const call = calls.get(callId, now);
    const key = dialogKey(exchange);
    if (call !== undefined && (!isRelease || isOfCall(exchange, call))) {
      tell(call.isAnswered ? "released" : "failed", now, call);
      calls.delete(callId);
      ended.set(key, true, now);
    } else if (isRelease && ended.get(key, now) === undefined) {
      // A BYE is reported again when it is repeated, and when both sides send one.
      ended.set(key, true, now);
      report({ report: "release", callId, sentBy: exchange.via.sentBy });
    }
  }

  return {
    judged(exchange, trunk, now) {
      const key = keyOf(exchange);
      judged.set(key, true, now);
      waiting.delete(key);
      if (trunk === undefined) return;
      const { callId, fromTag } = exchange;
      const call: KnownCall = { trunk, callId, tags: [fromTag], isAnswered: false };
      if (calls.get(callId, now) === undefined && calls.set(callId, call, now)) tell("attempted", now, call);
    },
    reported(kind, isRelease, bytes, now) {
      scan(message, bytes);
      const exchange = message.kind === "other" ? undefined : readRequestInHand(message, nowhere, "", 0);
      if (exchange === undefined) return;
      if (kind === "attempt") noteAttempt(exchange, now);
      else if (kind === "stop") noteStop(exchange, isRelease, now);
      else noteStart(exchange, now);
    },
    sweep(now) {
      for (const [key, { since, call }] of waiting) {
        if (now - since < GRACE) return;
        waiting.delete(key);
        report(call);
      }
    },
    channels: () => channels,
  };
}
