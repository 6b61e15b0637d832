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

/**
 * `monitor`: findings are told and counted, and nothing follows from them. `enforce`: what the policy says follows from
 * them. `off`: the detector does not run.
 */
export type DetectorMode = "monitor" | "enforce" | "off";

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

/** Whom a quarantine can bind. */
export type SubjectKind = FindingSubject["kind"];

/** Callers that a finding about a called party names. */
export const MOST_PARTICIPANTS = 128;

/** A caller whose own calls fit the finding about a called party. Numbers are as people write them. */
export interface Participant {
  readonly trunk: TrunkId;
  readonly number: string;
}

/** A subject as one text: `caller:+861087654321@lease`, `trunk:lease`, `called:+8613800138000`. */
export function formatSubject(subject: FindingSubject): string {
  if (subject.kind === "trunk") return `trunk:${subject.trunk}`;
  if (subject.kind === "called") return `called:${subject.number}`;
  return `${subject.kind}:${subject.number}@${subject.trunk}`;
}

/** What a detector saw. Immutable. */
export interface Finding {
  /** `f` and the start of the process, a hyphen and a count: `ft3k9x1-12`. Unique on the node. */
  readonly id: string;
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
  /** How strongly it was seen, in the measure of its detector. */
  readonly strength: number;
  /** Of a finding about a called party: the callers that took part. At most {@link MOST_PARTICIPANTS}. */
  readonly participants: readonly Participant[];
}
