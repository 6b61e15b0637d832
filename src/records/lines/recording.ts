// What the call thread asks of the records: they take events, count losses, and tell what is on disk.
import type { CallEvent } from "../../domain/call.ts";
import type { Millis } from "../../domain/time.ts";
import type { EvidenceMode, TrunkId } from "../../domain/trunk.ts";
import type { EvidenceWait } from "../../judging/held-refusals.ts";
import type { RecordsFigures } from "../../observe/figures.ts";
import type { NoteLine } from "./record-line.ts";

/** What the records say of a trunk, and when a call of it is lost. */
export interface TrunkFacts {
  readonly id: TrunkId;
  readonly lessee: string | undefined;
  /** `maxCallHours` in milliseconds. */
  readonly longestCall: Millis;
  /** As the policy has it; undefined: as `evidence.durability` says. */
  readonly evidence: EvidenceMode | undefined;
}

/** The records of calls, as the call thread sees them. */
export interface Records {
  /** Takes an event on the path of a call, and returns at once. Bytes of the event are copied. */
  readonly happened: (event: CallEvent) => void;
  /** For answers that wait for their evidence. */
  readonly evidence: EvidenceWait;
  /** `callback` is called when evidence that somebody waits for is on disk. At most one callback. */
  readonly onDurable: (callback: () => void) => void;
  /** Takes a line that no call makes. */
  readonly note: (line: NoteLine) => void;
  /** Tells the trunks of the policy that came into force. */
  readonly know: (trunks: readonly TrunkFacts[]) => void;
  readonly figures: () => RecordsFigures;
  /** True while new calls of a trunk are to be refused, because nobody could tell of them (`onFull: refuse`). */
  readonly isFull: (trunk: TrunkId) => boolean;
  /** Writes everything. Resolves when it is written, or could not be. */
  readonly close: () => Promise<void>;
}
