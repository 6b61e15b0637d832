// Holds the answers to refused calls until the evidence of the refusal is on disk.
import type { Decision } from "../domain/decision.ts";
import type { Millis } from "../domain/time.ts";
import type { Trunk } from "../domain/trunk.ts";

/** The log of evidence, as far as answers wait for it. Tickets count what was handed to it, from 1. */
export interface EvidenceWait {
  /** True for a trunk whose refusals are answered when their evidence is on disk. */
  readonly holds: (trunk: Trunk) => boolean;
  /** The ticket of the event that was told last; 0: no evidence of it is kept; Infinity: its evidence was lost. */
  readonly ticket: () => number;
  /** Everything up to this ticket is on disk. */
  readonly kept: () => number;
}

/** An answer waits for its evidence at most so long. The call stays refused. */
export const LONGEST_HOLD: Millis = 250;

/** At most this many answers wait. The one that has waited longest leaves for the next one. */
const MOST_HELD = 16_384;

/** Answers to refused calls that wait for their evidence. `Held` is what the engine sends then. */
export interface HeldRefusals<Held> {
  size(): number;
  /** True when the answer to a call so decided is to wait. Ask before it is told, and hold it after. */
  isHeld(decision: Decision): boolean;
  /** True while the answer to the call of this key waits. */
  has(key: string): boolean;
  /**
   * Takes the answer to the call that was told last. It is sent at once when its evidence is on disk, or when none is
   * kept. An answer of the same key that waits is forgotten.
   */
  hold(key: string, held: Held, now: Millis): void;
  /** Sends the answers whose evidence is on disk, and those that have waited for {@link LONGEST_HOLD}. */
  release(now: Millis): void;
  /** Answers that left before their evidence was on disk. */
  overdue(): number;
}

interface Waiting<Held> {
  readonly held: Held;
  readonly ticket: number;
  readonly due: Millis;
}

/** Without `wait` no answer is ever held. `send` may be called within `hold` and `release` only. */
export function createHeldRefusals<Held>(
  wait: EvidenceWait | undefined,
  send: (held: Held) => void,
): HeldRefusals<Held> {
  // In the order of their tickets, which is that of their ends.
  const waiting = new Map<string, Waiting<Held>>();
  let overdue = 0;

  /** @returns false when the answer is to wait for longer */
  function leave(key: string, { held, ticket, due }: Waiting<Held>, kept: number, now: Millis): boolean {
    if (ticket > kept && now < due) return false;
    if (ticket > kept) overdue++;
    waiting.delete(key);
    send(held);
    return true;
  }

  return {
    size: () => waiting.size,
    isHeld: (decision) => wait?.holds(decision.attempt.trunk) === true && isRefusal(decision),
    has: (key) => waiting.size > 0 && waiting.has(key),
    hold(key, held, now) {
      const ticket = wait?.ticket() ?? 0;
      if (ticket <= (wait?.kept() ?? 0)) {
        send(held);
        return;
      }
      waiting.delete(key);
      waiting.set(key, { held, ticket, due: now + LONGEST_HOLD });
      if (waiting.size <= MOST_HELD) return;
      for (const [oldest, entry] of waiting) {
        leave(oldest, entry, 0, Infinity);
        return;
      }
    },
    release(now) {
      if (waiting.size === 0) return;
      const kept = wait?.kept() ?? 0;
      for (const [key, entry] of waiting) if (!leave(key, entry, kept, now)) return;
    },
    overdue: () => overdue,
  };
}

function isRefusal(decision: Decision): boolean {
  return decision.verdict.kind === "reject" && asksEvidence(decision);
}

/**
 * True for a decision whose message is kept as evidence: the call was refused, withheld, labelled, or marked for it. RFC
 * 3261's own answers and overload say nothing of the caller, and leave none.
 */
export function asksEvidence({ verdict: { kind, reason }, marks }: Decision): boolean {
  if (reason === "protocol" || reason === "overload") return false;
  return kind !== "accept" || marks.length > 0;
}
