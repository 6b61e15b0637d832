// What the call thread asks of the records: they take events, count losses, and tell what is on disk.
import type { CallEvent } from "../../domain/call.ts";
import type { Millis } from "../../domain/time.ts";
import type { TrunkId } from "../../domain/trunk.ts";
import type { RecordsFigures } from "../../observe/figures.ts";
import type { NoteLine } from "./record-line.ts";

/** What the records say of a trunk, and when a call of it is lost. */
export interface TrunkFacts {
  readonly id: TrunkId;
  readonly lessee: string | undefined;
  /** `maxCallHours` in milliseconds. */
  readonly longestCall: Millis;
}

/** The records of calls, as the call thread sees them. */
export interface Records {
  /** Takes an event on the path of a call, and returns at once. Bytes of the event are copied. */
  readonly happened: (event: CallEvent) => void;
  /**
   * The same, and with `wait` the line is to be on disk as soon as possible: see {@link Records.onDurable}.
   *
   * @returns false when there was no room; the loss is counted
   */
  readonly push: (event: CallEvent, options?: { readonly wait?: boolean }) => boolean;
  /** The ticket of the last event with evidence that found room. Tickets count up, modulo 2^32. */
  readonly lastTicket: () => number;
  /** The last ticket whose line is on disk; of tickets without `wait` only when a later one waited. */
  readonly durable: () => number;
  /** `callback` is called whenever {@link Records.durable} has moved on. At most one callback. */
  readonly onDurable: (callback: () => void) => void;
  /** Takes a line that no call makes. */
  readonly note: (line: NoteLine) => void;
  /** Tells the trunks of the policy that came into force. */
  readonly know: (trunks: readonly TrunkFacts[]) => void;
  readonly figures: () => RecordsFigures;
  /** True while new calls are to be refused, because nobody could tell of them (`onFull: refuse`). */
  readonly isFull: () => boolean;
  /** Writes everything. Resolves when it is written, or could not be. */
  readonly close: () => Promise<void>;
}
