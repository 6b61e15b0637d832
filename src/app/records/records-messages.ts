// What the call thread and the records thread share and tell each other.
import type { MessagePort } from "node:worker_threads";
import type { EvidenceConfig } from "../../config/sigwall/evidence-schema.ts";
import type { RecordsConfig } from "../../config/sigwall/records-schema.ts";
import type { Millis } from "../../domain/time.ts";
import type { NoteLine } from "../../records/lines/record-line.ts";
import type { HeardCheckpoint, TrunkFacts } from "../../records/lines/recording.ts";
import type { CheckpointOutcome } from "../../records/peers/peer-checkpoints.ts";
import { FREE_CELLS, type RingMemory } from "../../state/byte-ring.ts";

/** Changes whenever the records thread is to look at once. */
export const WAKE = FREE_CELLS;
/** 1 while nothing can be written. */
export const FAILING = FREE_CELLS + 1;
/** The last ticket whose line is on disk, modulo 2^32. */
export const DURABLE = FREE_CELLS + 2;
/** 1 while no evidence can be written. */
export const EVIDENCE_FAILING = FREE_CELLS + 3;
/** Tickets of the frames that were released, modulo 2^32: a thread that is started again goes on from here. */
export const RELEASED = FREE_CELLS + 4;
/** Events whose frames were released and whose lines wait for the disk: a thread that ends takes them with it. */
export const WAITING_LINES = FREE_CELLS + 5;
/** Events that were let go, and that no gap has told yet. */
export const UNTOLD_LINES = FREE_CELLS + 6;
/** Cells beside those of the ring. */
export const RECORDS_CELLS = 7;

/** What the records thread is started with. */
export interface RecordsThreadData {
  readonly thread: "records";
  readonly port: MessagePort;
  readonly ring: RingMemory;
  readonly node: string;
  /** Undefined: only evidence is kept. */
  readonly lines: Pick<RecordsConfig, "folder" | "keepDays"> | undefined;
  /** Undefined: only lines are kept. */
  readonly evidence: EvidenceConfig | undefined;
  /** Names with numbers that frames of an earlier thread have brought. */
  readonly names: readonly string[];
  readonly trunks: readonly TrunkFacts[];
  readonly linesFolder: FolderState;
  readonly evidenceFolder: FolderState;
}

/** How a folder was found by the call thread. */
export interface FolderState {
  /** True when this process holds the lock of the node; false: the folder could not be written yet. */
  readonly isLocked: boolean;
  /** True when the process before this one was killed. */
  readonly isAfterKill: boolean;
}

/** From the call thread to the records thread. */
export type ToRecords =
  | { readonly kind: "note"; readonly line: NoteLine }
  /** A line of a gap for the evidence log and for the records. */
  | { readonly kind: "gap"; readonly line: string; readonly at: Millis; readonly lost: number }
  | { readonly kind: "trunks"; readonly trunks: readonly TrunkFacts[] }
  /** Checkpoints of other nodes, at most one of each. */
  | { readonly kind: "peers"; readonly heard: readonly HeardCheckpoint[] }
  /** Calls that this node began and that have ended on other nodes, by id. */
  | { readonly kind: "ended-elsewhere"; readonly ids: readonly string[] }
  /** Asks to write everything; answered by `closed`. */
  | { readonly kind: "close" };

/** From the records thread to the call thread. */
export type FromRecords =
  /** Nothing can be written from now on, and why. */
  | { readonly kind: "failing"; readonly why: string }
  | { readonly kind: "writing" }
  /** Events that were let go: their lines found no room while nothing could be written. */
  | { readonly kind: "lost"; readonly lost: number }
  /** Tickets became durable: see {@link DURABLE}. */
  | { readonly kind: "durable" }
  /** Octets of all record files. */
  | { readonly kind: "bytes"; readonly bytes: number }
  /**
   * Evidence can't be written from now on, and why; undefined: it can again. `lost`: messages that were not taken since
   * the last of these.
   */
  | { readonly kind: "evidence"; readonly why: string | undefined; readonly lost: number }
  /** A checkpoint of the evidence log: it should leave the machine. `packed`: as other nodes take it. */
  | {
      readonly kind: "checkpoint";
      readonly size: number;
      readonly root: string;
      readonly packed: Uint8Array;
    }
  /** What became of a checkpoint of another node. `disk`: why it could not be written. */
  | {
      readonly kind: "peer";
      readonly node: string;
      readonly outcome: CheckpointOutcome | "disk";
      readonly why: string;
    }
  /** What an operator should know of the evidence log. */
  | { readonly kind: "trouble"; readonly what: string }
  /** Old records and evidence are not deleted for now, and why. */
  | { readonly kind: "clock"; readonly why: string }
  /** A line could not be made: a fault of ours. */
  | { readonly kind: "fault"; readonly error: string }
  /** `lost`: events that could not be written. `isEvidenceWhole`: all evidence is on disk and signed. */
  | { readonly kind: "closed"; readonly lost: number; readonly isEvidenceWhole: boolean };
