// Scores by subject: each call adds or takes, time takes, and a score never falls below nothing. Bounded, flat.
import type { CallRef } from "../../domain/call.ts";
import { NO_ROW, type SubjectTable } from "./subject-table.ts";

const HOUR = 3600;

/** Calls that a finding names at most. */
const EVIDENCE = 8;
/** Subjects whose calls are kept at one time. One more keeps none: its finding names only the call that completed it. */
const MOST_KEPT = 4096;

/** Parties of a subject beyond which two of them are too likely to be taken for one. */
const MOST_MET = 12;

/** A call of so much weight is a strong sign. */
const STRONG = 1.7;

/** Words of a row: the score, the second of the last call, calls, strong signs, 64 bits of parties, the last party. */
const WORDS = 7;
const SCORE = 0;
const TIME = 1;
const CALLS = 2;
const STRONGS = 3;
const PARTIES = 4;
const LAST = 6;

/** The score that a subject must reach, what time takes from it in an hour, the parties it must have met, and its strong signs. */
export interface ScoreMeasure {
  score: number;
  anHour: number;
  parties: number;
  /** Calls that weighed {@link STRONG} or more. */
  strong: number;
}

/**
 * Scores by place and number. The sum that never falls below 0 is the CUSUM of E. S. Page ("Continuous inspection
 * schemes", 1954): what a subject did before it changed its ways does not excuse it, and calls between do not hide it for
 * long. At 0 everything of the subject begins anew.
 */
export interface Scores {
  /**
   * Adds what a call weighs.
   *
   * @param party a key of the other party; different ones are counted up to about 100
   * @param second monotonic
   * @returns the score where it has reached its measure; 0 otherwise
   */
  add(place: number, subject: number, weight: number, party: number, ref: CallRef, second: number): number;
  /**
   * True where a call with this party weighed more than nothing since the score was last 0. Tells nothing, false, where
   * there were more than a few parties.
   */
  hasMet(place: number, subject: number, party: number): boolean;
  /** True where the call before was with this party. */
  isLast(place: number, subject: number, party: number): boolean;
  /** Calls that weighed more than nothing since the score was last 0. */
  callsOf(place: number, subject: number): number;
  /** Different parties since the score was last 0, about. */
  partiesOf(place: number, subject: number): number;
  /** The newest calls that weighed more than nothing, once the score is at half of its measure. */
  evidenceOf(place: number, subject: number): readonly CallRef[];
}

/** @param measure read at each call: it may change in place */
export function createScores(table: SubjectTable, measure: Readonly<ScoreMeasure>): Scores {
  const kept = new Map<number, CallRef[]>();
  const { ints, floats } = table.column({
    words: WORDS,
    isIdle: (row, second) => decayed(row * WORDS, second) <= 0,
    forget(row) {
      if (kept.size > 0) kept.delete(row);
    },
  });

  function decayed(at: number, second: number): number {
    return floats[at + SCORE]! - (Math.max(0, second - ints[at + TIME]!) / HOUR) * measure.anHour;
  }

  function clear(row: number): void {
    for (let at = row * WORDS; at < (row + 1) * WORDS; at++) ints[at] = 0;
    if (kept.size > 0) kept.delete(row);
  }

  function keep(row: number, { id, trunk }: CallRef): void {
    const refs = kept.get(row);
    if (refs === undefined) {
      if (kept.size < MOST_KEPT) kept.set(row, [{ id, trunk }]);
      return;
    }
    if (refs.length >= EVIDENCE) refs.shift();
    refs.push({ id, trunk });
  }

  return {
    add(place, subject, weight, party, ref, second) {
      let row = table.find(place, subject);
      if (row === NO_ROW) {
        // Who has done nothing that weighs needs no row.
        if (weight <= 0) return 0;
        row = table.claim(place, subject, second);
        if (row === NO_ROW) return 0;
      }
      const at = row * WORDS;
      const before = decayed(at, second);
      if (before <= 0 && ints[at + CALLS] !== 0) clear(row);
      const score = Math.max(0, before) + weight;
      if (score <= 0) {
        if (ints[at + CALLS] !== 0) clear(row);
        return 0;
      }
      floats[at + SCORE] = score;
      ints[at + TIME] = Math.max(second, ints[at + TIME]!);
      ints[at + LAST] = mix(party);
      if (weight < 0) return 0;
      const bit = mix(party) >>> 26;
      ints[at + PARTIES + (bit >>> 5)]! |= 1 << (bit & 31);
      if (weight === 0) return 0;
      ints[at + CALLS]!++;
      if (weight >= STRONG) ints[at + STRONGS]!++;
      if (score >= measure.score / 2) keep(row, ref);
      const isFound =
        score >= measure.score &&
        ints[at + STRONGS]! >= measure.strong &&
        partiesIn(ints, at) >= measure.parties;
      return isFound ? score : 0;
    },
    hasMet(place, subject, party) {
      const row = table.find(place, subject);
      if (row === NO_ROW || onesIn(ints, row * WORDS) > MOST_MET) return false;
      const bit = mix(party) >>> 26;
      return (ints[row * WORDS + PARTIES + (bit >>> 5)]! & (1 << (bit & 31))) !== 0;
    },
    isLast(place, subject, party) {
      const row = table.find(place, subject);
      return row !== NO_ROW && ints[row * WORDS + LAST] === mix(party);
    },
    callsOf(place, subject) {
      const row = table.find(place, subject);
      return row === NO_ROW ? 0 : ints[row * WORDS + CALLS]!;
    },
    partiesOf(place, subject) {
      const row = table.find(place, subject);
      return row === NO_ROW ? 0 : partiesIn(ints, row * WORDS);
    },
    evidenceOf(place, subject) {
      const row = table.find(place, subject);
      return row === NO_ROW ? [] : [...(kept.get(row) ?? [])];
    },
  };
}

/** 32 bits of a number. Not keyed: who makes parties look alike hides parties, and counts as fewer. */
export function mix(key: number): number {
  const low = key | 0;
  const high = Math.floor(key / 4_294_967_296) | 0;
  let mixed = Math.imul(low ^ Math.imul(high, 0x9e37_79b1), 0x85eb_ca6b);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0xc2b2_ae35);
  return mixed ^ (mixed >>> 16);
}

/** Linear counting (Whang and others, 1990). */
function partiesIn(ints: Int32Array, at: number): number {
  const ones = onesIn(ints, at);
  // A full map tells no number; it had some hundred parties at least.
  return ones === 64 ? 300 : Math.round(-64 * Math.log(1 - ones / 64));
}

function onesIn(ints: Int32Array, at: number): number {
  return ones32(ints[at + PARTIES]!) + ones32(ints[at + PARTIES + 1]!);
}

/** Bits of a word that are 1. */
export function ones32(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  bits = (bits + (bits >>> 4)) & 0x0f0f_0f0f;
  return Math.imul(bits, 0x0101_0101) >>> 24;
}
