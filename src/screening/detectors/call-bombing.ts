// Detector `call-bombing`: one called party is called again and again, so that her telephone is of no use to her.
import { createBombers } from "./bombers.ts";
import { createScores } from "./scores.ts";
import { NONE, type DetectorForm, type SeenCall, type SeenEnd } from "./detector.ts";

/** Talk that was cut off, by her and by the caller. Milliseconds. Machines and voice menus talk for longer. */
const CUT_BY_CALLED = 8000;
const CUT_BY_CALLER = 6000;
/** She heard what it was, and hung up. */
const HEARD = 20_000;
const TALKED = 30_000;
/** People let it ring for longer, nearly all of them. */
const PATIENT = 20_000;
/** A called party without calls for so long has no bombers. Milliseconds. */
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
  declinedAgain: 1.65,
  declined: 0.8,
  hastyAgain: 1.65,
  hasty: 0.9,
  missedAgain: 1.3,
  missed: 0.35,
  heardAgain: 1.5,
  heard: 0.6,
  brief: -0.7,
  talkedAgain: -1.6,
  talked: -1.2,
} as const;

/** True for an answer of which the call was cut off: it may be part of a bombing. */
export function isShortTalk({ talked, by }: SeenEnd): boolean {
  return talked < (by === "called" ? CUT_BY_CALLED : CUT_BY_CALLER);
}

function weigh({ end, isDiverted }: SeenCall, isAgain: boolean, isLast: boolean): number {
  if (isDiverted) return 0;
  if (end.talked === NONE) {
    if (end.rang === NONE || end.isBusy) return 0;
    if (isLast) return 0;
    if (end.by === "called") return isAgain ? weights.declinedAgain : weights.declined;
    if (end.rang < PATIENT) return isAgain ? weights.hastyAgain : weights.hasty;
    return isAgain ? weights.missedAgain : weights.missed;
  }
  if (end.talked >= TALKED) return isAgain ? weights.talkedAgain : weights.talked;
  if (isShortTalk(end)) return isAgain ? weights.cutAgain : weights.cut;
  if (end.by !== "called") return weights.brief;
  if (end.talked >= HEARD) return 0;
  return isAgain ? weights.heardAgain : weights.heard;
}

/** Whose contract is to call many parties is missed by many, again and again: such calls count half. */
const LICENSED = 0.5;

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
  create(thresholds, tables) {
    const bombers = createBombers(LIFETIME);
    const measure = { score: 0, anHour: 0, parties: 1, strong: 0 };
    const rows = createScores(tables.called, measure);
    return {
      ended(call, now) {
        const { called, caller, ref } = call;
        measure.score = thresholds["score"]!;
        measure.strong = thresholds["cut"]!;
        measure.anHour = thresholds["anHour"]!;
        const isAgain = rows.hasMet(ANY_TRUNK, called, caller);
        const plain = weigh(call, isAgain, rows.isLast(ANY_TRUNK, called, caller));
        const isHalf = plain > 0 && call.end.talked === NONE && call.trunk.licence !== undefined;
        const weight = isHalf ? plain * LICENSED : plain;
        const score = rows.add(ANY_TRUNK, called, weight, caller, ref, Math.floor(now / 1000));
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
      full: () => bombers.full(),
    };
  },
};
