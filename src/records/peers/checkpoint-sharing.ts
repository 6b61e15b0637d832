// Hands each new checkpoint of our evidence to the other nodes, and takes theirs.
import type { Millis } from "../../domain/time.ts";
import type { Records } from "../lines/recording.ts";

/** Tells an entry to the other nodes, and keeps it for those that start. */
export interface KeepsEntries {
  keep(kind: "checkpoint", subject: string, bytes: Uint8Array | undefined): void;
}

/** Hears an entry that another node keeps. */
export interface HearsCheckpoints {
  /** Entries of other kinds are not looked at. Never throws. */
  readonly kept: (
    from: { readonly node: string; readonly epoch: number },
    kind: string,
    subject: string,
    bytes: Uint8Array | undefined,
    at: Millis,
  ) => void;
}

/** What the entry of a node is about: it has one log, and its newest checkpoint takes the place of the one before. */
const SUBJECT = "evidence";

/**
 * Begins to tell the checkpoints of this node.
 *
 * @param node this node: what it told itself is not taken
 */
export function shareCheckpoints(
  records: Pick<Records, "onCheckpoint" | "keepCheckpoint">,
  exchange: KeepsEntries,
  node: string,
): HearsCheckpoints {
  records.onCheckpoint((packed) => exchange.keep("checkpoint", SUBJECT, packed));
  return {
    kept(from, kind, subject, bytes, at) {
      if (kind !== "checkpoint" || subject !== SUBJECT || bytes === undefined || from.node === node) return;
      records.keepCheckpoint({ node: from.node, epoch: from.epoch, at, bytes });
    },
  };
}
