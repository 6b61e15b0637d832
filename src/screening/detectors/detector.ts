// What a detector is: it sees calls begin and end, and says when they are no single calls any more.
import type { CallRef } from "../../domain/call.ts";
import type { DetectorId, DetectorMode, Participant, SubjectKind } from "../../domain/finding.ts";
import type { NumberClass } from "../../domain/number.ts";
import type { Millis } from "../../domain/time.ts";
import type { Trunk } from "../../domain/trunk.ts";
import type { SubjectTables } from "./subject-table.ts";

/** Stands for a time that was not seen, and for a number that could not be read. */
export const NONE = -1;

/**
 * A forwarded call as detectors see it. Reused: a detector keeps nothing of it but numbers. Keys of numbers are those of
 * `PartyNumber`. Times are monotonic milliseconds, lengths of time milliseconds.
 */
export interface SeenCall {
  readonly ref: CallRef;
  readonly trunk: Trunk;
  /** A small number for the trunk's id, which holds for the life of the process. */
  readonly place: number;
  /** The first asserted number that counts on the trunk. */
  readonly caller: number;
  readonly callerClass: NumberClass;
  readonly called: number;
  /** The call was forwarded by another party on its way here. */
  readonly isDiverted: boolean;
  readonly begun: Millis;
  readonly end: SeenEnd;
  /**
   * The place on which the called party rang this caller within half an hour and got no answer: the call is a call back.
   * {@link NONE} otherwise, and at the end of a call.
   */
  readonly backPlace: number;
  /** From the end of that call to this one. */
  readonly backAfter: Millis;
  /** What the sender looks like: a hash of its user agent and its codecs; 0: not known, and at the end of a call. */
  readonly print: number;
}

/** How a call ended. */
export interface SeenEnd {
  /** From the first alerting to the answer, or to the end without one; {@link NONE}: it never rang. */
  readonly rang: Millis;
  /** From the answer to the end; {@link NONE}: nobody answered. */
  readonly talked: Millis;
  readonly by: "caller" | "called" | "filter";
  /** The called party or its network was busy (SIP 486, 600; cause 17 of Q.850). */
  readonly isBusy: boolean;
  /** There is no such number (SIP 404, 410, 604; causes 1 and 22 of Q.850). */
  readonly isDead: boolean;
  /** The caller gave up before an answer. */
  readonly isCancelled: boolean;
}

/** Whom a detector has found. Keys of numbers; a caller and its block are those of the call that completed the finding. */
export interface Sighting {
  readonly kind: "caller" | "callerBlock" | "trunk" | "called";
  readonly facts: Readonly<Record<string, number>>;
  readonly evidence: readonly CallRef[];
  /** How strongly it was seen. A finding in force is told again when it has grown by the factor of the findings. */
  readonly strength: number;
  /** Of a called party: the callers whose own calls fit, at most 128. */
  readonly participants?: () => readonly Participant[];
  /** The caller of this call, where it has just become one of them. */
  readonly joined?: Participant | undefined;
}

/** Values by name, as the policy has them. They change in place when the policy does. */
export type Thresholds = Readonly<Record<string, number>>;

/** A threshold of a profile: its value where the policy says nothing, its bounds, and why. */
export interface ThresholdForm {
  readonly value: number;
  readonly least: number;
  readonly most: number;
  readonly why: string;
}

/** A detector at work. It never throws, and its memory is bounded. */
export interface Detector {
  /** Takes a call that was forwarded. */
  readonly begun?: (call: SeenCall, now: Millis) => Sighting | undefined;
  /** Takes the end of a call that `begun` saw. */
  readonly ended?: (call: SeenCall, now: Millis) => Sighting | undefined;
  /** What was not counted because tables of its own were full. Left out: it has none. */
  readonly full?: () => number;
}

/** A detector as the registry knows it. */
export interface DetectorForm {
  readonly id: DetectorId;
  /** One sentence for the schema of the policy. */
  readonly summary: string;
  /** The version of measures and thresholds. It changes with any of them. */
  readonly profile: string;
  /** Whom its findings name well enough to bind. Empty: nobody, and `whyNobody` says why. */
  readonly binds: readonly SubjectKind[];
  readonly whyNobody?: string;
  readonly thresholds: Readonly<Record<string, ThresholdForm>>;
  /** True where it reads `backPlace` of calls. */
  readonly needsCallBacks?: true;
  /** True where it reads `print` of calls. */
  readonly needsPrints?: true;
  /** @param tables of subjects, which detectors share */
  readonly create: (thresholds: Thresholds, tables: SubjectTables) => Detector;
}

/** What the policy says of a detector. */
export interface DetectorSetting {
  readonly mode: DetectorMode;
  readonly profile: string;
  readonly thresholds: Thresholds;
  /** Whose calls are refused after a finding, and for how long. */
  readonly quarantine?: { readonly subject: SubjectKind; readonly for: Millis };
  /** What becomes of calls that are not refused, and for how long. */
  readonly action?: { readonly do: "label" | "withhold"; readonly for: Millis };
}

/** What the policy says of each detector. */
export type DetectorSettings = ReadonlyMap<DetectorId, DetectorSetting>;
