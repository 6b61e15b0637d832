// The memory of calls: what every engine says of a call, and what it can ask about it. One for all engines.
import type { CallEnd, CallEvent, CallRef, EndedBy } from "../domain/call.ts";
import type { Millis } from "../domain/time.ts";
import type { TrunkId } from "../domain/trunk.ts";

/** The row of a call; {@link NO_CALL}: none. Rows are used again: a slot is good during one turn only, ids for ever. */
export type CallSlot = number;
export const NO_CALL: CallSlot = -1;

/** The name of a call as numbers: the start of its node in seconds since the Unix epoch, and its count since then. Both 32 bits, unsigned. */
export interface CallName {
  readonly epoch: number;
  readonly count: number;
}

/**
 * `judged`: refused, redirected or dropped, kept for its repeats. `setup`: forwarded, not answered. `answered`: it stands.
 * `leaving`: a BYE has passed, its answer has not.
 */
export type CallState = "judged" | "setup" | "answered" | "leaving";

/** Calls of one trunk that stand now. */
export interface TrunkCalls {
  readonly setup: number;
  readonly answered: number;
}

/**
 * One bounded memory of every call from its first message to its end. Time is an argument. What an engine keeps beside
 * the row of a call in set-up (bytes, next hops) is a `Setup` of its own.
 */
export interface Calls<Setup> {
  readonly capacity: number;
  /** Rows in use, the judged ones included. */
  readonly size: number;
  /** @returns the call whose first message had this key, as long as its repeats may come */
  find(key: string, now: Millis): CallSlot;
  /** @returns the call of this name, as long as it has a row */
  named(name: CallName): CallSlot;
  /**
   * Begins a call under the key of its first message ("": it has none) and gives it a name. {@link NO_CALL}: the table is full.
   * A call that began under the same key before gives way: its key is forgotten, its row is not.
   */
  begin(key: string, trunk: TrunkId, now: Millis): CallSlot;
  /** True when one more call has room. `isPassing`: it will be forwarded; the last quarter is kept for those. */
  hasRoom(isPassing: boolean): boolean;
  /** Takes a row back whose call can't be kept after all; nothing is told. */
  abandon(slot: CallSlot): void;

  refOf(slot: CallSlot): CallRef;
  nameOf(slot: CallSlot): CallName;
  stateOf(slot: CallSlot): CallState;
  setupOf(slot: CallSlot): Setup | undefined;
  /** Kept until the call has ended and its repeats can't come any more, at most 64·T1 after the answer. */
  setSetup(slot: CallSlot, setup: Setup): void;
  /** A name for a call that no row is kept for: the table was full, and it goes on all the same. */
  nameless(trunk: TrunkId): CallRef;

  /** The call was sent on: from now on it holds a channel of its trunk. */
  forwarded(slot: CallSlot, now: Millis): void;
  /** A provisional answer came. Only the first alerting is told. */
  provisional(slot: CallSlot, isAlerting: boolean, now: Millis): void;
  /**
   * A 2xx or ANM came. `tag` tells the branches of a fork apart; the first one is told, each holds the call.
   * `sessionSeconds`: Session-Expires; 0: none.
   */
  answered(slot: CallSlot, tag: string, sessionSeconds: number, now: Millis): void;
  /** A message of the call passed that proves that it stands; with another Session-Expires where it has one (0: unchanged). */
  refreshed(slot: CallSlot, sessionSeconds: number, now: Millis): void;
  /** The set-up failed, or the call was released: told, once. */
  ended(slot: CallSlot, end: CallEnd, now: Millis): void;
  /**
   * A BYE of the dialog with this called tag has passed: the channel is given back when it was the last dialog, the end is
   * told when the BYE is answered or can't be any more (64·T1).
   */
  leaving(slot: CallSlot, tag: string, by: EndedBy, cause: number | undefined, now: Millis): void;
  /** The BYE was answered; with 401 or 407 the dialog stands again. */
  left(slot: CallSlot, status: number, now: Millis): void;

  /** Calls of the trunk that hold a channel: in set-up, answered, and those of before a restart that are not confirmed yet. */
  channels(trunk: TrunkId): number;
  /** What stands now, by trunk. */
  standing(): ReadonlyMap<TrunkId, TrunkCalls>;
  /** Lets time pass: what has waited for too long ends. At most some thousand rows a time. */
  tick(now: Millis): void;
}

/** What the memory is made with. */
export interface CallsParts<Setup> {
  /** Rows. */
  readonly capacity: number;
  /** As record lines have it: the first part of every id. */
  readonly node: string;
  /** Start of the process in seconds, above every one before. */
  readonly epoch: number;
  /** Most time that a call may stand without an end, by trunk. Milliseconds. */
  readonly longestCall: (trunk: TrunkId) => Millis;
  readonly tell: (event: CallEvent) => void;
  /** Told each set-up that is kept no more. */
  readonly released?: (setup: Setup) => void;
}
