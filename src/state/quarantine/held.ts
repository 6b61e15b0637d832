// An entry of the quarantine: whose calls are refused or marked, why, since when and until when.
import type { DetectorId, FindingSubject, Participant } from "../../domain/finding.ts";
import type { Millis } from "../../domain/time.ts";

/** Who made an entry: a detector, or an operator by command. */
export type Holder = DetectorId | "command";

/** An entry as it is kept over a restart. Immutable. Times are on the wall clock. */
export interface Held {
  /** Of the finding, or of the order. */
  readonly id: string;
  readonly holder: Holder;
  /** The version of the detector's measures; empty for an order. */
  readonly profile: string;
  readonly subject: FindingSubject;
  readonly since: Millis;
  /** Calls are refused until then. 0: none is. */
  readonly until: Millis;
  /** What happens to calls that are not refused, and until when; undefined and 0: nothing. */
  readonly mark: "label" | "withhold" | undefined;
  readonly markUntil: Millis;
  /** Calls that the finding counted. */
  readonly calls: number;
  /** How strongly the detector saw it. */
  readonly strength: number;
  /** Why it was ordered or released, in the operator's words. */
  readonly reason?: string;
  /** It was released: it binds nobody, and the finding does not come back before then. */
  readonly released?: Millis;
  /**
   * When it was changed last: the wall clock of the node that did, at least a millisecond above the change before. Callers
   * that join a shield change it not. Left out: before times were kept.
   */
  readonly changed?: Millis;
  /** Of a called party: the callers that are refused, at most 128. */
  readonly participants: readonly Participant[];
}

/** The last moment at which an entry says anything. */
export function endOf({ until, markUntil, released }: Held): Millis {
  return released ?? Math.max(until, markUntil);
}

/** The time of a change that replaces `former`. */
export function changedAfter(former: Held | undefined, now: Millis): Millis {
  return former === undefined ? now : Math.max(now, (former.changed ?? 0) + 1);
}

/** What an entry is found by: one for each holder and subject. */
export function keyOfHeld(holder: Holder, subject: FindingSubject): string {
  const trunk = "trunk" in subject ? subject.trunk : "";
  return `${holder} ${subject.kind} ${"number" in subject ? subject.number : ""} ${trunk}`;
}
