// What nodes tell each other, as the rest of the filter sees it: batches, kept entries, and who is there.
import type { ExchangeFigures } from "../observe/cluster/cluster-figures.ts";

/** A process among the nodes. */
export interface NodeRef {
  readonly node: string;
  /** Start of the process, in seconds, as call ids have it. */
  readonly epoch: number;
}

/** What an entry that is kept for nodes that start is about. */
export type KeptKind = "line" | "quarantine" | "finding" | "checkpoint";

/** Every kind, in the order of its number on the wire. New kinds come last. */
export const keptKinds: readonly KeptKind[] = ["line", "quarantine", "finding", "checkpoint"];

/** What a node runs. */
export interface NodeStatus {
  /** Revision of the policy in force. */
  readonly revision: string;
  /** Fingerprint by name of list. */
  readonly lists: Readonly<Record<string, string>>;
  readonly isReady: boolean;
}

/** Octets of one batch. A longer one is not sent, and counted as lost. */
export const MOST_BATCH: number = 2 ** 20;
/** Octets of one kept entry, its subject included. */
export const MOST_KEPT: number = 2 ** 16;
/** Kept entries of one node. */
export const MOST_KEPT_ENTRIES = 4096;
/** Nodes that are followed. */
export const MOST_NODES = 64;

/** Tells other nodes, and remembers what they told. No member waits for another node, and none throws. */
export interface Exchange {
  /** Hands over a batch of at most {@link MOST_BATCH} octets. The octets belong to the exchange afterwards. */
  send(batch: Uint8Array): void;
  /**
   * Keeps an entry for nodes that start, and tells it at once to those that run. An entry replaces the one of the same
   * kind and subject; undefined: the entry is gone.
   */
  keep(kind: KeptKind, subject: string, bytes: Uint8Array | undefined): void;
  /** Says what this node runs: told each second. */
  know(status: NodeStatus): void;
  figures(): ExchangeFigures;
  /** Resolves when what other nodes keep was heard, or after `most` milliseconds. */
  asked(most: number): Promise<void>;
  /** Sends what waits, says that this node ends, and ends the thread. Resolves within 2 s. */
  close(): Promise<void>;
}

/** Hears the other nodes, on the call thread. */
export interface ExchangeListener {
  /**
   * A batch of another node: each once, in the order of its node.
   *
   * @param age milliseconds from its sending to now, measured without comparing clocks of nodes
   */
  batch(from: NodeRef, bytes: Uint8Array, age: number): void;
  /**
   * An entry that another node keeps, at the start and when it changes. Entries that an earlier process of this node kept
   * come too, once.
   *
   * @param bytes undefined: the entry is gone
   * @param at wall time at which that node kept it, by its own clock; Unix milliseconds
   */
  kept(from: NodeRef, kind: KeptKind, subject: string, bytes: Uint8Array | undefined, at: number): void;
  /** `new`: a node has come, or has a new epoch. `gone`: it ended, or was not heard for 5 s. `back`: it is heard again. */
  peer(from: NodeRef, what: "new" | "gone" | "back"): void;
}
