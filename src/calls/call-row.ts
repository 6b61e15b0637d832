// The columns of a call's row, as the table, the wheel, the life of a call and the snapshot use them.

/** 32-bit words of a row: 128 octets. Row 0 is the header of the buffer and holds no call. */
export const ROW_WORDS = 32;
export const ROW_DOUBLES = ROW_WORDS / 2;

/** Odd while the row is being changed: another thread that reads it then reads it again. */
export const SEQUENCE = 0;
/** State, flags and the BYE: see below. */
export const FLAGS = 1;
export const EPOCH = 2;
export const COUNT = 3;
export const KEY_LOW = 4;
export const KEY_HIGH = 5;
/** The next row in the bucket of the key; 0: none. */
export const KEY_CHAIN = 6;
/** The next row in the bucket of the name; 0: none. Of a free row: the next free one. */
export const NAME_CHAIN = 7;
/** Neighbours in the bucket of the wheel; 0: none. */
export const BEFORE = 8;
export const AFTER = 9;
/** The second in which the wheel visits the row. It is never later than DUE asks for. */
export const VISIT = 10;
/** The number of the trunk. */
export const TRUNK = 11;
/** Session interval in seconds; 0: none. */
export const SESSION = 12;
/** Dialogs: see call-dialogs.ts. */
export const DIALOGS = 13;
export const TAGS = 14;
export const MOST_DIALOGS = 6;
/** Milliseconds from the decision to the first alerting and to the first answer, plus one; 0: there was none. */
export const RINGING = 30;
export const ANSWERED = 31;

/** Columns of doubles, on the engine's clock (call-clock.ts). */
export const DUE = 10;
export const BEGUN = 11;
/** Of a row that is judged: its beginning; answered: the answer; over: the end. */
export const CHANGED = 12;
/** Expiry of the session; Infinity: it has none. */
export const EXPIRES = 13;
/** When the BYE passed. */
export const BYE_AT = 14;

/**
 * Columns of the header: how far the time of the table is ahead of the wall clock, the version of trunk names, and the
 * highest row that was ever in use.
 */
export const HEADER_AHEAD = 1;
export const HEADER_NAMES = 1;
export const HEADER_USED = 4;

export const STATE = 15;
export const FREE = 0;
export const JUDGED = 1;
export const IN_SETUP = 2;
export const STANDING = 3;
export const IN_RELEASE = 4;
/** The end was told, or there is nothing to tell: kept for repeats. */
export const OVER = 5;

/** The row stands in the index of keys. */
export const KEYED = 1 << 4;
/** The row counts as a channel of its trunk. */
export const CHANNEL = 1 << 5;
/** The row came out of a snapshot, and no message of its call has passed since. */
export const UNCONFIRMED = 1 << 6;
/** `ended` was told. */
export const TOLD = 1 << 7;
/** The caller has given up; the final answer of the INVITE has not come. */
export const CANCELLED = 1 << 8;
/** The number of the node that began the call (call-nodes.ts), 3 bits; 0: this one. */
export const NODE_SHIFT = 28;
export const NODE = 7 << NODE_SHIFT;
/** Another node carries the call: here it only holds its channel, and tells nothing. */
export const ELSEWHERE = 1 << 31;
/** Every flag of a row that a snapshot keeps. */
export const LASTING = TOLD | CANCELLED | NODE;

/** The BYE: who sent it (an index of `endedBys`) and its cause, 16 bits, where it has one. */
export const BY_SHIFT = 9;
export const HAS_CAUSE = 1 << 11;
export const CAUSE_SHIFT = 12;
export const BYE = (3 << BY_SHIFT) | HAS_CAUSE | (0xffff << CAUSE_SHIFT);
