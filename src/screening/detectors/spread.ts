// Detector `spread`: cold calls to ever new parties, most of whom do not answer or hang up at the first sentence.
import { createCallerScores } from "./caller-scores.ts";
import { NONE, type DetectorForm, type SeenCall } from "./detector.ts";

const SECOND = 1000;

/**
 * What a call says, beside those of firms, notices, couriers and people. Answers that the called party ends within some
 * seconds are the pattern, unanswered calls lean to it. Who calls a party again knows that party. Talk speaks against it,
 * and so do calls that end when all is said.
 */
const weights = {
  hungUp: 2,
  missed: 0.5,
  hasty: -0.3,
  away: 0.3,
  said: -0.7,
  talked: -0.5,
  again: -1,
  calledBack: -1,
} as const;

function weigh({ end }: SeenCall): number {
  if (end.talked === NONE) {
    if (end.isBusy || end.isDead) return 0;
    if (end.rang === NONE) return weights.away;
    // Who gives up early does not wait for talk: tests, signs, other patterns.
    if (!end.isCancelled || end.rang >= 20 * SECOND) return weights.missed;
    return end.rang < 12 * SECOND ? weights.hasty : 0;
  }
  if (end.talked >= 30 * SECOND) return weights.talked;
  if (end.by !== "called") return end.talked < 8 * SECOND ? 0 : weights.said;
  if (end.talked < 8 * SECOND) return weights.hungUp;
  return end.talked < 15 * SECOND ? 0 : weights.said;
}

/**
 * Call centres by contract, hosts, among whose businesses are call centres, and the numbers that such calls are to come
 * from (95, 96), whose keys are negative.
 */
function isPermitted({ caller, trunk }: SeenCall): boolean {
  return caller < 0 || trunk.licence !== undefined;
}

export const spread: DetectorForm = {
  id: "spread",
  summary: "Cold calls: ever new called parties, of whom few answer and many hang up at once.",
  profile: "1",
  binds: ["caller", "callerBlock", "trunk"],
  needsCallBacks: true,
  thresholds: {
    score: {
      value: 12,
      least: 1,
      most: 1000,
      why: "Sum of what calls of one caller weigh. 12: some thirty calls of which three were hung up and few talked.",
    },
    blockScore: {
      value: 12,
      least: 1,
      most: 1000,
      why: "The same for a hundred callers on one trunk.",
    },
    hungUp: {
      value: 2,
      least: 0,
      most: 100,
      why: "Answers that the called party ended within eight seconds. 2: one wrong number is anybody's.",
    },
    anHour: {
      value: 1,
      least: 0,
      most: 1000,
      why: "What an hour takes from the sum. 1: two unanswered calls an hour are everybody's.",
    },
    parties: {
      value: 15,
      least: 1,
      most: 100,
      why: "Different called parties. Below: somebody with a small circle.",
    },
  },
  create: (thresholds, tables) =>
    createCallerScores(thresholds, tables, {
      ended: (call) => (isPermitted(call) ? 0 : weigh(call)),
      again: weights.again,
      calledBack: () => weights.calledBack,
    }),
};
