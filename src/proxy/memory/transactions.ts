// The transactions between a stream hop and a datagram hop, bounded.
import type { Buffer } from "node:buffer";
import { createExpiringMap, type ExpiringMap } from "../../state/expiring-map.ts";
import { REPEATED_FOR } from "../../sip/timers.ts";
import { createRepeats, type Repeats } from "./repeats.ts";

/** An answer on the datagram side that has come, or is awaited, for a request that went to a stream. */
interface Served {
  /** False: not a word from the stream hop yet, whose connection may have broken with the request in it. */
  isHeard: boolean;
  /** What a repeat of the request gets once it was heard; undefined: nothing. */
  answer: Buffer | undefined;
  /** The ACK of a refusal has gone on. */
  isAcknowledged: boolean;
}

/** A final answer of a datagram hop that has been passed to a stream. */
interface Settled {
  /** The caller's ACK of a refused INVITE, as it was sent on. */
  ack: Buffer | undefined;
}

/**
 * Transactions between a stream hop and a datagram hop. A peer on a stream sends each message once. The filter repeats
 * such a message to the datagram hop, and absorbs what the datagram hop repeats. Between two datagram hops or two
 * stream hops the ends do this themselves, and nothing here is used.
 */
export interface Transactions {
  readonly repeats: Repeats;
  /** Requests of datagram peers, by our branch, the hop's port and the method; likewise the others. */
  readonly served: ExpiringMap<Served>;
  /** Requests to datagram hops that have their final answer. */
  readonly settled: ExpiringMap<Settled>;
}

export function createTransactions(capacity: number): Transactions {
  return {
    repeats: createRepeats(capacity),
    served: createExpiringMap<Served>(capacity, REPEATED_FOR),
    settled: createExpiringMap<Settled>(capacity, REPEATED_FOR),
  };
}
