// What the call thread and the thread that writes snapshots of calls tell each other.
import type { TrunkNames } from "../calls/calls.ts";
import type { Millis } from "../domain/time.ts";

/** What the writing thread is started with. */
export interface SnapshotThreadData {
  readonly thread: "call-snapshots";
  /** The rows of the memory of calls. The thread only reads them. */
  readonly rows: SharedArrayBuffer;
  readonly names: TrunkNames;
  /** Where the snapshot goes. */
  readonly path: string;
  /** Time between two snapshots. Milliseconds. */
  readonly every: Millis;
}

/** From the call thread to the writing thread. */
export type ToSnapshots =
  /** The names of trunks of the version that the rows have now. */
  | { readonly kind: "names"; readonly names: TrunkNames }
  /** Asks for a last snapshot; answered by `closed`. */
  | { readonly kind: "close"; readonly names: TrunkNames };

/** From the writing thread to the call thread. */
export type FromSnapshots =
  /** The names of trunks have changed. */
  | { readonly kind: "names" }
  /** The snapshot on disk is up to date: it was written, or nothing has changed. */
  | { readonly kind: "kept"; readonly isNew: boolean }
  | { readonly kind: "failed"; readonly why: string }
  | { readonly kind: "closed" };
