// Compares the reports of another SIP stack about calls with what was judged.
import type { Buffer } from "node:buffer";
import type { Millis } from "../domain/time.ts";
import { NO_CALL, type CallName, type Calls, type CallSlot } from "../calls/calls.ts";
import type { CallEnd } from "../domain/call.ts";
import { readMessageCause } from "../sip/fields/reason.ts";
import { readSessionSeconds } from "../sip/fields/session-expires.ts";
import type { Counters } from "../observe/counters.ts";
import { createMessage } from "../sip/message.ts";
import { scan } from "../sip/scan.ts";
import { createExpiringMap } from "../state/expiring-map.ts";
import { readRequestInHand, type RequestInHand } from "../routing/request-in-hand.ts";
import { createListener } from "../routing/listener.ts";

/** What a report on a call is about. `stop`: it ended, after an answer or without one. */
export type ReportKind = "attempt" | "start" | "stop";

/** A call that another stack let through without asking. */
export interface UnjudgedCall {
  /** `attempt`: reported when it began; `release`: first heard of when it ended. */
  readonly report: "attempt" | "release";
  readonly callId: string;
  /** Sent-by of the top Via: the sender by its own account. */
  readonly sentBy: string;
}

/** The reports of another SIP stack about calls, compared with what was judged. */
export interface ReportedCalls {
  /** An attempt was judged. `passed`: its call, when it was let through; without a name it has no row. */
  judged(request: RequestInHand, passed: PassedOn | undefined, now: Millis): void;
  /** Takes a report about a message that the stack received from the network. */
  reported(kind: ReportKind, isRelease: boolean, bytes: Buffer, now: Millis): void;
  /** Looks for attempts that were reported and not judged since. */
  sweep(now: Millis): void;
}

export interface ReportedParts {
  readonly counters: Counters;
  /** Most calls that are remembered. */
  readonly capacity: number;
  /** The memory of calls. It takes what the reports say of them. */
  readonly calls: Calls<undefined>;
  readonly unjudged: (call: UnjudgedCall) => void;
}

/** A call that was let through. */
export interface PassedOn {
  readonly name: CallName | undefined;
}

/** How long a report waits for its attempt: it may come before. Milliseconds. */
const GRACE: Millis = 2000;
/** RFC 3261 section 17.1.1.2: 64·T1, twice. */
const JUDGED_TTL: Millis = 64_000;
/** A call that lasts longer is not known any more when it ends. Milliseconds. */
const CALL_TTL: Millis = 12 * 3_600_000;
/** At most this many reports wait for their attempt. Further ones are counted at once. */
const MOST_WAITING = 1024;

interface KnownCall extends PassedOn {
  /** Tags of both sides, the caller's first: a fork that answers too brings one more. */
  readonly tags: string[];
  isAnswered: boolean;
}

/** At most this many answers to one call are told apart. */
const MOST_TAGS = 8;

/** The listener of reports: they don't say where a message arrived. */
const nowhere = createListener("report", 0, "udp", "0.0.0.0", 0);

function keyOf({ callId, via, message }: RequestInHand): string {
  return `${callId}\n${message.cseq}\n${via.branch}`;
}

/** A dialog, whichever side speaks. */
function dialogKey({ callId, fromTag, toTag }: RequestInHand): string {
  return fromTag < toTag ? `${callId}\n${fromTag}\n${toTag}` : `${callId}\n${toTag}\n${fromTag}`;
}

/**
 * True when the message belongs to the call. The caller chooses the Call-ID, so another call may have the same one.
 * Tags tell them apart.
 */
function isOfCall({ fromTag, toTag }: RequestInHand, { tags, isAnswered }: KnownCall): boolean {
  return isAnswered
    ? tags.includes(fromTag) && tags.includes(toTag)
    : fromTag === tags[0] || toTag === tags[0];
}

export function createReportedCalls({ counters, capacity, calls, unjudged }: ReportedParts): ReportedCalls {
  const message = createMessage();
  const judged = createExpiringMap<true>(capacity, JUDGED_TTL);
  const ended = createExpiringMap<true>(capacity, JUDGED_TTL);
  /** By Call-ID. */
  const known = createExpiringMap<KnownCall>(capacity, CALL_TTL);
  const waiting = new Map<string, { readonly since: Millis; readonly call: UnjudgedCall }>();

  function report(call: UnjudgedCall): void {
    if (call.report === "attempt") counters.unjudgedAttempts++;
    else counters.unjudgedReleases++;
    unjudged(call);
  }

  function slotOf({ name }: PassedOn): CallSlot {
    return name === undefined ? NO_CALL : calls.named(name);
  }

  function noteAttempt(request: RequestInHand, now: Millis): void {
    const key = keyOf(request);
    if (judged.get(key, now) === true || waiting.has(key)) return;
    const call: UnjudgedCall = { report: "attempt", callId: request.callId, sentBy: request.via.sentBy };
    if (waiting.size < MOST_WAITING) waiting.set(key, { since: now, call });
    else report(call);
  }

  function noteStart({ callId, toTag }: RequestInHand, now: Millis): void {
    const call = known.get(callId, now);
    if (call === undefined) return;
    if (call.tags.length < MOST_TAGS && !call.tags.includes(toTag)) call.tags.push(toTag);
    call.isAnswered = true;
    const slot = slotOf(call);
    if (slot !== NO_CALL) calls.answered(slot, "", readSessionSeconds(message), now);
  }

  function noteStop(request: RequestInHand, isRelease: boolean, now: Millis): void {
    const { callId } = request;
    const call = known.get(callId, now);
    const key = dialogKey(request);
    if (call !== undefined && (!isRelease || isOfCall(request, call))) {
      const slot = slotOf(call);
      if (slot !== NO_CALL) calls.ended(slot, endOf(request, call), now);
      known.delete(callId);
      ended.set(key, true, now);
    } else if (isRelease && ended.get(key, now) === undefined) {
      // A BYE is reported again when it is repeated, and when both sides send one.
      ended.set(key, true, now);
      report({ report: "release", callId, sentBy: request.via.sentBy });
    }
  }

  /** The end of a call. The sender of the BYE ends an answered call; a response says how the set-up failed. */
  function endOf({ fromTag }: RequestInHand, { tags, isAnswered }: KnownCall): CallEnd {
    const by = fromTag === tags[0] ? "caller" : "called";
    const cause = readMessageCause(message);
    const why = cause === undefined ? {} : { cause };
    if (isAnswered) return { by, how: "released", status: 200, ...why };
    const { status } = message;
    if (message.kind !== "response" || status === 487)
      return { by: "caller", how: "cancelled", status: 487, ...why };
    return { by: "called", how: "refused", status, ...why };
  }

  return {
    judged(request, passed, now) {
      const key = keyOf(request);
      judged.set(key, true, now);
      waiting.delete(key);
      const { callId, fromTag } = request;
      const slot = passed === undefined ? NO_CALL : slotOf(passed);
      // The stack reports no provisional answer: the call may ring for as long as one that was heard to.
      if (slot !== NO_CALL) calls.provisional(slot, false, now);
      if (passed === undefined || known.get(callId, now) !== undefined) return;
      known.set(callId, { ...passed, tags: [fromTag], isAnswered: false }, now);
    },
    reported(kind, isRelease, bytes, now) {
      scan(message, bytes);
      const request = message.kind === "other" ? undefined : readRequestInHand(message, nowhere, "", 0);
      if (request === undefined) return;
      if (kind === "attempt") noteAttempt(request, now);
      else if (kind === "stop") noteStop(request, isRelease, now);
      else noteStart(request, now);
    },
    sweep(now) {
      calls.tick(now);
      for (const [key, { since, call }] of waiting) {
        if (now - since < GRACE) return;
        waiting.delete(key);
        report(call);
      }
    },
  };
}
