// Detector `call-bombing`: one called party is called again and again, so that her telephone is of no use to her.
import { createBombers } from "./bombers.ts";
import { createScoreRows } from "./score-rows.ts";
import { NONE, type DetectorForm, type SeenCall, type SeenEnd } from "./detector.ts";

/**
 * Talk that was cut off, by her and by the caller, and talk that was none. Milliseconds. Machines and voice menus talk for
 * longer than the first two.
 */
const CUT_BY_CALLED = 8000;
const CUT_BY_CALLER = 6000;
const TALKED = 15_000;
/** A subject without calls for so long is forgotten. Milliseconds. */
const LIFETIME = 6 * 3_600_000;
/** Called parties stand on no trunk: calls of all trunks count together. */
const ANY_TRUNK = 0;

/**
 * What a call says, as the logarithm of how much likelier it is in a bombing. Calls that meet a busy line say nothing:
 * those of phone-ins and ticket sales nearly all do. One caller who tries again and again says nothing: people insist.
 * Several callers who try again in turn do not know each other's calls, unless one hand dials them. Who was cut off and
 * calls again says most.
 */
const weights = {
  cutAgain: 3,
  cut: 1.8,
  missedAgain: 1.6,
  missed: 0.4,
  talkedAgain: -1.2,
  talked: -0.7,
} as const;

/** True for an answer of which the call was cut off: it may be part of a bombing. */
export function isShortTalk({ talked, by }: SeenEnd): boolean {
  return talked < (by === "called" ? CUT_BY_CALLED : CUT_BY_CALLER);
}

function weigh({ end, isDiverted }: SeenCall, isAgain: boolean, isLast: boolean): number {
  if (isDiverted) return 0;
  if (end.talked === NONE) {
    if (end.rang === NONE || end.isBusy || isLast) return 0;
    return isAgain ? weights.missedAgain : weights.missed;
  }
  if (end.talked >= TALKED) return isAgain ? weights.talkedAgain : weights.talked;
  return isShortTalk(end) ? (isAgain ? weights.cutAgain : weights.cut) : 0;
}

export const callBombing: DetectorForm = {
  id: "call-bombing",
  summary: "One called party: many calls that come to nothing, of one caller or of many.",
  profile: "1",
  binds: ["called"],
  thresholds: {
    score: {
      value: 8,
      least: 1,
      most: 1000,
      why: "Sum of what calls to her weigh. 8: odds of some thousand to one that she is not just busy.",
    },
    cut: {
      value: 1,
      least: 0,
      most: 100,
      why: "Calls that she or the caller cut off. 1: firms with several numbers try again too, and then they talk.",
    },
    anHour: {
      value: 1,
      least: 0,
      most: 1000,
      why: "What an hour takes from the sum. 1: two or three missed calls an hour are everybody's.",
    },
  },
  create(thresholds, capacity) {
    const rows = createScoreRows(capacity, LIFETIME);
    const bombers = createBombers(LIFETIME);
    const measure = { score: 0, anHour: 0, parties: 1, strong: 0 };
    return {
      ended(call, now) {
        const { called, caller, ref } = call;
        measure.score = thresholds["score"]!;
        measure.strong = thresholds["cut"]!;
        measure.anHour = thresholds["anHour"]!;
        const isAgain = rows.hasMet(ANY_TRUNK, called, caller);
        const weight = weigh(call, isAgain, rows.isLast(ANY_TRUNK, called, caller));
        const score = rows.add(ANY_TRUNK, called, weight, caller, ref, now, measure);
        const joined = bombers.add(call, weight, rows.callsOf(ANY_TRUNK, called), now);
        if (score === 0) return undefined;
        return {
          kind: "called",
          strength: score,
          facts: {
            calls: rows.callsOf(ANY_TRUNK, called),
            callers: rows.partiesOf(ANY_TRUNK, called),
            score: Math.round(score),
          },
          evidence: rows.evidenceOf(ANY_TRUNK, called),
          participants: () => bombers.of(called),
          joined,
        };
      },
      full: () => rows.full + bombers.full(),
      octets: () => rows.octets + bombers.octets,
    };
  },
};
