// Detector `one-ring`: a caller rings many parties for a moment and hangs up, so that they call back.
import { createCallerScores } from "./caller-scores.ts";
import { NONE, type DetectorForm, type SeenCall } from "./detector.ts";

const SECOND = 1000;

/**
 * What a call says. Short rings that the caller gives up are the pattern. Short talk speaks against it: who rings a moment
 * to say that he stands at the door is answered now and then. Long talk says little: it may be there to hide the pattern.
 * Who waits, as nearly everybody does, is no one-ring caller.
 */
const weights = { moment: 1.4, short: 1, middling: -0.3, patient: -0.6, brief: -4, talked: 0 } as const;

function weigh({ end }: SeenCall): number {
  if (end.talked !== NONE) {
    if (end.talked < 6 * SECOND) return 0;
    return end.talked < 30 * SECOND ? weights.brief : weights.talked;
  }
  if (!end.isCancelled || end.rang === NONE) return 0;
  if (end.rang < 4.5 * SECOND) return weights.moment;
  if (end.rang < 8 * SECOND) return weights.short;
  return end.rang < 12 * SECOND ? weights.middling : weights.patient;
}

export const oneRing: DetectorForm = {
  id: "one-ring",
  summary: "A caller rings many parties for a moment and hangs up.",
  profile: "1",
  binds: ["caller", "callerBlock", "trunk"],
  thresholds: {
    score: {
      value: 9.5,
      least: 1,
      most: 1000,
      why: "Sum of what calls of one caller weigh. 9.5: some eight short rings that nothing speaks against.",
    },
    blockScore: {
      value: 10,
      least: 1,
      most: 1000,
      why: "The same for a hundred callers on one trunk.",
    },
    anHour: {
      value: 2.5,
      least: 0,
      most: 1000,
      why: "What an hour takes from the sum. 2.5: taxi drivers and couriers ring shortly some times an hour.",
    },
    parties: {
      value: 8,
      least: 1,
      most: 100,
      why: "Different called parties. Below: relatives who ring as a sign.",
    },
  },
  create: (thresholds, capacity) => createCallerScores(thresholds, capacity, weigh),
};
