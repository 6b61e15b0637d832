// Detector `one-ring`: a caller rings many parties for a moment and hangs up, so that they call back.
import { createCallerScores } from "./caller-scores.ts";
import { NONE, type DetectorForm, type SeenCall } from "./detector.ts";

const SECOND = 1000;

/**
 * What a call says. Short rings that the caller gives up are the pattern. Short talk speaks against it: who rings a moment
 * to say that he stands at the door is answered now and then. Long talk says little: it may be there to hide the pattern.
 * Who waits, as nearly everybody does, is no one-ring caller.
 */
const weights = {
  blink: 1.9,
  moment: 1.3,
  short: 1,
  middling: -0.3,
  patient: -0.6,
  brief: -3,
  talked: 0,
  calledBack: -4,
} as const;

/** Who was rung as a sign calls back at once: "I'm coming". Milliseconds. Whom a number lures calls when she sees it. */
const AT_ONCE = 3 * 60 * SECOND;

function weigh({ end }: SeenCall): number {
  if (end.talked !== NONE) {
    if (end.talked < 6 * SECOND) return 0;
    return end.talked < 30 * SECOND ? weights.brief : weights.talked;
  }
  if (!end.isCancelled || end.rang === NONE) return 0;
  if (end.rang < 3 * SECOND) return weights.blink;
  if (end.rang < 4.5 * SECOND) return weights.moment;
  if (end.rang < 8 * SECOND) return weights.short;
  return end.rang < 12 * SECOND ? weights.middling : weights.patient;
}

export const oneRing: DetectorForm = {
  id: "one-ring",
  summary: "A caller rings many parties for a moment and hangs up.",
  profile: "1",
  needsCallBacks: true,
  binds: ["caller", "callerBlock", "trunk"],
  thresholds: {
    score: {
      value: 9.2,
      least: 1,
      most: 1000,
      why: "Sum of what calls of one caller weigh. 9.2: five rings of a moment or some nine short ones that nothing speaks against.",
    },
    blockScore: {
      value: 8.5,
      least: 1,
      most: 1000,
      why: "The same for a hundred callers on one trunk.",
    },
    anHour: {
      value: 1.5,
      least: 0,
      most: 1000,
      why: "What an hour takes from the sum. 1.5: drivers ring shortly some times an hour.",
    },
    parties: {
      value: 6,
      least: 1,
      most: 100,
      why: "Different called parties. Below: relatives who ring as a sign.",
    },
  },
  create: (thresholds, tables) =>
    createCallerScores(thresholds, tables, {
      ended: weigh,
      calledBack: ({ backAfter }) => (backAfter < AT_ONCE ? weights.calledBack : 0),
    }),
};
