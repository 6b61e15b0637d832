// Scores by subject: each call adds or takes, time takes, and a score never falls below nothing. Bounded, flat.
import type { CallRef } from "../../domain/call.ts";
import type { Millis } from "../../domain/time.ts";
import { createSubjectRows, NO_ROW } from "../../state/frequency/subject-rows.ts";

const HOUR: Millis = 3_600_000;

/** Calls that a finding names at most. */
const EVIDENCE = 8;
/** Subjects whose calls are kept at one time. One more keeps none: its finding names only the call that completed it. */
const MOST_KEPT = 4096;

/** Parties of a subject beyond which two of them are too likely to be taken for one. */
const MOST_MET = 12;

/** A call of so much weight is a strong sign. */
const STRONG = 1.7;

/** The score that a subject must reach, what time takes from it in an hour, the parties it must have met, and its strong signs. */
export interface ScoreMeasure {
  readonly score: number;
  readonly anHour: number;
  readonly parties: number;
  /** Calls that weighed {@link STRONG} or more. */
  readonly strong: number;
}

/**
 * Scores by place and number. The sum that never falls below 0 is the CUSUM of E. S. Page ("Continuous inspection
 * schemes", 1954): what a subject did before it changed its ways does not excuse it, and calls between do not hide it for
 * long.
 */
export interface ScoreRows {
  /** Subjects that were not counted because the table was full. */
  readonly full: number;
  readonly octets: number;
  /**
   * Adds what a call weighs.
   *
   * @param party a key of the other party; different ones are counted up to about 100
   * @param measure read now
   * @returns the score where it has reached its measure; 0 otherwise
   */
  add(
    place: number,
    subject: number,
    weight: number,
    party: number,
    ref: CallRef,
    now: Millis,
    measure: ScoreMeasure,
  ): number;
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

/**
 * @param capacity subjects at one time
 * @param lifetime a subject without calls for so long is forgotten
 */
export function createScoreRows(capacity: number, lifetime: Millis): ScoreRows {
  const scores = new Float32Array(capacity);
  const times = new Float64Array(capacity);
  const calls = new Uint16Array(capacity);
  const strong = new Uint8Array(capacity);
  const last = new Float64Array(capacity);
  /** A bitmap of 64 for each subject: linear counting (Whang and others, 1990). */
  const bitmaps = new Int32Array(capacity * 2);
  const kept = new Map<number, CallRef[]>();
  const rows = createSubjectRows(
    capacity,
    (row, second) => second - rows.secondOf(row) > lifetime / 1000,
    (row) => void kept.delete(row),
  );
  let full = 0;

  function clear(row: number): void {
    scores[row] = 0;
    calls[row] = 0;
    strong[row] = 0;
    bitmaps[2 * row] = 0;
    bitmaps[2 * row + 1] = 0;
    if (kept.size > 0) kept.delete(row);
  }

  function keep(row: number, ref: CallRef): void {
    const refs = kept.get(row);
    if (refs === undefined) {
      if (kept.size < MOST_KEPT) kept.set(row, [ref]);
      return;
    }
    if (refs.length >= EVIDENCE) refs.shift();
    refs.push(ref);
  }

  return {
    get full() {
      return full;
    },
    get octets() {
      return capacity * (32 + 4 + 8 + 2 + 1 + 8 + 8) + 4 * 2 ** Math.max(4, Math.ceil(Math.log2(capacity)));
    },
    add(place, subject, weight, party, ref, now, measure) {
      const second = Math.floor(now / 1000);
      let row = rows.find(place, subject);
      if (row === NO_ROW) {
        // Who has done nothing that weighs needs no row.
        if (weight <= 0) return 0;
        row = rows.claim(place, subject, second);
        if (row === NO_ROW) {
          full++;
          return 0;
        }
        clear(row);
        times[row] = now;
      }
      rows.touch(row, second);
      last[row] = party;
      const passed = Math.max(0, now - times[row]!);
      times[row] = Math.max(now, times[row]!);
      const score = Math.max(0, scores[row]! - (passed / HOUR) * measure.anHour) + weight;
      if (score <= 0) {
        clear(row);
        return 0;
      }
      scores[row] = score;
      if (weight > 0) {
        if (calls[row]! < 65_535) calls[row]!++;
        if (weight >= STRONG && strong[row]! < 255) strong[row]!++;
        const bit = spread(party);
        bitmaps[2 * row + (bit >>> 5)]! |= 1 << (bit & 31);
        if (score >= measure.score / 2) keep(row, ref);
      }
      const isFound =
        score >= measure.score &&
        strong[row]! >= measure.strong &&
        partiesIn(bitmaps, row) >= measure.parties;
      return isFound ? score : 0;
    },
    hasMet(place, subject, party) {
      const row = rows.find(place, subject);
      if (row === NO_ROW || onesIn(bitmaps, row) > MOST_MET) return false;
      const bit = spread(party);
      return (bitmaps[2 * row + (bit >>> 5)]! & (1 << (bit & 31))) !== 0;
    },
    isLast(place, subject, party) {
      const row = rows.find(place, subject);
      return row !== NO_ROW && last[row] === party;
    },
    callsOf(place, subject) {
      const row = rows.find(place, subject);
      return row === NO_ROW ? 0 : calls[row]!;
    },
    partiesOf(place, subject) {
      const row = rows.find(place, subject);
      return row === NO_ROW ? 0 : partiesIn(bitmaps, row);
    },
    evidenceOf(place, subject) {
      const row = rows.find(place, subject);
      return row === NO_ROW ? [] : [...(kept.get(row) ?? [])];
    },
  };
}

/** A bit of 64 for a number. */
function spread(key: number): number {
  const low = key | 0;
  const high = Math.floor(key / 4_294_967_296) | 0;
  let mixed = Math.imul(low ^ Math.imul(high, 0x9e37_79b1), 0x85eb_ca6b);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0xc2b2_ae35);
  return (mixed >>> 16) & 63;
}

function partiesIn(bitmaps: Int32Array, row: number): number {
  const ones = onesIn(bitmaps, row);
  // A full map tells no number; it had some hundred parties at least.
  return ones === 64 ? 300 : Math.round(-64 * Math.log(1 - ones / 64));
}

function onesIn(bitmaps: Int32Array, row: number): number {
  return ones32(bitmaps[2 * row]!) + ones32(bitmaps[2 * row + 1]!);
}

function ones32(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  bits = (bits + (bits >>> 4)) & 0x0f0f_0f0f;
  return Math.imul(bits, 0x0101_0101) >>> 24;
}
