// What other nodes tell the records: checkpoints and ends of calls wait here for the next message to the thread.
import type { Log } from "../../observe/log.ts";
import type { HeardCheckpoint } from "../../records/lines/recording.ts";
import { checkpointOutcomes } from "../../records/peers/peer-checkpoints.ts";
import type { FromRecords, ToRecords } from "./records-messages.ts";

/** The way from other nodes to the records thread, and what becomes of what they tell. */
export interface PeerPost {
  /** Takes a checkpoint; one that waits from the same node gives way. */
  readonly keepCheckpoint: (heard: HeardCheckpoint) => void;
  readonly endedElsewhere: (id: string) => void;
  /** What waits, as messages; nothing waits afterwards. */
  readonly take: () => readonly ToRecords[];
  /** Counts what became of a checkpoint, and logs what an operator must know. */
  readonly hear: (message: FromRecords & { readonly kind: "peer" }) => void;
  /** Checkpoints of other nodes by outcome, since the start. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** Nodes of which a checkpoint waits, at most: those that are followed are fewer. */
const MOST_WAITING = 256;
/** Ends that wait, at most. What is beyond is told as lost in the end, and readers prefer the other node's end. */
const MOST_ENDS = 65_536;

/** Each stands in the metrics from the start: an alarm must see its first one. */
const results: readonly string[] = [...checkpointOutcomes.filter((name) => name !== "known"), "disk"];

export function createPeerPost(log: Log): PeerPost {
  const checkpoints = new Map<string, HeardCheckpoint>();
  let ids: string[] = [];
  const outcomes: Record<string, number> = Object.fromEntries(results.map((name) => [name, 0]));
  /** What was logged last of a node: the same is not logged again. */
  const told = new Map<string, string>();
  return {
    keepCheckpoint(heard) {
      if (checkpoints.size < MOST_WAITING || checkpoints.has(heard.node)) checkpoints.set(heard.node, heard);
    },
    endedElsewhere(id) {
      if (ids.length < MOST_ENDS) ids.push(id);
    },
    take() {
      const messages: ToRecords[] = [];
      if (checkpoints.size > 0) messages.push({ kind: "peers", heard: [...checkpoints.values()] });
      if (ids.length > 0) messages.push({ kind: "ended-elsewhere", ids });
      checkpoints.clear();
      ids = [];
      return messages;
    },
    hear({ node, outcome, why }) {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      const before = told.get(node) ?? "kept";
      if (outcome === before) return;
      if (told.size < MOST_WAITING || told.has(node)) told.set(node, outcome);
      const words = describeOutcome(node, outcome, why);
      if (words !== undefined) log.error(words, { node, outcome });
    },
    outcomes,
  };
}

function describeOutcome(
  node: string,
  outcome: (FromRecords & { readonly kind: "peer" })["outcome"],
  why: string,
): string | undefined {
  switch (outcome) {
    case "key":
      return `checkpoints of node ${node} are signed by another key than the first one that it told, in peers/${node}.pub of the evidence folder: they are not kept. Where its key was changed on purpose, move both files of the node away`;
    case "signature":
    case "form":
      return `a checkpoint of node ${node} is no checkpoint or is not signed by its own key: it is not kept`;
    case "shrunk":
      return `the evidence log of node ${node} has fewer leaves than before, or others: it was rolled back. Run evidence verify there with the checkpoints in peers/${node}.checkpoints of this evidence folder`;
    case "full":
      return `the checkpoints of node ${node} are not kept: there are too many nodes`;
    case "foreign":
      return `the checkpoints of node ${node} are not kept here: another process keeps them in this evidence folder`;
    case "disk":
      return `the checkpoints of node ${node} can't be kept: ${why}`;
    case "kept":
    case "known":
      return undefined;
  }
}
