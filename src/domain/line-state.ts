// The state of a line: whether the calls of a trunk or of a lessee pass, and the order that says so.
import type { Millis } from "./time.ts";
import type { Trunk } from "./trunk.ts";

/**
 * `active`: calls are judged by the rules. `observe`: they pass, are marked, and are recorded with evidence.
 * `suspended`, `closed`: they are refused as `line-stopped`.
 */
export type LineState = (typeof lineStates)[number];

/** From the mildest to the strictest. */
export const lineStates = ["active", "observe", "suspended", "closed"] as const;

/** `trunk:NAME` or `lessee:NAME`. */
export type LineId = `trunk:${string}` | `lessee:${string}`;

/** An order: the state of one line, who asked for it, and until when. */
export interface LineOrder {
  readonly state: LineState;
  /** Reference of the order. */
  readonly order?: string;
  readonly authority?: string;
  readonly since?: Millis;
  /** The entry that carries it ends then. */
  readonly until?: Millis;
  readonly reason?: string;
  /** What becomes of calls that stand: they end by themselves, or the filter releases them. */
  readonly calls: "keep" | "release";
}

/** An order of `policy.yaml`, and where it stands. */
export interface PlacedOrder {
  readonly line: LineId;
  readonly order: LineOrder;
  /** `config/policy.yaml:12:5`: file, line and column. */
  readonly place: string;
}

/** True while the order holds: from `since` on, and before `until`. @param at Unix milliseconds */
export function isInForce({ since, until }: LineOrder, at: Millis): boolean {
  return (since === undefined || since <= at) && (until === undefined || at < until);
}

/** True for a state that refuses calls. */
export function isStopped(state: LineState): boolean {
  return state === "suspended" || state === "closed";
}

/** True when `state` is stricter than `other`. */
export function isStricter(state: LineState, other: LineState): boolean {
  return lineStates.indexOf(state) > lineStates.indexOf(other);
}

/** The line of a trunk. */
export function lineOfTrunk(id: string): LineId {
  return `trunk:${id}`;
}

/** The line of a lessee: all of its trunks. */
export function lineOfLessee(id: string): LineId {
  return `lessee:${id}`;
}

/** The lines that a trunk belongs to. A trunk of another side than lessee has none of a lessee. */
export function linesOf({ id, side, lessee }: Pick<Trunk, "id" | "side" | "lessee">): readonly LineId[] {
  return side !== "lessee" || lessee === undefined
    ? [lineOfTrunk(id)]
    : [lineOfTrunk(id), lineOfLessee(lessee)];
}

/** The state as an adjective: `observed`, `suspended`. */
export function sayState(state: LineState): string {
  return state === "observe" ? "observed" : state;
}
