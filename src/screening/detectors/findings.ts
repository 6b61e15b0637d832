// Findings in force: each subject of a detector is told once, and again when what was seen has grown.
import { BLOCK_OF_CALLERS, formatKey } from "../../domain/number.ts";
import type { CallRef } from "../../domain/call.ts";
import {
  formatSubject,
  type DetectorId,
  type Finding,
  type FindingSubject,
  MOST_PARTICIPANTS,
  type Participant,
} from "../../domain/finding.ts";
import type { Millis } from "../../domain/time.ts";
import type { SeenCall, Sighting } from "./detector.ts";

/** How long a finding is in force. Milliseconds. A day: campaigns rest at night and go on in the morning. */
export const IN_FORCE: Millis = 24 * 3_600_000;
/** A finding in force is told again when it is so many times as strong as when it was told last. */
export const GROWTH = 4;
/** Time until findings that are all in force are looked through again. Milliseconds. */
const LOOK_AGAIN: Millis = 1000;

/** A finding in force, without its calls. */
export interface FindingInForce {
  readonly id: string;
  readonly detector: DetectorId;
  readonly profile: string;
  readonly subject: FindingSubject;
  readonly at: Millis;
  readonly until: Millis;
  readonly strength: number;
  /** Calls that were counted. */
  readonly calls: number;
  readonly participants: readonly Participant[];
}

/** A finding in force, as nodes tell each other. */
export interface SharedFinding extends FindingInForce {
  /** Something followed from it when it was told. */
  readonly isEnforced: boolean;
}

type InForce = SharedFinding & { participants: readonly Participant[] };

/** Under what a finding is taken. */
export interface TakenAs {
  readonly detector: DetectorId;
  readonly profile: string;
  /** Something follows from it. One that was told without is then told again. */
  readonly isEnforced: boolean;
  /** How long it is in force. */
  readonly lasts: Millis;
}

export interface Findings {
  /** Findings in force, those included that have expired and that nobody has met since. */
  readonly size: number;
  /** Findings that were not told, because too many were in force. */
  readonly full: number;
  /** @returns the finding, where it is to be told */
  take(as: TakenAs, seen: Sighting, call: SeenCall, at: Millis): Finding | undefined;
  /**
   * Adds the caller that a sighting names to the finding in force.
   *
   * @returns the finding, where the caller is new to it
   */
  join(detector: DetectorId, seen: Sighting, call: SeenCall): FindingInForce | undefined;
  /**
   * Takes a finding that another node has told. It is in force here and is not told again. Of two findings about one subject
   * the later one holds.
   *
   * @param at on the wall clock
   */
  hear(finding: SharedFinding, at: Millis): void;
  /** The one that was told least recently first. */
  inForce(): Iterable<SharedFinding>;
}

/**
 * @param capacity findings in force at one time
 * @param name gives each finding its id
 */
export function createFindings(capacity: number, name: () => string): Findings {
  const inForce = new Map<string, InForce>();
  let full = 0;
  let lookedAt = -Infinity;

  /** Looks through all of them once a second at most: who has made so many must not make each call cost that. */
  function forgetExpired(at: Millis): void {
    if (at >= lookedAt && at - lookedAt < LOOK_AGAIN) return;
    lookedAt = at;
    for (const [key, { until }] of inForce) if (until <= at) inForce.delete(key);
  }

  function hasRoom(at: Millis): boolean {
    if (inForce.size >= capacity) forgetExpired(at);
    if (inForce.size < capacity) return true;
    full++;
    return false;
  }

  return {
    get size() {
      return inForce.size;
    },
    get full() {
      return full;
    },
    take({ detector, profile, isEnforced, lasts }, seen, call, at) {
      const { kind, strength, facts, evidence } = seen;
      const subject = subjectOf(kind, call);
      const key = keyOf(detector, subject);
      const known = inForce.get(key);
      const isKnown = known !== undefined && known.until > at && strength < known.strength * GROWTH;
      if (isKnown && (known.isEnforced || !isEnforced)) return undefined;
      if (known !== undefined) inForce.delete(key);
      else if (!hasRoom(at)) return undefined;
      const until = at + lasts;
      const participants = seen.participants?.() ?? [];
      const finding = { id: name(), detector, profile, subject, at, until, strength, participants };
      const calls: readonly CallRef[] = evidence.length > 0 ? evidence : [call.ref];
      inForce.set(key, { ...finding, isEnforced, calls: facts["calls"] ?? calls.length });
      return { ...finding, evidence: calls, facts };
    },
    join(detector, { kind, joined }, call) {
      if (joined === undefined) return undefined;
      const known = inForce.get(keyOf(detector, subjectOf(kind, call)));
      if (known === undefined || known.participants.length >= MOST_PARTICIPANTS) return undefined;
      if (known.participants.some(({ trunk, number }) => trunk === joined.trunk && number === joined.number))
        return undefined;
      known.participants = [...known.participants, joined];
      return known;
    },
    hear(finding, at) {
      const key = keyOf(finding.detector, finding.subject);
      const known = inForce.get(key);
      if (finding.until <= at || (known !== undefined && !isLater(finding, known))) return;
      if (known !== undefined) inForce.delete(key);
      else if (!hasRoom(at)) return;
      inForce.set(key, { ...finding });
    },
    inForce: () => inForce.values(),
  };
}

/** Of two findings of one moment, any one that every node finds. */
function isLater(one: FindingInForce, other: FindingInForce): boolean {
  return one.at === other.at ? one.id > other.id : one.at > other.at;
}

function subjectOf(kind: Sighting["kind"], call: SeenCall): FindingSubject {
  const trunk = call.trunk.id;
  switch (kind) {
    case "caller":
      return { kind, trunk, number: formatKey(call.caller) };
    case "callerBlock":
      return { kind, trunk, number: formatKey(call.caller - (call.caller % BLOCK_OF_CALLERS)) };
    case "trunk":
      return { kind, trunk };
    case "called":
      return { kind, number: formatKey(call.called) };
  }
}

function keyOf(detector: DetectorId, subject: FindingSubject): string {
  return `${detector} ${formatSubject(subject)}`;
}
