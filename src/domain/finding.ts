// A finding: what a detector saw in many calls, of whom, and by which of them.
import type { CallRef } from "./call.ts";
import type { Millis } from "./time.ts";
import type { TrunkId } from "./trunk.ts";

/** The detectors of the contract. */
export const detectorIds = [
  "one-ring",
  "call-bombing",
  "block-dialling",
  "short-calls",
  "spread",
  "two-places",
  "sub-lease",
] as const;
export type DetectorId = (typeof detectorIds)[number];

/** `monitor`: findings are told and counted, and nothing follows from them. `off`: the detector does not run. */
export type DetectorMode = "monitor" | "off";

/**
 * Whom a finding is about. A caller and a block of callers always stand with the trunk on which they called: who writes
 * a number on another trunk can be somebody else. Numbers are as people write them: `+861087654321`, `95588`.
 */
export type FindingSubject =
  | { readonly kind: "caller"; readonly trunk: TrunkId; readonly number: string }
  /** The first of the hundred numbers that differ in the last two digits. */
  | { readonly kind: "callerBlock"; readonly trunk: TrunkId; readonly number: string }
  | { readonly kind: "trunk"; readonly trunk: TrunkId }
  | { readonly kind: "called"; readonly number: string };

/** What a detector saw. Immutable. */
export interface Finding {
  readonly detector: DetectorId;
  /** The version of the detector's measures that judged. */
  readonly profile: string;
  readonly subject: FindingSubject;
  /** When it was seen, on the wall clock. */
  readonly at: Millis;
  /** It is in force until then, on the wall clock. */
  readonly until: Millis;
  /** The newest calls that made the finding, the oldest first. At most eight. */
  readonly evidence: readonly CallRef[];
  /** What was counted: names and numbers for people. */
  readonly facts: Readonly<Record<string, number>>;
}
