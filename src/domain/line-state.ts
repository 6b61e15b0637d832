// The state of a line: whether the calls of a trunk or of a lessee pass, and the order that says so.
import type { Millis } from "./time.ts";

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
