// What becomes of an entry of another node: opened, judged, put in order, handed on or refused.
import type { Buffer } from "node:buffer";
import type { Millis } from "../domain/time.ts";
import { type KeptEntry, readKept, readStatus } from "./entry-bodies.ts";
import { noFigures, type RefusalCause } from "../observe/cluster/cluster-figures.ts";
import type { NodeRef } from "./exchange.ts";
import { createHeardOrder, type Taken } from "./heard-order.ts";
import { createHeardEntries } from "./kept-entries.ts";
import type { Peers } from "./peers.ts";
import { type ClusterKeys, nameSubject, type OpenedEntry, openEntry } from "./sealed-entry.ts";
import { DEAD_AFTER, type TwinWatch } from "./twin-watch.ts";

export interface HearingParts {
  readonly keys: ClusterKeys;
  readonly self: NodeRef & { readonly instance: string };
  readonly peers: Peers;
  readonly twins: TwinWatch;
  readonly batch: (from: NodeRef, bytes: Uint8Array, age: Millis) => void;
  readonly kept: (from: NodeRef, entry: KeptEntry) => void;
  readonly missed: (from: NodeRef, count: number) => void;
  /** Told why an entry of a name was refused. */
  readonly refused: (node: string, cause: RefusalCause) => void;
}

/** When an entry of the feed was written and read. */
export interface Reading {
  /** Monotonic milliseconds. */
  readonly now: Millis;
  /** Our wall clock. */
  readonly wall: Millis;
  /** Redis's clock, when the entry was written and now. */
  readonly writtenAt: Millis;
  readonly serverNow: Millis;
}

export interface Hearing {
  /** Takes an entry of the feed that stands under the name of a node. Never throws, whatever the octets are. */
  readonly entry: (node: string, sealed: Buffer, reading: Reading) => void;
  /** Takes what Redis keeps for a node under a name. */
  readonly keptValue: (node: string, field: string, sealed: Buffer) => void;
  /** Opens the entry by which a node tells its name. @returns the wall time of its writing; undefined: it is refused */
  readonly name: (node: string, sealed: Buffer) => Millis | undefined;
  readonly refuse: (node: string, cause: RefusalCause) => void;
  readonly due: (now: Millis) => void;
  readonly counts: () => { readonly refused: Readonly<Record<RefusalCause, number>>; readonly gap: number };
}

/** How far the time of an entry may be from ours; what is further off may be a copy of long ago. Milliseconds. */
export const MOST_OFF: Millis = 15 * 60_000;
const MOST_NAME = 64;

interface Item {
  readonly type: "batch" | "kept";
  readonly epoch: number;
  readonly sequence: number;
  readonly bytes: Uint8Array;
  /** When the node handed it over. Monotonic milliseconds of ours. */
  readonly at: Millis;
}

export function createHearing(parts: HearingParts): Hearing {
  const { keys, self, peers, twins } = parts;
  const refused: Record<RefusalCause, number> = { ...noFigures.refused };
  const entries = createHeardEntries();
  let gap = 0;
  let clock: Millis = 0;

  const order = createHeardOrder<Item>({
    deliver(from, { type, bytes, at, epoch, sequence }) {
      if (type === "batch") parts.batch(from, bytes, Math.max(0, clock - at));
      else takeKept(from.node, epoch, sequence, bytes);
    },
    missed(from, count) {
      gap += count;
      parts.missed(from, count);
    },
  });

  function refuse(node: string, cause: RefusalCause): void {
    refused[cause]++;
    parts.refused(node, cause);
  }

  function takeKept(node: string, epoch: number, sequence: number, bytes: Uint8Array, field?: string): void {
    const entry = readKept(bytes);
    const name = entry === undefined ? undefined : nameSubject(keys, entry.kind, entry.subject);
    // An entry under the name of another one would hide that one.
    if (entry === undefined || name === undefined || (field !== undefined && field !== name))
      refuse(node, "form");
    else if (entries.isNew(node, name, epoch, sequence)) parts.kept({ node, epoch }, entry);
  }

  /** @returns undefined when it is refused */
  function open(node: string, sealed: Buffer): OpenedEntry | undefined {
    const opened = node.length > MOST_NAME ? "form" : openEntry(keys, node, sealed);
    if (typeof opened !== "string") return opened;
    refuse(node, opened);
    return undefined;
  }

  function takeOwn(opened: OpenedEntry, { now, writtenAt, serverNow }: Reading): void {
    if (opened.instance === self.instance) {
      if (opened.type !== "hello") return;
      twins.greeted(now);
      order.open();
      return;
    }
    if (opened.type === "bye") {
      twins.ended(opened.instance);
      return;
    }
    const age = Math.max(0, serverNow - writtenAt);
    if (twins.verdict(now) !== "waiting" && age < DEAD_AFTER) refuse(self.node, "name");
    twins.heard(opened.instance, age, now);
  }

  function settle(node: string, taken: Taken): boolean {
    if (taken === "epoch") refuse(node, "epoch");
    if (taken === "crowded") refuse(node, "name");
    return taken === "taken";
  }

  return {
    entry(node, sealed, reading) {
      const { now, wall, writtenAt, serverNow } = reading;
      clock = now;
      const opened = open(node, sealed);
      if (opened === undefined) return;
      if (Math.abs(opened.at - wall) > MOST_OFF) {
        refuse(node, "time");
        return;
      }
      if (node === self.node) {
        takeOwn(opened, reading);
        return;
      }
      const { type, epoch, sequence, bytes, held } = opened;
      // It is said to processes of the same name.
      if (type === "hello") return;
      const from: NodeRef = { node, epoch };
      const age = Math.max(0, serverNow - writtenAt);
      const hear = (): boolean =>
        peers.heard(from, { age, offset: opened.at - writtenAt - (wall - serverNow) }, now);
      if (type === "batch" || type === "kept") {
        const item: Item = { type, epoch, sequence, bytes, at: now - age - held };
        // The node is told before what it has told.
        if (hear()) settle(node, order.take(from, sequence, item, bytes.length, now));
        else refuse(node, "name");
        return;
      }
      const status = type === "status" ? readStatus(bytes) : undefined;
      if (type === "bye") {
        if (settle(node, order.told(from, sequence, now))) peers.ended(from);
      } else if (status === undefined) refuse(node, "form");
      else if (!hear()) refuse(node, "name");
      else if (settle(node, order.told(from, sequence, now))) peers.status(from, status, age, now);
    },
    keptValue(node, field, sealed) {
      const opened = open(node, sealed);
      if (opened === undefined) return;
      const { type, instance, epoch, sequence, bytes } = opened;
      if (node === self.node && instance === self.instance) return;
      if (type === "kept") takeKept(node, epoch, sequence, bytes, field);
      else refuse(node, "form");
    },
    name(node, sealed) {
      const opened = open(node, sealed);
      if (opened === undefined) return undefined;
      if (opened.type === "name") return opened.at;
      refuse(node, "form");
      return undefined;
    },
    refuse,
    due(now) {
      clock = now;
      order.due(now);
    },
    counts: () => ({ refused, gap }),
  };
}
