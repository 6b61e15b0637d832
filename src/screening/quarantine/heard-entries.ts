// What an entry of another node makes of ours: the later change holds, and shields keep the callers that both name.
import type { Millis } from "../../domain/time.ts";
import { endOf, type Held } from "../../state/quarantine/held.ts";
import { GROWTH } from "../detectors/findings.ts";
import { RELEASE_HOLDS, unite } from "./binding.ts";

/** What is in force after an entry was heard. */
export interface Merged {
  readonly held: Held;
  /** True: the other nodes must hear it, since the one that told the entry did not know of ours. */
  readonly isAnswer: boolean;
}

/**
 * Merges an entry of another node with ours of the same holder and subject. Nodes that hear the same entries in another
 * order come to the same.
 *
 * @param at on the wall clock
 * @returns undefined where ours stays as it is
 */
export function mergeHeld(heard: Held, ours: Held | undefined, at: Millis): Merged | undefined {
  if (ours === undefined) return { held: heard, isAnswer: false };
  if (isLater(heard, ours)) {
    if (isReleasedStill(heard, ours, at)) {
      const released = Math.max(ours.released ?? 0, endOf(heard) + RELEASE_HOLDS);
      const held = { ...ours, released, changed: (heard.changed ?? 0) + 1 };
      return { held: withCallers(held, heard), isAnswer: true };
    }
    return { held: withCallers(heard, ours), isAnswer: false };
  }
  const held = withCallers(ours, heard);
  return held.participants.length > ours.participants.length ? { held, isAnswer: false } : undefined;
}

function isLater(one: Held, other: Held): boolean {
  const [changed, before] = [one.changed ?? 0, other.changed ?? 0];
  if (changed !== before) return changed > before;
  // Of one moment, the longer release holds. Of two findings, any one that every node finds.
  const [released, too] = [one.released ?? 0, other.released ?? 0];
  return released === too ? termsOf(one) > termsOf(other) : released > too;
}

function termsOf({ id, since, until, mark, markUntil, strength, calls, reason }: Held): string {
  return JSON.stringify([id, since, until, mark, markUntil, strength, calls, reason]);
}

/** A finding that another node took while it had not heard yet of the release: it binds where it has grown. */
function isReleasedStill({ holder, released, strength }: Held, ours: Held, at: Millis): boolean {
  if (holder === "command" || released !== undefined || ours.released === undefined) return false;
  return ours.released > at && strength < ours.strength * GROWTH;
}

/** Entries that began at one moment are one: its callers are those that any node knows. */
function withCallers(held: Held, other: Held): Held {
  if (held.subject.kind !== "called" || held.since !== other.since) return held;
  return { ...held, participants: unite(held.participants, other.participants) };
}
