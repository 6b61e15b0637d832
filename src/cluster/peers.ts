// Which nodes are there, what each runs, how far its clock is off, and when one has gone.
import type { Millis } from "../domain/time.ts";
import type { ToldStatus } from "./entry-bodies.ts";
import type { PeerFigure } from "../observe/cluster/cluster-figures.ts";
import { MOST_NODES, type NodeRef } from "./exchange.ts";
import type { RunningPolicy } from "./same-policy.ts";

/** A node that is not heard for so long is gone. Milliseconds. */
export const GONE_AFTER: Millis = 5000;
/** A node that has been gone for so long is forgotten. Milliseconds. */
const FORGOTTEN_AFTER: Millis = 3_600_000;
/** Measurements of a clock that are kept: the one with the shortest way counts. */
const MEASURED = 8;

/** How an entry came. */
export interface Arrival {
  /** Since it was written. Milliseconds. */
  readonly age: Millis;
  /** The node's wall clock less ours, lowered by the time on the way. Milliseconds. */
  readonly offset: Millis;
}

export interface Peers {
  /** Something of a node was heard. @returns false when there are too many nodes */
  readonly heard: (from: NodeRef, arrival: Arrival, now: Millis) => boolean;
  readonly status: (from: NodeRef, status: ToldStatus, age: Millis, now: Millis) => void;
  /** A node said that it ends. */
  readonly ended: (from: NodeRef) => void;
  readonly due: (now: Millis) => void;
  readonly figures: () => readonly PeerFigure[];
  /** What the nodes that are up run. A node that starts has nothing in force. */
  readonly running: (now: Millis) => readonly RunningPolicy[];
}

interface Peer {
  ref: NodeRef;
  isUp: boolean;
  heardAt: Millis;
  delay: Millis;
  readonly offsets: Millis[];
  status: ToldStatus | undefined;
  /** When its policy came into force. Monotonic milliseconds of this node. */
  inForceAt: Millis;
}

/** @param tell is told what becomes of a node */
export function createPeers(tell: (from: NodeRef, what: "new" | "gone" | "back") => void): Peers {
  const peers = new Map<string, Peer>();

  /** Undefined: the node is not known, or another process of it is. */
  function current(from: NodeRef): Peer | undefined {
    const peer = peers.get(from.node);
    return peer?.ref.epoch === from.epoch ? peer : undefined;
  }

  function welcome(from: NodeRef, now: Millis): Peer | undefined {
    if (peers.size >= MOST_NODES && !peers.has(from.node)) return undefined;
    const peer: Peer = {
      ref: from,
      isUp: true,
      heardAt: now,
      delay: 0,
      offsets: [],
      status: undefined,
      inForceAt: now,
    };
    peers.set(from.node, peer);
    tell(from, "new");
    return peer;
  }

  return {
    heard(from, { age, offset }, now) {
      const known = peers.get(from.node);
      if (known !== undefined && known.ref.epoch > from.epoch) return true;
      const peer = current(from) ?? welcome(from, now - age);
      if (peer === undefined) return false;
      peer.heardAt = Math.max(peer.heardAt, now - age);
      peer.delay = age;
      peer.offsets.push(offset);
      if (peer.offsets.length > MEASURED) peer.offsets.shift();
      if (!peer.isUp && now - peer.heardAt < GONE_AFTER) {
        peer.isUp = true;
        tell(from, "back");
      }
      return true;
    },
    status(from, status, age, now) {
      const peer = current(from);
      if (peer === undefined) return;
      peer.status = status;
      peer.inForceAt = now - age - status.inForce;
    },
    ended(from) {
      if (current(from) === undefined) return;
      peers.delete(from.node);
      tell(from, "gone");
    },
    due(now) {
      for (const [node, peer] of peers) {
        const silent = now - peer.heardAt;
        if (peer.isUp && silent >= GONE_AFTER) {
          peer.isUp = false;
          tell(peer.ref, "gone");
        }
        if (silent >= FORGOTTEN_AFTER) peers.delete(node);
      }
    },
    figures: () =>
      [...peers.values()].map(({ ref, isUp, delay, offsets, status }) => ({
        node: ref.node,
        epoch: ref.epoch,
        isUp,
        revision: status?.revision ?? "",
        isReady: status?.isReady ?? false,
        delay: Math.max(0, delay) / 1000,
        offset: offsets.length === 0 ? 0 : Math.max(...offsets) / 1000,
      })),
    running: (now) =>
      [...peers.values()].flatMap(({ ref: { node }, isUp, status, inForceAt }) =>
        isUp && status !== undefined && status.revision !== ""
          ? [{ node, revision: status.revision, lists: status.lists, inForce: now - inForceAt }]
          : [],
      ),
  };
}
