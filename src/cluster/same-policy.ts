// Whether all nodes run the same policy, for how long they have not, and whether this node is the one that lags.
import type { Millis } from "../domain/time.ts";

/** The policy that a node runs. */
export interface RunningPolicy {
  readonly node: string;
  readonly revision: string;
  readonly lists: Readonly<Record<string, string>>;
  /** How long it has been in force. Milliseconds. */
  readonly inForce: Millis;
}

export interface SamePolicy {
  /** Compares what this node and the others run. Called several times a second. */
  readonly compare: (own: RunningPolicy, others: readonly RunningPolicy[], now: Millis) => PolicyDifference;
}

export interface PolicyDifference {
  /** Distinct policies. */
  readonly revisions: number;
  /** For how long there has been more than one. Milliseconds. */
  readonly differing: Millis;
  /** In words, why this node lags. Undefined: it does not, or not for {@link GRACE} yet. */
  readonly lag: string | undefined;
}

/** Nodes may differ for so long, since they reload one after the other; not while this node has just begun. Milliseconds. */
export const GRACE: Millis = 10_000;
/** Lists that are named in words. */
const MOST_NAMED = 3;

/**
 * The policy that counts is that of most nodes. Where two policies have as many, it is the one that came into force last.
 * A node with another policy lags. At least one node never does.
 */
export function createSamePolicy(): SamePolicy {
  let differsSince: Millis | undefined;
  let lagsSince: Millis | undefined;
  let begunAt: Millis | undefined;
  return {
    compare(own, others, now) {
      // Nothing is in force here yet.
      if (own.revision === "") return { revisions: 1, differing: 0, lag: undefined };
      const isBeginning = now - (begunAt ??= now) < GRACE;
      const groups = new Map<string, RunningPolicy[]>();
      for (const running of [own, ...others]) {
        const key = keyOf(running);
        const group = groups.get(key) ?? [];
        group.push(running);
        groups.set(key, group);
      }
      differsSince = groups.size > 1 ? (differsSince ?? now) : undefined;
      const first = [...groups].toSorted(
        ([x, a], [y, b]) => b.length - a.length || youngest(a) - youngest(b) || (x < y ? -1 : 1),
      )[0]?.[1][0];
      const lags = first !== undefined && keyOf(first) !== keyOf(own);
      lagsSince = lags ? (lagsSince ?? now) : undefined;
      const isTold = lags && (isBeginning || now - (lagsSince ?? now) >= GRACE);
      return {
        revisions: groups.size,
        differing: differsSince === undefined ? 0 : now - differsSince,
        lag: isTold ? describeLag(own, first) : undefined,
      };
    },
  };
}

function youngest(group: readonly RunningPolicy[]): Millis {
  return Math.min(...group.map(({ inForce }) => inForce));
}

function keyOf({ revision, lists }: RunningPolicy): string {
  const named = Object.entries(lists).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([revision, named]);
}

function describeLag(own: RunningPolicy, first: RunningPolicy): string {
  const names = new Set([...Object.keys(own.lists), ...Object.keys(first.lists)]);
  const others = [...names].filter((name) => own.lists[name] !== first.lists[name]).toSorted();
  const lists =
    others.length === 0
      ? ""
      : `; lists that differ: ${others.slice(0, MOST_NAMED).join(", ")}${others.length > MOST_NAMED ? " …" : ""}`;
  return `policy ${own.revision} here, ${first.revision} on ${first.node}${lists}`;
}
