// The interface of the memory of calls, one for all engines: what they tell it and what they ask it.
import type { CallEnd, CallEvent, CallRef, EndedBy } from "../domain/call.ts";
import type { Millis, WallClock } from "../domain/time.ts";
import type { TrunkId } from "../domain/trunk.ts";
import type { CallParty } from "./kept-texts.ts";

/** The row of a call; {@link NO_CALL}: none. Rows are used again: a slot is good during one turn only, ids for ever. */
export type CallSlot = number;
export const NO_CALL: CallSlot = -1;

/** The tag of a dialog, or the hash of it (`hashTag`, `hashTagAt`). */
export type DialogTag = string | number;

/**
 * The name of a call as numbers: the start of its node in seconds since the Unix epoch, and its count since then. Both
 * 32 bits, unsigned.
 */
export interface CallName {
  readonly epoch: number;
  readonly count: number;
  /** The number of the node that began it (call-nodes.ts); 0 or left out: this one. */
  readonly node?: number;
}

/**
 * `judged`: refused, redirected or dropped, kept for its repeats. `setup`: forwarded, not answered. `answered`: it
 * stands. `leaving`: a BYE has passed, its answer has not. `over`: its end was told, kept for its repeats; also said of
 * no row.
 */
export type CallState = "judged" | "setup" | "answered" | "leaving" | "over";

/** Calls of one trunk that stand now. */
export interface TrunkCalls {
  readonly setup: number;
  readonly answered: number;
}

/** Names of trunks by number, for a reader of rows in another thread. */
export interface TrunkNames {
  /** Changes with each new name. */
  readonly version: number;
  readonly names: readonly TrunkId[];
  /** Names of the nodes that calls belong to, by number; this one is the first. */
  readonly nodes: readonly string[];
}

/** What came of a snapshot. */
export interface RestoreResult {
  /** Calls that stand in the table again. */
  readonly rows: number;
  /** Calls of the snapshot that were left out: the table is full, the name is taken, or a row makes no sense. */
  readonly leftOut: number;
  /** Why nothing was read. `version`: another release wrote it. `damaged`: cut or changed since. */
  readonly issue?: "no-snapshot" | "version" | "damaged";
}

/**
 * One bounded memory of every call from its first message to its end. Time is an argument. What an engine keeps beside
 * the row of a call in set-up (bytes, next hops) is a `Setup` of its own.
 */
export interface Calls<Setup> {
  readonly capacity: number;
  /** Rows in use, the judged ones included. */
  size(): number;
  /**
   * A key is known as long as its repeats may come: throughout the set-up, for 64·T1 after a refusal or the answer, and
   * for 64·T1 after an end that is kept.
   *
   * @returns the call whose first message had this key
   */
  find(key: string, now: Millis): CallSlot;
  /** The same for a key that is latin1 in octets. */
  findOctets(bytes: Uint8Array, start: number, end: number, now: Millis): CallSlot;
  /** @returns the call of this name, as long as it has a row */
  named(name: CallName): CallSlot;
  /**
   * Begins a call under the key of its first message ("": it has none) and gives it a name. {@link NO_CALL}: the table
   * is full. A call that began under the same key before gives way: its key is forgotten, its row is not.
   */
  begin(key: string, trunk: TrunkId, now: Millis): CallSlot;
  /**
   * @returns true when one more call has room. `isPassing`: it will be forwarded; the last quarter is kept for those.
   */
  hasRoom(isPassing: boolean): boolean;
  /** Takes back the row of a call that can't be kept after all. Nothing is told. */
  abandon(slot: CallSlot): void;

  refOf(slot: CallSlot): CallRef;
  nameOf(slot: CallSlot): CallName;
  stateOf(slot: CallSlot): CallState;
  /** Time since the call began. Milliseconds. */
  ageOf(slot: CallSlot, now: Millis): Millis;
  setupOf(slot: CallSlot): Setup | undefined;
  /** Kept until the call has ended and its repeats can't come any more, at most 64·T1 after the answer. */
  setSetup(slot: CallSlot, setup: Setup): void;
  /** A name for a call without a row: the table was full, and the call goes on all the same. */
  nameless(trunk: TrunkId): CallRef;

  /**
   * The call was sent on: from now on it holds a channel of its trunk. Sent to another next hop, it waits for that one
   * anew. The set-up ends as timed out 64·T1 (and a little) after the last sending, or 240 s after the last provisional
   * answer.
   */
  forwarded(slot: CallSlot, now: Millis): void;
  /** A provisional answer came: 100 too ends timer B (RFC 3261 section 17.1.1.2). Only the first alerting is told. */
  provisional(slot: CallSlot, isAlerting: boolean, now: Millis): void;
  /**
   * The caller has given up before the answer (CANCEL). The INVITE still gets a final answer, which says how the call
   * ended; without one the call ends as cancelled 64·T1 later. A 2xx that crosses the CANCEL stands (RFC 3261 section
   * 9.1).
   */
  cancelled(slot: CallSlot, now: Millis): void;
  /**
   * A 2xx or ANM came. `tag` tells the dialogs of a fork apart; the first one is told, each holds the call. A repeat
   * changes nothing. At most six dialogs are known; the call ends with these, by its session, or as lost.
   * A 2xx after the end was told (timed out, refused) takes the channel again until its BYE, and tells nothing.
   * `sessionSeconds`: Session-Expires; 0: none.
   *
   * @returns true when a dialog has begun that was not known
   */
  answered(slot: CallSlot, tag: DialogTag, sessionSeconds: number, now: Millis): boolean;
  /** A request of the call passed inside its dialog: it stands, also where a restart had left it unconfirmed. */
  seen(slot: CallSlot, now: Millis): void;
  /**
   * A 2xx to a re-INVITE or UPDATE came: the session begins anew. `sessionSeconds`: its Session-Expires; 0: it has none, and the
   * session does not expire any more (RFC 4028 section 7.2).
   */
  refreshed(slot: CallSlot, sessionSeconds: number, now: Millis): void;
  /**
   * Whether the call still stands is not known: its channel is given back, until a message of it passes. It stays known
   * and ends as others do.
   */
  doubted(slot: CallSlot, now: Millis): void;
  /** The set-up failed, or the call was released without a BYE: told, once. A judged call has no end. */
  ended(slot: CallSlot, end: CallEnd, now: Millis): void;
  /**
   * A BYE of the dialog with this called tag has passed: the channel is given back when it was the last dialog, the end
   * is told when the BYE is answered or can't be any more (64·T1), with the time of the BYE. An unknown tag means the
   * only dialog; of several it means none. A crossing BYE changes nothing. In set-up the BYE of a caller ends an early
   * dialog: the same as {@link cancelled}. The called party may send none there: its BYE changes nothing (RFC 3261
   * section 15).
   */
  leaving(slot: CallSlot, tag: DialogTag, by: EndedBy, cause: number | undefined, now: Millis): void;
  /**
   * The BYE of a dialog was answered; with 401 or 407 the dialog stands again. One of the tags is the called one; where both are
   * unknown, the last BYE is meant. Provisional answers change nothing.
   */
  left(slot: CallSlot, fromTag: DialogTag, toTag: DialogTag, status: number, now: Millis): void;

  /**
   * Calls of the trunk that hold a channel: in set-up, answered, and those of before a restart that are not confirmed
   * yet.
   */
  channels(trunk: TrunkId): number;
  /** What stands now, by trunk. */
  standing(): ReadonlyMap<TrunkId, TrunkCalls>;
  /**
   * Lets time pass: what has waited for too long ends. At most some thousand rows a time; the next tick goes on there.
   */
  tick(now: Millis): void;

  /**
   * Keeps a text of latin1 beside the row, until the row is free. What it had before goes. A slice would keep the whole
   * text that it was cut from.
   *
   * @returns false when there is no room: the row then has none
   */
  keepText(slot: CallSlot, text: string): boolean;
  textOf(slot: CallSlot): string | undefined;
  /** Notes the CSeq of a request that a party has sent. */
  noteSequence(slot: CallSlot, from: CallParty, cseq: number): void;
  /** The highest CSeq that was noted; 0: none. */
  highestSequence(slot: CallSlot, from: CallParty): number;
  /** True when the dialog with this called tag stands. */
  stands(slot: CallSlot, tag: string): boolean;
  /**
   * Adds the names of calls in set-up and of answered calls of these trunks to `found`. Looks at some thousand rows.
   *
   * @param from where to begin: 0, or what the last search returned
   * @returns where the next search goes on; {@link NO_CALL}: there are no more rows
   */
  findOfTrunks(trunks: ReadonlySet<TrunkId>, from: CallSlot, found: CallName[]): CallSlot;

  /** The rows, for `packCalls` (call-snapshot.ts) in another thread. It only reads them. */
  readonly shared: SharedArrayBuffer;
  /** What `packCalls` needs beside the rows: hand it over with each snapshot. */
  trunkNames(): TrunkNames;
  /**
   * Takes calls back out of a snapshot. They hold their channels for 30 minutes, or until a message of theirs confirms
   * them; unconfirmed ones stay known and end as others do. What was unconfirmed for 30 minutes before takes no channel
   * again. Their keys are not known again. Never throws.
   */
  restore(snapshot: Uint8Array, now: Millis): RestoreResult;
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
  /** Told each call whose state other nodes should know, as soon as it has changed. */
  readonly changed?: (slot: CallSlot) => void;
  /** Told each node that calls belong to, and its number. */
  readonly nodeNamed?: (number: number, node: string) => void;
  /** Told each set-up whose call has ended. It is still kept for repeats. */
  readonly finished?: (setup: Setup) => void;
  /** Told each set-up that is kept no more. */
  readonly released?: (setup: Setup) => void;
  /** Octets that {@link Calls.keepText} may keep in sum; none when left out. */
  readonly callBytes?: number;
  /** Told each time that a text finds no room. */
  readonly noRoom?: () => void;
  /** How the wall clock stands: ends and snapshots are dated by it. Left out: both clocks are one. */
  readonly wall?: WallClock;
}

/** The memory of calls as the running filter sees it: what stands now, and snapshots over a restart. */
export type CallsView = Pick<Calls<never>, "standing" | "shared" | "trunkNames" | "restore">;
