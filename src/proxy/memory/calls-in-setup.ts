import { Buffer } from "node:buffer";
import type { CallRef } from "../../domain/call.ts";
import type { ReasonCode } from "../../domain/reason.ts";
import type { Millis } from "../../domain/time.ts";
import { createExpiringMap } from "../../state/expiring-map.ts";
import type { Destination } from "../../routing/hop-health.ts";
import { sentByOf, type BranchBinding, type RequestInHand } from "../../routing/request-in-hand.ts";
import { LEDGER_TTL } from "./ledger.ts";
import type { Listener, Target } from "../../routing/listener.ts";
import type { MessageChanges } from "../messages/message-changes.ts";

/** Next hops that one call is sent to, the first included. */
export const MOST_TRIED = 4;

/** How long a call that did not go where its hash says is remembered, ringing included (RFC 3261 section 16.6 step 11: timer C). */
export const DETOUR_TTL: Millis = 240_000;

/** Bytes of INVITEs that are kept at one time. */
const MOST_KEPT = 64 * 1024 * 1024;

/** An INVITE as it was received, so that it can go to another next hop as it went to the first. */
export interface KeptInvite {
  readonly bytes: Buffer;
  readonly listener: Listener;
  readonly address: string;
  readonly port: number;
}

/** A call on a trunk with several next hops, or with a withheld number, and where it went. */
export interface SentCall {
  readonly ref: CallRef;
  /** {@link sentCallKey} of its INVITE. */
  readonly key: string;
  readonly callId: string;
  readonly at: Millis;
  readonly trunk: string;
  readonly reason: ReasonCode;
  readonly changes: MessageChanges | undefined;
  /** At most {@link MOST_TRIED}; the last is where it is now. */
  readonly tried: Destination[];
  /** Undefined once it was answered, and where there is no other next hop: then it stays where it is. */
  kept: KeptInvite | undefined;
  /** Request-URI and To of the INVITE, for ACK and CANCEL of our own. */
  readonly uri: string;
  readonly to: string;
  /** Who gave the final answer that went to the caller. */
  answered: Destination | undefined;
  /** Those of `tried` that gave a final answer: nothing is left there to cancel. */
  readonly ended: Destination[];
  /** True when one of them was a 503 that the caller has not seen. */
  was503: boolean;
  /** When a moved INVITE is sent again, and how long after that once more (RFC 3261 section 17.1.1.2: timer A). */
  repeatAt: Millis;
  repeatAfter: Millis;
}

/** The calls that can still go to another next hop, and those whose ACK and CANCEL must be sent where they went. */
export interface SentCalls {
  /** False: nothing is to be found. */
  readonly isActive: boolean;
  /** Calls that were moved and have not been answered since: nobody else repeats them. */
  readonly repeating: ReadonlySet<SentCall>;
  find(key: string, now: Millis): SentCall | undefined;
  /** Keeps a new call; false when there is no room for one more. */
  keep(call: SentCall, now: Millis): boolean;
  /** Remembers for longer where a call went. */
  remember(call: SentCall, now: Millis): void;
  /** Calls at a destination that have heard nothing but 100 from there. */
  waitingAt(hop: Destination): ReadonlySet<SentCall>;
  /** The call has its turn among those that wait where it is after all others. */
  postpone(call: SentCall): void;
  /** The call goes to another destination; it is sent again from `now` on until that one answers. */
  move(call: SentCall, to: Destination, now: Millis): void;
  /** The destination has answered: nothing is sent again. */
  heard(call: SentCall): void;
  /** The call stays where it is; its bytes are given up. */
  settle(call: SentCall): void;
}

/** A call that nobody answers is answered for its next hop when it is as old as the ledger's entries are; until then it is kept. */
const PENDING_TTL: Millis = LEDGER_TTL + 500;

const NONE: ReadonlySet<SentCall> = new Set();
const T1: Millis = 500;

/** @param capacity calls kept at once, and as many remembered */
export function createSentCalls(capacity: number): SentCalls {
  const waiting = new Map<Destination, Set<SentCall>>();
  const repeating = new Set<SentCall>();
  let keptBytes = 0;
  const settle = (call: SentCall): void => {
    if (call.kept === undefined) return;
    keptBytes -= call.kept.bytes.length;
    call.kept = undefined;
    repeating.delete(call);
    leave(call);
  };
  const leave = (call: SentCall): void => {
    const hop = call.tried.at(-1);
    const there = hop === undefined ? undefined : waiting.get(hop);
    if (hop === undefined || there === undefined) return;
    there.delete(call);
    // Destinations come and go with DNS.
    if (there.size === 0) waiting.delete(hop);
  };
  const arrive = (call: SentCall, hop: Destination): void => {
    const there = waiting.get(hop) ?? new Set();
    waiting.set(hop, there.add(call));
  };
  const pending = createExpiringMap<SentCall>(capacity, PENDING_TTL, settle);
  const detours = createExpiringMap<SentCall>(capacity, DETOUR_TTL);
  return {
    get isActive() {
      return pending.size > 0 || detours.size > 0;
    },
    repeating,
    find: (key, now) => pending.get(key, now) ?? detours.get(key, now),
    keep(call, now) {
      const length = call.kept?.bytes.length ?? 0;
      const [hop] = call.tried;
      if (hop === undefined || keptBytes + length > MOST_KEPT) return false;
      // Whatever had the key before, live or dead, is settled by this.
      pending.delete(call.key);
      if (!pending.set(call.key, call, now)) return false;
      keptBytes += length;
      arrive(call, hop);
      return true;
    },
    remember: (call, now) => void detours.set(call.key, call, now),
    waitingAt: (hop) => waiting.get(hop) ?? NONE,
    postpone(call) {
      const hop = call.tried.at(-1);
      leave(call);
      if (hop !== undefined) arrive(call, hop);
    },
    move(call, to, now) {
      leave(call);
      call.tried.push(to);
      arrive(call, to);
      call.repeatAfter = T1;
      call.repeatAt = now + T1;
      repeating.add(call);
    },
    heard: (call) => void repeating.delete(call),
    settle,
  };
}

/** What an INVITE, its ACK (non-2xx), its CANCEL and all answers to them have in common. */
export function sentCallKey(of: TransactionPath): string {
  const { via, replyAddress, replyPort, callId, cseq } = of;
  return `${sentByOf(via)}\n${via.branch}\n${replyAddress}\n${replyPort}\n${callId}\n${cseq}`;
}

/** The caller's side of a transaction. */
export type TransactionPath = Pick<BranchBinding, "via" | "replyAddress" | "replyPort" | "callId" | "cseq">;

/**
 * Where of all places that the call went to an answer comes from, though the policy or DNS may name it no more; over a stream from
 * any port, where it is the only one at that address.
 */
export function findTried(
  { tried }: SentCall,
  { transport, address, port }: Target,
): Destination | undefined {
  const there = tried.filter((hop) => hop.transport === transport && hop.address === address);
  return (
    there.find((hop) => hop.port === port) ??
    (transport !== "udp" && there.length === 1 ? there[0] : undefined)
  );
}

/** The key of a request in hand. */
export function keyOfRequest({ via, address, replyPort, callId, message }: RequestInHand): string {
  return sentCallKey({ via, replyAddress: address, replyPort, callId, cseq: message.cseq });
}

/** The message in hand, in memory of its own: views and receive buffers are used again. */
export function keepInvite({ message, listener, address, port }: RequestInHand): KeptInvite {
  const { bytes, start, end } = message;
  return { bytes: Buffer.from(bytes.subarray(start, end)), listener, address, port };
}

/** A copy that does not hold on to the whole message, as a slice of its text would. */
export function copyText(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}
