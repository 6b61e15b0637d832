// The layout of batches: what nodes tell each other of their calls.
import type { SipTransport } from "../domain/trunk.ts";

/*
 * A batch: version (8 bits), the clock of the node when it was sent (a double; all times of the batch are on that clock),
 * then items: kind (8 bits), octets that follow (16 bits), the item. A reader passes over kinds that it does not know, so
 * that nodes of two releases understand each other. Numbers are little-endian; a text has its length in front (8 bits).
 *
 * The name of a call: the node ("": the one that sends the batch), epoch and count (32 bits each).
 */
export const VERSION = 1;
/** Octets in front of the items. */
export const HEAD = 9;
/** Octets in front of an item. */
export const ITEM_HEAD = 3;
/** Octets of a batch, at most. */
export const LONGEST_BATCH: number = 1 << 20;
/** Octets of an item, at most. */
export const LONGEST_ITEM = 4096;

/** The kinds of items. */
export const Item = {
  /** A call attempt that others count: who calls whom. */
  attempt: 1,
  /** What was decided about a message, for its repeats. */
  decision: 2,
  /** The state of a call that stands. */
  row: 3,
  /** A call has ended. */
  ended: 4,
  /** The node begins, or has ended, to tell the state of every call that it carries. */
  roster: 5,
  /** The node asks for that. */
  ask: 6,
  /** A call in set-up is at another next hop. */
  moved: 7,
  /** A BYE of a call has passed that the node does not know. */
  left: 8,
} as const;

/** Bits of an attempt. */
export const AttemptFlag = {
  /** It has paid the limits of its trunk. */
  paid: 1,
  forwarded: 2,
  emergencyUrn: 4,
  isup: 8,
} as const;

/** A row belongs to a roster. */
export const ROSTER_ROW = 1;

/** Stands for a number that is left out. */
export const NONE = 0xffffffff;
export const NO_CAUSE = 0xffff;

/** Identities of an attempt that are told, at most. */
export const MOST_IDENTITIES = 16;

/** New words are added at the end: their place is the number on the wire. */
export const transports = ["udp", "tcp", "tls"] as const satisfies readonly SipTransport[];
export const outcomeKinds = ["forward", "redirect", "reject", "drop"] as const;
/** Kinds of numbers. */
export const NumberKind = { none: 0, e164: 1, short: 2 } as const;
