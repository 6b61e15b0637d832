// The messages between the call thread and the cluster thread, and the cells that count them. Invariant: each can be cloned.
import type { MessagePort } from "node:worker_threads";
import type { ExchangeFigures } from "../../observe/cluster/cluster-figures.ts";
import type { KeptKind, NodeRef, NodeStatus } from "../../cluster/exchange.ts";
import type { RedisConfig } from "../../config/sigwall/redis-schema.ts";
import type { Millis } from "../../domain/time.ts";

/** Messages that the cluster thread has taken, modulo 2^32. */
export const TAKEN = 0;
/** Messages with batches and entries that the call thread has taken, modulo 2^32. */
export const HEARD = 1;
/** Size of these, modulo 2^32. Units of 1024 octets, each message rounded up. */
export const HEARD_SIZE = 2;
export const CLUSTER_CELLS = 3;

/** The size of a message with so many octets, in the units of {@link HEARD_SIZE}. */
export function sizeOf(octets: number): number {
  return Math.ceil((octets + 1) / 1024);
}

/** A clock that all threads of a process share. Milliseconds from any moment. */
export function sharedNow(): Millis {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/** What the cluster thread is started with. */
export interface ClusterThreadData {
  readonly thread: "cluster";
  readonly port: MessagePort;
  readonly cells: Int32Array<SharedArrayBuffer>;
  readonly redis: RedisConfig;
  /** The octets of the key file. */
  readonly secret: Uint8Array;
  readonly node: string;
  readonly epoch: number;
  readonly instance: string;
  /** The last sequence that was given before the thread was started. */
  readonly sequence: number;
  /** Added to the wall clock: tests play a clock that is wrong. Milliseconds. */
  readonly wallAhead: Millis;
  /** True: no other process of the node was alive at the start. */
  readonly isBegun: boolean;
}

/** A batch or an entry on its way to the other nodes. `at`: {@link sharedNow} when it was handed over. */
export type Outgoing =
  | { readonly kind: "batch"; readonly sequence: number; readonly at: Millis; readonly bytes: Uint8Array }
  | {
      readonly kind: "keep";
      readonly sequence: number;
      readonly at: Millis;
      readonly entry: KeptKind;
      readonly subject: string;
      readonly bytes: Uint8Array | undefined;
      /** Wall time. */
      readonly wall: Millis;
    };

/** From the call thread to the cluster thread. */
export type ToCluster =
  | Outgoing
  /** `since`: {@link sharedNow} when its policy came into force. */
  | { readonly kind: "know"; readonly status: NodeStatus; readonly since: Millis }
  | { readonly kind: "close" };

/** From the cluster thread to the call thread. */
export type FromCluster =
  /** `at`: {@link sharedNow} when the other node handed it over. */
  | { readonly kind: "batch"; readonly from: NodeRef; readonly bytes: Uint8Array; readonly at: Millis }
  | {
      readonly kind: "kept";
      readonly from: NodeRef;
      readonly entry: KeptKind;
      readonly subject: string;
      readonly bytes: Uint8Array | undefined;
      readonly wall: Millis;
    }
  | { readonly kind: "peer"; readonly from: NodeRef; readonly what: "new" | "gone" | "back" }
  /** What other nodes keep was heard. */
  | { readonly kind: "asked" }
  /** Whether another process of the node is alive. */
  | { readonly kind: "begun"; readonly hasTwin: boolean }
  | { readonly kind: "figures"; readonly figures: ExchangeFigures }
  | {
      readonly kind: "log";
      readonly level: "info" | "warn" | "error";
      readonly message: string;
      readonly fields: Readonly<Record<string, string | number>>;
    }
  | { readonly kind: "closed" };
