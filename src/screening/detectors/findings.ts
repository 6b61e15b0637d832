// Findings in force: each subject of a detector is told once, and again when what was seen has grown.
import { BLOCK_OF_CALLERS, formatKey } from "../../domain/number.ts";
import type { CallRef } from "../../domain/call.ts";
import type { DetectorId, Finding, FindingSubject } from "../../domain/finding.ts";
import type { Millis } from "../../domain/time.ts";
import type { SeenCall, Sighting } from "./detector.ts";

/** How long a finding is in force. Milliseconds. A day: campaigns rest at night and go on in the morning. */
const IN_FORCE: Millis = 24 * 3_600_000;
/** A finding in force is told again when it is so many times as strong as when it was told last. */
const GROWTH = 4;

interface InForce {
  until: Millis;
  strength: number;
}

export interface Findings {
  /** Findings in force, those included that have expired and that nobody has met since. */
  readonly size: number;
  /** Findings that were not told, because too many were in force. */
  readonly full: number;
  /** @returns the finding, where it is to be told */
  take(
    detector: DetectorId,
    profile: string,
    seen: Sighting,
    call: SeenCall,
    at: Millis,
  ): Finding | undefined;
}

/** @param capacity findings in force at one time */
export function createFindings(capacity: number): Findings {
  const inForce = new Map<string, InForce>();
  let full = 0;

  /** The oldest stand first: the map is in the order in which they were told last. */
  function forgetExpired(at: Millis): void {
    for (const [key, { until }] of inForce) {
      if (until > at) return;
      inForce.delete(key);
    }
  }

  return {
    get size() {
      return inForce.size;
    },
    get full() {
      return full;
    },
    take(detector, profile, { kind, strength, facts, evidence }, call, at) {
      const subject = subjectOf(kind, call);
      const key = `${detector} ${keyOf(subject)}`;
      const known = inForce.get(key);
      if (known !== undefined && known.until > at && strength < known.strength * GROWTH) return undefined;
      if (known !== undefined) inForce.delete(key);
      else if (inForce.size >= capacity) {
        forgetExpired(at);
        if (inForce.size >= capacity) {
          full++;
          return undefined;
        }
      }
      const until = at + IN_FORCE;
      inForce.set(key, { until, strength });
      const calls: readonly CallRef[] = evidence.length > 0 ? evidence : [call.ref];
      return { detector, profile, subject, at, until, evidence: calls, facts };
    },
  };
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

function keyOf(subject: FindingSubject): string {
  const trunk = "trunk" in subject ? subject.trunk : "";
  return `${subject.kind} ${"number" in subject ? subject.number : ""} ${trunk}`;
}
