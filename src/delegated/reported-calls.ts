// Compares the reports of another SIP stack about calls with what was judged.
import type { Buffer } from "node:buffer";
import type { Millis } from "../domain/time.ts";
import { NO_CALL, type CallName, type Calls, type CallSlot } from "../calls/calls.ts";
import { UNCONFIRMED_FOR } from "../calls/call-rows.ts";
import type { CallEnd } from "../domain/call.ts";
import { readMessageCause } from "../sip/fields/reason.ts";
import { readSessionSeconds } from "../sip/fields/session-expires.ts";
import type { Counters } from "../observe/counters.ts";
import { createMessage } from "../sip/message.ts";
import { scan } from "../sip/scan.ts";
import { createExpiringMap } from "../state/expiring-map.ts";
import { readRequestInHand, type RequestInHand } from "../routing/request-in-hand.ts";
import { createListener } from "../routing/listener.ts";

/**
 * What is reported. `attempt`: an INVITE came. `final`: the stack gave it a final answer, its own or that of a next
 * hop, or its caller took it back. `release`: a BYE came.
 */
export type ReportKind = "attempt" | "final" | "release";

/** A call that another stack let through without asking. */
export interface UnjudgedCall {
  /** `attempt`: reported when it began; `release`: first heard of when it ended. */
  readonly report: "attempt" | "release";
  readonly callId: string;
  /** Sent-by of the top Via: the sender by its own account. */
  readonly sentBy: string;
}

/** The reports of one SIP stack about calls, compared with what was judged. */
export interface ReportedCalls {
  /** An attempt was judged. `passed`: its call, when it was let through; without a name it has no row. */
  judged(request: RequestInHand, passed: PassedOn | undefined, now: Millis): void;
  /** Takes a report. `bytes`: the INVITE, CANCEL or BYE as it came, or the answer as the caller got it. */
  reported(kind: ReportKind, bytes: Buffer, now: Millis): void;
  /**
   * Reports are missing from now on. What ends meanwhile is not heard of: the calls that stand now give their channels
   * back after {@link UNCONFIRMED_FOR}, and stay known.
   */
  interrupted(now: Millis): void;
  /** Lets time pass: looks for attempts that were reported and not judged since, and for calls in doubt. */
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
/** Calls in doubt that one sweep looks at. */
const MOST_DOUBTED = 1000;

interface KnownCall extends PassedOn {
  /** Its INVITE, see {@link inviteKey}. */
  readonly key: string;
  /** Tags of the called side: a fork that answers too brings one more. None before the answer. */
  readonly calledTags: string[];
  /** Since when reports of it may be missing; undefined: since never, or a report came afterwards. */
  doubtedSince: Millis | undefined;
}

/** At most this many answers to one call are told apart, and calls with one Call-ID and From tag. */
const MOST_TOLD_APART = 8;

/** The listener of reports: they don't say where a message arrived. */
const nowhere = createListener("report", 0, "udp", "0.0.0.0", 0);

/** An INVITE. An answer has the same key in the form in which the caller gets it. */
function inviteKey({ callId, via, message }: RequestInHand): string {
  return `${callId}\n${message.cseq}\n${via.branch}`;
}

/** All calls that one caller places under one Call-ID: a challenged INVITE is sent again with the same tag. */
function callerKey(callId: string, callerTag: string): string {
  return `${callId}\n${callerTag}`;
}

/** A dialog, whichever side speaks. */
function dialogKey({ callId, fromTag, toTag }: RequestInHand): string {
  return fromTag < toTag ? `${callId}\n${fromTag}\n${toTag}` : `${callId}\n${toTag}\n${fromTag}`;
}

/** The call that a BYE ends. One whose answer was not reported is known by the tag of its caller alone. */
function calledBy(calls: readonly KnownCall[] | undefined, calledTag: string): KnownCall | undefined {
  return (
    calls?.find(({ calledTags }) => calledTags.includes(calledTag)) ??
    calls?.find(({ calledTags }) => calledTags.length === 0)
  );
}

export function createReportedCalls({ counters, capacity, calls, unjudged }: ReportedParts): ReportedCalls {
  const message = createMessage();
  const judged = createExpiringMap<true>(capacity, JUDGED_TTL);
  const ended = createExpiringMap<true>(capacity, JUDGED_TTL);
  /** Calls in set-up and answered ones that hold a row. */
  const standing = new Set<KnownCall>();
  /** Calls in set-up and answered ones, by {@link callerKey}. */
  const known = createExpiringMap<readonly KnownCall[]>(capacity, CALL_TTL, (gone) => {
    for (const call of gone) standing.delete(call);
  });
  /** Calls whose set-up failed, by {@link inviteKey}: a 2xx may have crossed the CANCEL. */
  const failed = createExpiringMap<KnownCall>(capacity, JUDGED_TTL);
  const waiting = new Map<string, { readonly since: Millis; readonly call: UnjudgedCall }>();
  /** Calls whose end may have been missed, in the order of time. */
  let doubted: { readonly since: Millis; readonly call: KnownCall }[] = [];

  function report(call: UnjudgedCall): void {
    if (call.report === "attempt") counters.unjudgedAttempts++;
    else counters.unjudgedReleases++;
    unjudged(call);
  }

  function slotOf({ name }: PassedOn): CallSlot {
    return name === undefined ? NO_CALL : calls.named(name);
  }

  function remember(by: string, call: KnownCall, now: Millis): void {
    const others = known.get(by, now) ?? [];
    if (others.length >= MOST_TOLD_APART || others.some(({ key }) => key === call.key)) return;
    if (!known.set(by, [...others, call], now)) return;
    if (call.name !== undefined) standing.add(call);
  }

  function forget(by: string, call: KnownCall, now: Millis): void {
    standing.delete(call);
    const others = (known.get(by, now) ?? []).filter((other) => other !== call);
    if (others.length === 0) known.delete(by);
    else known.set(by, others, now);
  }

  function noteAttempt(request: RequestInHand, now: Millis): void {
    const key = inviteKey(request);
    if (judged.get(key, now) === true || waiting.has(key)) return;
    const call: UnjudgedCall = { report: "attempt", callId: request.callId, sentBy: request.via.sentBy };
    if (waiting.size < MOST_WAITING) waiting.set(key, { since: now, call });
    else report(call);
  }

  function noteFinal(request: RequestInHand, now: Millis): void {
    const key = inviteKey(request);
    const by = callerKey(request.callId, request.fromTag);
    const call = known.get(by, now)?.find((other) => other.key === key);
    const isAnswer = message.kind === "response" && message.status < 300;
    if (call === undefined) {
      const late = isAnswer ? failed.get(key, now) : undefined;
      if (late === undefined) return;
      failed.delete(key);
      remember(by, late, now);
      noteAnswer(late, request, now);
    } else if (isAnswer) noteAnswer(call, request, now);
    else if (call.calledTags.length === 0) {
      forget(by, call, now);
      failed.set(key, call, now);
      const slot = slotOf(call);
      if (slot !== NO_CALL) calls.ended(slot, failure(), now);
    }
  }

  function noteAnswer(call: KnownCall, { toTag }: RequestInHand, now: Millis): void {
    call.doubtedSince = undefined;
    if (call.calledTags.length < MOST_TOLD_APART && !call.calledTags.includes(toTag))
      call.calledTags.push(toTag);
    const slot = slotOf(call);
    if (slot !== NO_CALL) calls.answered(slot, "", readSessionSeconds(message), now);
  }

  /** How a set-up has failed, by the answer that the caller got or by its CANCEL. */
  function failure(): CallEnd {
    const { kind, status } = message;
    const cause = readMessageCause(message);
    const why = cause === undefined ? {} : { cause };
    return kind === "request" || status === 487
      ? { by: "caller", how: "cancelled", status: 487, ...why }
      : { by: "called", how: "refused", status, ...why };
  }

  function noteRelease(request: RequestInHand, now: Millis): void {
    const { callId, fromTag, toTag } = request;
    const key = dialogKey(request);
    const ofCaller = callerKey(callId, fromTag);
    const ofCalled = callerKey(callId, toTag);
    const byCaller = calledBy(known.get(ofCaller, now), toTag);
    const call = byCaller ?? calledBy(known.get(ofCalled, now), fromTag);
    if (call !== undefined) {
      const slot = slotOf(call);
      if (slot !== NO_CALL) calls.ended(slot, releasedBy(call, byCaller !== undefined), now);
      forget(byCaller === undefined ? ofCalled : ofCaller, call, now);
      ended.set(key, true, now);
    } else if (ended.get(key, now) === undefined) {
      // A BYE is reported again when it is repeated, and when both sides send one.
      ended.set(key, true, now);
      report({ report: "release", callId, sentBy: request.via.sentBy });
    }
  }

  function releasedBy({ calledTags }: KnownCall, isByCaller: boolean): CallEnd {
    const cause = readMessageCause(message);
    const why = cause === undefined ? {} : { cause };
    if (calledTags.length === 0) return { by: "caller", how: "cancelled", status: 487, ...why };
    return { by: isByCaller ? "caller" : "called", how: "released", status: 200, ...why };
  }

  /** Takes the channels of calls of which nothing was heard for {@link UNCONFIRMED_FOR} since reports were missing. */
  function giveUpDoubted(now: Millis): void {
    let looked = 0;
    for (const { since, call } of doubted) {
      if (looked === MOST_DOUBTED || now - since < UNCONFIRMED_FOR) break;
      looked++;
      if (call.doubtedSince !== since || !standing.has(call)) continue;
      const slot = slotOf(call);
      if (slot !== NO_CALL) calls.doubted(slot, now);
    }
    if (looked > 0) doubted = doubted.slice(looked);
  }

  return {
    judged(request, passed, now) {
      const key = inviteKey(request);
      judged.set(key, true, now);
      waiting.delete(key);
      if (passed === undefined) return;
      const slot = slotOf(passed);
      // The stack reports no provisional answer: the call may ring for as long as one that was heard to.
      if (slot !== NO_CALL) calls.provisional(slot, false, now);
      const call: KnownCall = { ...passed, key, calledTags: [], doubtedSince: undefined };
      remember(callerKey(request.callId, request.fromTag), call, now);
    },
    reported(kind, bytes, now) {
      scan(message, bytes);
      const request = message.kind === "other" ? undefined : readRequestInHand(message, nowhere, "", 0);
      if (request === undefined) return;
      if (kind === "attempt") noteAttempt(request, now);
      else if (kind === "release") noteRelease(request, now);
      else noteFinal(request, now);
    },
    interrupted(now) {
      for (const call of standing) {
        if (call.doubtedSince !== undefined) continue;
        call.doubtedSince = now;
        doubted.push({ since: now, call });
      }
    },
    sweep(now) {
      calls.tick(now);
      giveUpDoubted(now);
      for (const [key, { since, call }] of waiting) {
        if (now - since < GRACE) return;
        waiting.delete(key);
        report(call);
      }
    },
  };
}
