// The transactions between a stream hop and a datagram hop, bounded.
import type { Buffer } from "node:buffer";
import { NEXT_HOP } from "../../domain/trunk.ts";
import { createSharedMap, type SharedMap } from "../../state/shared-map.ts";
import { REPEATED_FOR } from "../../sip/timers.ts";
import { createRepeats, type Repeats } from "./repeats.ts";

/** An answer on the datagram side that has come, or is awaited, for a request that went to a stream. */
interface Served {
  /** False: the stream hop has not answered anything yet. Its connection may have broken before the request arrived. */
  isHeard: boolean;
  /** The answer that a repeat of the request gets once the hop has answered. Undefined: it gets none. */
  answer: Buffer | undefined;
  /** True: the ACK of a refusal has been sent on. */
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
 * stream hops the ends do this themselves, and nothing here is used. The trunks whose requests they are share the room.
 */
export interface Transactions {
  readonly repeats: Repeats;
  /** Requests of datagram peers. The key is our branch, the hop's port and the method, as in the other tables. */
  readonly served: SharedMap<Served>;
  /** Requests to datagram hops that have their final answer. */
  readonly settled: SharedMap<Settled>;
}

export function createTransactions(capacity: number): Transactions {
  return {
    repeats: createRepeats(capacity),
    served: createSharedMap<Served>(capacity, REPEATED_FOR, NEXT_HOP),
    settled: createSharedMap<Settled>(capacity, REPEATED_FOR, NEXT_HOP),
  };
}
