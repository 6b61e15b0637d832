// Entries of one kind that every node has in force: orders, quarantine, findings.

import type { LineChange } from "../domain/line-change.ts";
import type { SharedFinding } from "../screening/detectors/findings.ts";
import type { Held } from "../state/quarantine/held.ts";

/** Invariant: two nodes that have heard the same entries, in whatever order, have the same ones in force. */
export interface Shared<Entry> {
  /** From now on each change is handed to `tell`, for the other nodes. */
  readonly tellTo: (tell: (entry: Entry) => void) => void;
  /** Takes what another node has told, or an earlier process of this one. It is in force before this returns. */
  readonly heard: (from: string, entry: Entry) => void;
  /** What is in force here. */
  readonly entries: () => Iterable<Entry>;
}

/** Everything that is ordered or found on one node and holds on all of them. */
export interface SharedKinds {
  readonly lines: Shared<LineChange>;
  readonly quarantine: Shared<Held>;
  readonly findings: Shared<SharedFinding>;
}

/** Takes changes as long as there is no other node. */
export function tellNobody(): void {
  // A node that is alone has nobody to tell.
}
