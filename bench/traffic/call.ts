// What the traffic generator gives: calls, and the labels that say who made them.

/** Detectors whose patterns the campaigns follow, and whose main signs honest subjects carry. */
export const detectors = [
  "one-ring",
  "call-bombing",
  "block-dialling",
  "short-calls",
  "spread",
  "two-places",
  "sub-lease",
] as const;
export type Detector = (typeof detectors)[number];

export const difficulties = ["easy", "hidden", "distributed"] as const;
export type Difficulty = (typeof difficulties)[number];

/** Stands where there is no number, no time, no trunk, no lessee and no campaign. */
export const NONE = -1;

/** What the peer of a trunk is. */
export type Side = "leased" | "national" | "international";

/**
 * One call with all that happens to it, told at its begin. The stream is in the order of `at`.
 * Times are whole milliseconds. Telephone numbers are the digits of E.164 as a number, country code first. Short codes stand behind the country
 * code: 86110, 8695588.
 */
export interface TrafficCall {
  /** Since the virtual midnight. */
  readonly at: number;
  /** Id of a `TrafficTrunk`. */
  readonly trunk: number;
  /** Id of a `TrafficLessee`, or NONE on trunks of other networks. */
  readonly lessee: number;
  readonly side: Side;
  /** The next hop that takes the call: a small number. */
  readonly hop: number;
  readonly caller: number;
  readonly called: number;
  /** The number that forwarded the call, or NONE. */
  readonly diverting: number;
  /** A user agent of a small dictionary. */
  readonly agent: number;
  /** A set of codecs of a small dictionary. */
  readonly codecs: number;
  /** After `at`; NONE: it never rang. */
  readonly ringing: number;
  /** After `at`; NONE: it was never answered. */
  readonly answered: number;
  /** After `at`. Invariant: at or above `ringing` and `answered`. */
  readonly ended: number;
  /** `nobody`: the network ended it. */
  readonly by: "caller" | "called" | "nobody";
  readonly how: "cancelled" | "refused" | "released" | "timed-out";
  /** The final SIP status of the INVITE. */
  readonly status: number;
  /** Label, hidden from what is measured: id of the `TrafficSubject` that made it. */
  readonly subject: number;
  /** Label, hidden from what is measured: id of the `Campaign` that made it, or NONE for honest calls. */
  readonly campaign: number;
}

/** Contiguous telephone numbers, from `first` on. */
export interface NumberRange {
  readonly first: number;
  readonly count: number;
}

export interface TrafficTrunk {
  readonly id: number;
  readonly lessee: number;
  readonly side: Side;
}

/** What the contract of a leased line permits. */
export type Licence = "own-use" | "call-centre" | "hosting";

export interface TrafficLessee {
  readonly id: number;
  readonly licence: Licence;
  readonly trunks: readonly number[];
  /** The numbers that its contract names. A number may be named by two contracts. */
  readonly numbers: readonly NumberRange[];
}

/** One maker of calls: a firm, a sender, a line that is called; all private persons together are one. */
export interface TrafficSubject {
  readonly id: number;
  readonly population: string;
  /** Detectors whose main sign it carries though it is honest. */
  readonly signs: readonly Detector[];
  readonly trunks: readonly number[];
  /** Numbers that it calls from. */
  readonly callers: readonly NumberRange[];
  /** The number that others call, where that is what it is about. */
  readonly called: readonly NumberRange[];
  readonly campaign: number;
}

/** A positive: what a detector should find. */
export interface Campaign {
  readonly id: number;
  readonly detector: Detector;
  readonly difficulty: Difficulty;
  readonly callers: readonly number[];
  /** The bombed number; empty where the called parties are many. */
  readonly called: readonly number[];
  /** The blocks that are worked through. */
  readonly blocks: readonly NumberRange[];
  /** Leased trunks. Those of other networks carry everybody's calls and are no subject. */
  readonly trunks: readonly number[];
  readonly lessees: readonly number[];
  /** No call begins before. Milliseconds since the virtual midnight. */
  readonly from: number;
  /** No call begins at or after. Milliseconds since the virtual midnight. */
  readonly until: number;
  /** Calls that it makes in the whole day. */
  readonly calls: number;
}
