// Hands on what each node told once and in its order, though Redis may give it twice, late or not at all.
import type { Millis } from "../domain/time.ts";
import { MOST_NODES, type NodeRef } from "./exchange.ts";

/** How an entry was taken. `repeat`: it was had before. `epoch`: it is of a process that a later one has followed. */
export type Taken = "taken" | "repeat" | "epoch" | "crowded";

/** What was heard of every node, by sequence. */
export interface HeardOrder<Item> {
  /** Takes an entry. @param size octets that it keeps while it waits for an earlier one */
  readonly take: (from: NodeRef, sequence: number, item: Item, size: number, now: Millis) => Taken;
  /** A node says that it has told everything up to `sequence`. */
  readonly told: (from: NodeRef, sequence: number, now: Millis) => Taken;
  /** What stood in the feed at the start was taken. Until then entries wait: those of one node may stand there in any order. */
  readonly open: () => void;
  /** Gives up entries that have not come for {@link MOST_WAIT}. */
  readonly due: (now: Millis) => void;
}

export interface HeardOrderParts<Item> {
  readonly deliver: (from: NodeRef, item: Item) => void;
  /** Told how many entries of a node never came. */
  readonly missed: (from: NodeRef, count: number) => void;
}

/** How long an entry waits for an earlier one: a node needs a second to see that Redis has lost it. Milliseconds. */
export const MOST_WAIT: Millis = 3000;
/** Octets of one node that wait. */
const MOST_WAITING: number = 4 * 2 ** 20;
const MOST_WAITING_ENTRIES = 1024;
/** Earlier processes of a node whose repeats are known. */
const MOST_FORMER = 4;

interface Process {
  readonly ref: NodeRef;
  /** The sequence that comes next. */
  next: number;
}

interface Heard<Item> extends Process {
  /** False: every entry waits. */
  isOpen: boolean;
  /** The highest sequence that the node is known to have told. */
  highest: number;
  readonly waiting: Map<number, { readonly item: Item; readonly size: number }>;
  octets: number;
  /** Since when something is missing; undefined: nothing is. */
  since: Millis | undefined;
  former: readonly Process[];
}

function isCrowded({ octets, waiting }: Heard<unknown>): boolean {
  return octets > MOST_WAITING || waiting.size > MOST_WAITING_ENTRIES;
}

/** Memory: at most {@link MOST_NODES} nodes, each with {@link MOST_WAITING} octets. */
export function createHeardOrder<Item>({ deliver, missed }: HeardOrderParts<Item>): HeardOrder<Item> {
  const nodes = new Map<string, Heard<Item>>();
  let isOpen = false;

  /** @param first the sequence with which a process that is heard for the first time begins */
  function find(from: NodeRef, first: number): Heard<Item> | Taken {
    const known = nodes.get(from.node);
    if (known?.ref.epoch === from.epoch) return known;
    if (known !== undefined && from.epoch < known.ref.epoch) {
      const former = known.former.find(({ ref }) => ref.epoch === from.epoch);
      return former !== undefined && first < former.next ? "repeat" : "epoch";
    }
    if (known === undefined && nodes.size >= MOST_NODES) return "crowded";
    if (known !== undefined) giveUp(known);
    const former = known === undefined ? [] : [known, ...known.former].slice(0, MOST_FORMER);
    const fresh: Heard<Item> = {
      ref: from,
      isOpen,
      next: first,
      highest: first - 1,
      waiting: new Map(),
      octets: 0,
      since: undefined,
      former: former.map(({ ref, next }) => ({ ref, next })),
    };
    nodes.set(from.node, fresh);
    return fresh;
  }

  function advance(heard: Heard<Item>): void {
    for (;;) {
      const waiting = heard.waiting.get(heard.next);
      if (waiting === undefined) break;
      heard.waiting.delete(heard.next++);
      heard.octets -= waiting.size;
      deliver(heard.ref, waiting.item);
    }
    if (heard.next > heard.highest) heard.since = undefined;
  }

  /** Passes over what is missing before the first entry that waits, or all of it. */
  function skip(heard: Heard<Item>): void {
    let first = heard.highest + 1;
    for (const sequence of heard.waiting.keys()) if (sequence < first) first = sequence;
    if (first > heard.next) missed(heard.ref, first - heard.next);
    heard.next = Math.max(heard.next, first);
    advance(heard);
  }

  /** Hands on what has waited for the rest of the feed. */
  function begin(heard: Heard<Item>): void {
    if (heard.isOpen) return;
    heard.isOpen = true;
    advance(heard);
  }

  function giveUp(heard: Heard<Item>): void {
    begin(heard);
    while (heard.next <= heard.highest) skip(heard);
  }

  return {
    take(from, sequence, item, size, now) {
      const heard = find(from, sequence);
      if (typeof heard === "string") return heard;
      if ((heard.isOpen && sequence < heard.next) || heard.waiting.has(sequence)) return "repeat";
      heard.highest = Math.max(heard.highest, sequence);
      heard.waiting.set(sequence, { item, size });
      heard.octets += size;
      if (!heard.isOpen) heard.next = Math.min(heard.next, sequence);
      if (!heard.isOpen && !isCrowded(heard)) return "taken";
      begin(heard);
      advance(heard);
      while (isCrowded(heard)) skip(heard);
      if (heard.next <= heard.highest) heard.since ??= now;
      return "taken";
    },
    told(from, sequence, now) {
      const heard = find(from, sequence + 1);
      if (typeof heard === "string") return heard;
      heard.highest = Math.max(heard.highest, sequence);
      if (heard.next <= heard.highest) heard.since ??= now;
      return "taken";
    },
    open() {
      isOpen = true;
      for (const heard of nodes.values()) begin(heard);
    },
    due(now) {
      for (const heard of nodes.values()) {
        if (!heard.isOpen || heard.since === undefined || now - heard.since < MOST_WAIT) continue;
        skip(heard);
        if (heard.next <= heard.highest) heard.since = now;
      }
    },
  };
}
