// Detector `block-dialling`: a block of numbers is worked through, whether the numbers live or not.
import type { CallRef } from "../../domain/call.ts";
import type { Millis } from "../../domain/time.ts";
import { createSubjectRows, NO_ROW } from "../../state/frequency/subject-rows.ts";
import type { DetectorForm, SeenCall, Sighting } from "./detector.ts";

const HOUR: Millis = 3_600_000;
/** Numbers of a block that dialling stays in, and of a block of callers. */
const BLOCK = 10_000;
const CALLER_BLOCK = 100;
/** A subject without calls for so long is forgotten. Milliseconds. */
const LIFETIME = 4 * HOUR;
const EVIDENCE = 8;
/** Subjects whose dead numbers and calls are kept at one time, and dead numbers of each. */
const MOST_KEPT = 65_536;
const MOST_DEAD = 64;

/** What dialling of one subject is known by. */
interface Focus {
  readonly full: () => number;
  readonly octets: number;
  /** @returns the row of the subject where the call belongs to its block and says something new; NO_ROW otherwise */
  add(place: number, subject: number, call: SeenCall, now: Millis): number;
  callsOf(row: number): number;
  /** Different numbers of the block that do not exist, up to 64. */
  deadOf(row: number): number;
  evidenceOf(row: number): readonly CallRef[];
}

/**
 * The block that each subject dials most of all, by the majority vote of Boyer and Moore (1981): a call in it adds one,
 * a call elsewhere takes one, and at nothing the next call says which block it is. Calls between do not hide it.
 */
function createFocus(capacity: number): Focus {
  const blocks = new Float64Array(capacity);
  const times = new Float64Array(capacity);
  /** The vote, and the calls of the block. */
  const votes = new Uint16Array(capacity);
  const calls = new Uint16Array(capacity);
  /** The dead numbers of a subject, each once. */
  const dead = new Map<number, number[]>();
  const kept = new Map<number, CallRef[]>();
  const rows = createSubjectRows(
    capacity,
    (row, second) => second - rows.secondOf(row) > LIFETIME / 1000,
    (row) => forget(row),
  );
  let full = 0;

  function forget(row: number): void {
    votes[row] = 0;
    calls[row] = 0;
    if (dead.delete(row)) kept.delete(row);
  }

  /** @returns false where the number was dialled before, or can't be kept */
  function keepDead(row: number, { ref, called }: SeenCall): boolean {
    const known = dead.get(row);
    if (known === undefined) {
      if (dead.size >= MOST_KEPT) {
        full++;
        return false;
      }
      dead.set(row, [called]);
      kept.set(row, [ref]);
      return true;
    }
    if (known.includes(called)) return false;
    if (known.length < MOST_DEAD) known.push(called);
    const refs = kept.get(row)!;
    if (refs.length >= EVIDENCE) refs.shift();
    refs.push(ref);
    return true;
  }

  return {
    full: () => full,
    octets: capacity * (32 + 16 + 4) + 4 * 2 ** Math.max(4, Math.ceil(Math.log2(capacity))),
    add(place, subject, call, now) {
      const second = Math.floor(now / 1000);
      const block = Math.floor(call.called / BLOCK);
      let row = rows.find(place, subject);
      if (row === NO_ROW) {
        row = rows.claim(place, subject, second);
        if (row === NO_ROW) {
          full++;
          return NO_ROW;
        }
        forget(row);
      } else if (now - times[row]! > LIFETIME) forget(row);
      rows.touch(row, second);
      times[row] = now;
      if (votes[row] === 0) {
        forget(row);
        blocks[row] = block;
      }
      if (blocks[row] !== block) {
        votes[row]!--;
        return NO_ROW;
      }
      if (votes[row]! < 60_000) votes[row]!++;
      if (call.end.isDead && !keepDead(row, call)) return NO_ROW;
      if (calls[row]! < 60_000) calls[row]!++;
      return row;
    },
    callsOf: (row) => calls[row]!,
    deadOf: (row) => dead.get(row)?.length ?? 0,
    evidenceOf: (row) => [...(kept.get(row) ?? [])],
  };
}

export const blockDialling: DetectorForm = {
  id: "block-dialling",
  summary: "A block of numbers is worked through, in order or not, numbers that do not exist among them.",
  profile: "1",
  binds: ["caller", "callerBlock", "trunk"],
  thresholds: {
    dead: {
      value: 3,
      least: 1,
      most: 1000,
      why: "Different numbers of one block of 10,000 that do not exist. Lists of clients have none that stand together.",
    },
    calls: {
      value: 6,
      least: 1,
      most: 10_000,
      why: "Calls of a caller to that block.",
    },
  },
  create(thresholds, capacity) {
    const callers = createFocus(capacity);
    const callerBlocks = createFocus(capacity);

    function look(focus: Focus, kind: "caller" | "callerBlock", row: number): Sighting | undefined {
      if (row === NO_ROW) return undefined;
      const calls = focus.callsOf(row);
      const dead = focus.deadOf(row);
      if (dead < thresholds["dead"]! || calls < thresholds["calls"]!) return undefined;
      return { kind, strength: dead, facts: { calls, dead }, evidence: focus.evidenceOf(row) };
    }

    return {
      ended(call, now) {
        const { place, caller, called } = call;
        // Codes have negative keys: nobody works through them, and they are no block of callers.
        if (called < 0) return undefined;
        const found = look(callers, "caller", callers.add(place, caller, call, now));
        if (caller < 0) return found;
        const block = callerBlocks.add(place, Math.floor(caller / CALLER_BLOCK), call, now);
        return found ?? (call.end.isDead ? look(callerBlocks, "callerBlock", block) : undefined);
      },
      full: () => callers.full() + callerBlocks.full(),
      octets: () => callers.octets + callerBlocks.octets,
    };
  },
};
