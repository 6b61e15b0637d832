// The calls that the filter has ended in the last 64·T1: what still comes of them ends here.
import type { Millis } from "../../domain/time.ts";
import type { CallName } from "../../calls/calls.ts";
import type { Listener, Target } from "../../routing/listener.ts";
import type { TransactionPath } from "../../routing/request-in-hand.ts";
import { REPEATED_FOR } from "../../sip/timers.ts";

/** The INVITE of a call that was ended in set-up, as it went on: for CANCEL and ACK (RFC 3261 sections 9.1, 17.1.1.3). */
export interface SentInvite {
  readonly uri: string;
  readonly from: string;
  readonly to: string;
  /** Whole lines. */
  readonly routes: string;
  /** The caller's side of the transaction. */
  readonly path: TransactionPath;
  /** The listener that it came in by. */
  readonly ingress: Listener;
}

/** What is counted of one release. */
export interface ReleaseTally {
  released: number;
  gone: number;
  notReleasable: number;
  /** Calls whose BYE waits for its answer. */
  waiting: number;
}

/** A call that the filter has ended. */
export interface ReleasedCall {
  readonly name: CallName;
  readonly tally: ReleaseTally;
  /** Undefined: the call was answered when it was ended. */
  readonly invite: SentInvite | undefined;
  /** The next hops that the INVITE went to, and may still ring at. */
  readonly targets: readonly Target[];
  /** Those that got a CANCEL. It is sent with the first provisional answer (RFC 3261 section 9.1). */
  readonly cancelled: Target[];
  /** The called tags of dialogs that got our BYE. */
  readonly tags: string[];
  /** CSeq of the INVITE. */
  readonly cseq: number;
  /** BYEs that wait for their answers, those that were sent, and those answered 481 or 408. */
  open: number;
  sent: number;
  unknown: number;
}

/** Bounded: where there are too many, the one that ended first goes. */
export interface ReleasedCalls {
  readonly size: number;
  add(call: ReleasedCall, now: Millis): void;
  of(name: CallName): ReleasedCall | undefined;
  /** Forgets what ended 64·T1 ago. */
  tick(now: Millis): void;
}

interface Entry {
  readonly call: ReleasedCall;
  readonly until: Millis;
}

/** Names that can be released begin with one epoch of each node: its number and the count tell them apart. */
export function createReleasedCalls(capacity: number): ReleasedCalls {
  const entries = new Map<number, Entry>();
  return {
    get size() {
      return entries.size;
    },
    add(call, now) {
      for (const oldest of entries.keys()) {
        if (entries.size < capacity) break;
        entries.delete(oldest);
      }
      entries.set(keyOf(call.name), { call, until: now + REPEATED_FOR });
    },
    of(name) {
      const call = entries.get(keyOf(name))?.call;
      return call?.name.epoch === name.epoch ? call : undefined;
    },
    tick(now) {
      for (const [count, { until }] of entries) {
        if (until > now) break;
        entries.delete(count);
      }
    },
  };
}

function keyOf({ node = 0, count }: CallName): number {
  return node * 2 ** 32 + count;
}
