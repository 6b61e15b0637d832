// Entries of one kind that every node has in force: orders, quarantine, findings.

/** Invariant: two nodes that have heard the same entries, in whatever order, have the same ones in force. */
export interface Shared<Entry> {
  /** From now on each change is handed to `tell`, for the other nodes. */
  readonly tellTo: (tell: (entry: Entry) => void) => void;
  /** Takes what another node has told, or an earlier process of this one. It is in force before this returns. */
  readonly heard: (from: string, entry: Entry) => void;
  /** What is in force here. */
  readonly entries: () => Iterable<Entry>;
}

/** Takes changes as long as there is no other node. */
export function tellNobody(): void {
  // A node that is alone has nobody to tell.
}
