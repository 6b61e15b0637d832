// Detector `block-dialling`: a block of numbers is worked through, whether the numbers live or not.
import type { CallRef } from "../../domain/call.ts";
import type { DetectorForm, SeenCall, Sighting } from "./detector.ts";
import { NO_ROW, type SubjectTable } from "./subject-table.ts";

/** Numbers of a block that dialling stays in, and of a block of callers. */
const BLOCK = 10_000;
const CALLER_BLOCK = 100;
/** A subject without calls for so long is forgotten. Seconds. */
const LIFETIME = 4 * 3600;
const EVIDENCE = 8;
/** Subjects whose dead numbers and calls are kept at one time, and dead numbers of each. */
const MOST_KEPT = 65_536;
const MOST_DEAD = 64;

/** Words of a row: the block, its vote, its calls, and the second of the last call. */
const WORDS = 4;
const DIALLED = 0;
const VOTES = 1;
const CALLS = 2;
const TIME = 3;
const MOST_VOTES = 60_000;

/** What dialling of one subject is known by. */
interface Focus {
  readonly full: () => number;
  /** @returns the row of the subject where the call belongs to its block and says something new; NO_ROW otherwise */
  add(place: number, subject: number, call: SeenCall, second: number): number;
  callsOf(row: number): number;
  /** Different numbers of the block that do not exist, up to 64. */
  deadOf(row: number): number;
  evidenceOf(row: number): readonly CallRef[];
}

/**
 * The block that each subject dials most of all, by the majority vote of Boyer and Moore (1981): a call in it adds one,
 * a call elsewhere takes one, and at nothing the next dead number says which block it is. Calls between do not hide it.
 */
function createFocus(table: SubjectTable): Focus {
  /** The dead numbers of a subject, each once, and the calls that found them. */
  const dead = new Map<number, number[]>();
  const kept = new Map<number, CallRef[]>();
  const { ints } = table.column({
    words: WORDS,
    isIdle: (row, second) => isPast(row * WORDS, second),
    forget,
  });
  let full = 0;

  function isPast(at: number, second: number): boolean {
    return ints[at + VOTES] === 0 || second - ints[at + TIME]! > LIFETIME;
  }

  function forget(row: number): void {
    if (dead.size > 0 && dead.delete(row)) kept.delete(row);
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
    add(place, subject, call, second) {
      const { isDead } = call.end;
      let row = table.find(place, subject);
      // Who has dialled no dead number needs no row.
      if (row === NO_ROW && isDead) row = table.claim(place, subject, second);
      if (row === NO_ROW) return NO_ROW;
      const at = row * WORDS;
      const block = Math.floor(call.called / BLOCK) % 2_147_483_647;
      if (isPast(at, second)) {
        forget(row);
        ints[at + VOTES] = 0;
        ints[at + CALLS] = 0;
        if (!isDead) return NO_ROW;
        ints[at + DIALLED] = block;
      }
      ints[at + TIME] = second;
      if (ints[at + DIALLED] !== block) {
        ints[at + VOTES]!--;
        return NO_ROW;
      }
      if (ints[at + VOTES]! < MOST_VOTES) ints[at + VOTES]!++;
      if (isDead && !keepDead(row, call)) return NO_ROW;
      ints[at + CALLS]!++;
      return row;
    },
    callsOf: (row) => ints[row * WORDS + CALLS]!,
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
  create(thresholds, tables) {
    const callers = createFocus(tables.callers);
    const callerBlocks = createFocus(tables.blocks);

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
        const second = Math.floor(now / 1000);
        const found = look(callers, "caller", callers.add(place, caller, call, second));
        if (caller < 0) return found;
        const block = callerBlocks.add(place, Math.floor(caller / CALLER_BLOCK), call, second);
        return found ?? (call.end.isDead ? look(callerBlocks, "callerBlock", block) : undefined);
      },
      full: () => callers.full() + callerBlocks.full(),
    };
  },
};
