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

/** A checkpoint as another node has told it. */
export interface HeardCheckpoint {
  readonly node: string;
  /** Start of the process that signed it. A log is rolled back between two processes: the tree is in memory. */
  readonly epoch: number;
  /** When it was told, by the clock of that node. */
  readonly at: Millis;
  /** The line of the public key, then the note. */
  readonly bytes: Uint8Array;
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
  /** `callback` gets each new checkpoint of the evidence, as other nodes take it. At most one callback. */
  readonly onCheckpoint: (callback: (packed: Uint8Array) => void) => void;
  /** Keeps the checkpoint of another node beside the evidence; without evidence nothing is kept. */
  readonly keepCheckpoint: (heard: HeardCheckpoint) => void;
  /** A call that this node began has ended on another one, which writes its end: it is no lost call. */
  readonly endedElsewhere: (id: string) => void;
  readonly figures: () => RecordsFigures;
  /** True while new calls of a trunk are to be refused, because nobody could tell of them (`onFull: refuse`). */
  readonly isFull: (trunk: TrunkId) => boolean;
  /** Writes everything. Resolves when it is written, or could not be. */
  readonly close: () => Promise<void>;
}
