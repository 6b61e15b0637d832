// What this node keeps for nodes that start, and the newest of what each other node keeps.
import type { Millis } from "../domain/time.ts";
import { MOST_KEPT_ENTRIES } from "./exchange.ts";

/** An entry of this node, by its name in Redis. */
export interface OwnEntry {
  readonly field: string;
  readonly sequence: number;
  readonly bytes: Uint8Array;
  /** True: it says that the entry is gone, for nodes that were away meanwhile. */
  readonly isGone: boolean;
  /** When it was handed over. Monotonic milliseconds. */
  readonly at: Millis;
}

/** How long nodes are told that an entry is gone. Milliseconds. */
export const GONE_KEPT_FOR: Millis = 24 * 3_600_000;
/** Octets that this node keeps altogether. */
const MOST_OCTETS: number = 16 * 2 ** 20;

export interface OwnEntries {
  /** @returns false when there is no room */
  readonly put: (entry: OwnEntry) => boolean;
  readonly all: () => Iterable<OwnEntry>;
  /** The sequence of an entry; undefined: there is none of that name. */
  readonly sequenceOf: (field: string) => number | undefined;
  readonly size: () => number;
  /** Lets go of entries that have been gone for long. @returns their names, and those that were let go for want of room */
  readonly due: (now: Millis) => readonly string[];
}

export function createOwnEntries(): OwnEntries {
  const entries = new Map<string, OwnEntry>();
  let octets = 0;
  /** Names of entries that were gone, and whose room was needed. */
  let evicted: string[] = [];

  /** Entries that come and go all day must not keep new ones from being told. */
  function makeRoom(): void {
    for (const { field, isGone, bytes } of entries.values()) {
      if (!isGone) continue;
      entries.delete(field);
      octets -= bytes.length;
      // What finds no room here, the next start of the node removes.
      if (evicted.length < MOST_KEPT_ENTRIES) evicted.push(field);
      return;
    }
  }

  return {
    put(entry) {
      if (!entry.isGone && entries.size >= MOST_KEPT_ENTRIES && !entries.has(entry.field)) makeRoom();
      const before = entries.get(entry.field);
      const after = octets - (before?.bytes.length ?? 0) + entry.bytes.length;
      const isFull = (before === undefined && entries.size >= MOST_KEPT_ENTRIES) || after > MOST_OCTETS;
      if (isFull && (before === undefined || !entry.isGone)) return false;
      entries.delete(entry.field);
      entries.set(entry.field, entry);
      octets = after;
      return true;
    },
    all: () => entries.values(),
    sequenceOf: (field) => entries.get(field)?.sequence,
    size: () => entries.size,
    due(now) {
      const old = [...entries.values()].filter(({ isGone, at }) => isGone && now - at > GONE_KEPT_FOR);
      for (const { field, bytes } of old) {
        entries.delete(field);
        octets -= bytes.length;
      }
      const names = [...evicted.filter((field) => !entries.has(field)), ...old.map(({ field }) => field)];
      evicted = [];
      return names;
    },
  };
}

/** Which version of an entry of another node was heard last. */
export interface HeardEntries {
  /** @returns false when this version, or a later one, was heard before, or when the node keeps too many */
  readonly isNew: (node: string, field: string, epoch: number, sequence: number) => boolean;
}

export function createHeardEntries(): HeardEntries {
  const nodes = new Map<string, Map<string, readonly [epoch: number, sequence: number]>>();
  return {
    isNew(node, field, epoch, sequence) {
      const fields = nodes.get(node) ?? new Map<string, readonly [number, number]>();
      nodes.set(node, fields);
      const [lastEpoch, lastSequence] = fields.get(field) ?? [-1, -1];
      if (epoch < lastEpoch || (epoch === lastEpoch && sequence <= lastSequence)) return false;
      if (lastEpoch < 0 && fields.size >= 2 * MOST_KEPT_ENTRIES) {
        const [oldest] = fields.keys();
        if (oldest !== undefined) fields.delete(oldest);
      }
      fields.delete(field);
      fields.set(field, [epoch, sequence]);
      return true;
    },
  };
}
