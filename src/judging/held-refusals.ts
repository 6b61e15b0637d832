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
  // Their evidence was lost, so that nothing but their time lets them go. They must not keep others waiting.
  const lost = new Map<string, Waiting<Held>>();
  let overdue = 0;

  function leave(
    map: Map<string, Waiting<Held>>,
    key: string,
    { held, ticket }: Waiting<Held>,
    kept: number,
  ): void {
    if (ticket > kept) overdue++;
    map.delete(key);
    send(held);
  }

  function releaseFrom(map: Map<string, Waiting<Held>>, kept: number, now: Millis): void {
    for (const [key, entry] of map) {
      if (entry.ticket > kept && now < entry.due) return;
      leave(map, key, entry, kept);
    }
  }

  /** The answer that has waited longest leaves. */
  function makeRoom(): void {
    const [first] = waiting;
    const [other] = lost;
    const isOther = first === undefined || (other !== undefined && other[1].due < first[1].due);
    const oldest = isOther ? other : first;
    if (oldest !== undefined) leave(isOther ? lost : waiting, ...oldest, 0);
  }

  return {
    size: () => waiting.size + lost.size,
    isHeld: (decision) => wait?.holds(decision.attempt.trunk) === true && isRefusal(decision),
    has: (key) => (waiting.size > 0 && waiting.has(key)) || (lost.size > 0 && lost.has(key)),
    hold(key, held, now) {
      const ticket = wait?.ticket() ?? 0;
      if (ticket <= (wait?.kept() ?? 0)) {
        send(held);
        return;
      }
      waiting.delete(key);
      lost.delete(key);
      (ticket === Infinity ? lost : waiting).set(key, { held, ticket, due: now + LONGEST_HOLD });
      if (waiting.size + lost.size > MOST_HELD) makeRoom();
    },
    release(now) {
      if (waiting.size > 0) releaseFrom(waiting, wait?.kept() ?? 0, now);
      if (lost.size > 0) releaseFrom(lost, 0, now);
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
