// Detector `short-calls`: calls that end at once when they are answered, to find out which numbers live.
import { createCallerScores } from "./caller-scores.ts";
import { NONE, type DetectorForm, type SeenCall } from "./detector.ts";

const SECOND = 1000;

/**
 * What a call says. Hanging up within seconds of the answer says most, a short ring a little. Talk of half a minute
 * speaks against it: machines, codes and couriers have it. Longer talk says little: it may be there to hide the pattern.
 */
const weights = {
  dropped: 4,
  short: 0.5,
  patient: -1,
  waited: -0.3,
  brief: -2.5,
  talked: -0.3,
  calledBack: -2,
} as const;

/** Who was rung as a sign calls back at once. Milliseconds. */
const AT_ONCE = 180 * SECOND;

function weigh({ end }: SeenCall): number {
  if (end.talked !== NONE) {
    if (end.talked < 3.5 * SECOND) return end.by === "caller" ? weights.dropped : 0;
    if (end.talked < 8 * SECOND) return 0;
    return end.talked < 30 * SECOND ? weights.brief : weights.talked;
  }
  if (!end.isCancelled || end.rang === NONE) return 0;
  if (end.rang < 12 * SECOND) return weights.short;
  return end.rang < 20 * SECOND ? weights.waited : weights.patient;
}

export const shortCalls: DetectorForm = {
  id: "short-calls",
  summary: "Calls that the caller drops at the answer or after a short ring, to many parties.",
  profile: "1",
  needsCallBacks: true,
  binds: ["caller", "callerBlock", "trunk"],
  thresholds: {
    score: {
      value: 7.5,
      least: 1,
      most: 1000,
      why: "Sum of what calls of one caller weigh. 7.5: two dropped answers among short rings.",
    },
    blockScore: {
      value: 11,
      least: 1,
      most: 1000,
      why: "The same for a hundred callers on one trunk.",
    },
    dropped: {
      value: 2,
      least: 0,
      most: 100,
      why: "Answers that the caller dropped within seconds. 2: drivers and testers ring shortly, and drop one now and then.",
    },
    anHour: {
      value: 1,
      least: 0,
      most: 1000,
      why: "What an hour takes from the sum. 1: a wrong number is dropped now and then.",
    },
    parties: {
      value: 10,
      least: 1,
      most: 100,
      why: "Different called parties. Below: a machine with a fault, a line with a fault.",
    },
  },
  create: (thresholds, tables) =>
    createCallerScores(thresholds, tables, {
      ended: weigh,
      calledBack: ({ backAfter }) => (backAfter < AT_ONCE ? weights.calledBack : 0),
    }),
};
