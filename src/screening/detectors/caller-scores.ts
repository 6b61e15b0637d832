// Detectors that weigh each call of a caller, and of a block of callers, on a trunk: what they have in common.
import { BLOCK_OF_CALLERS } from "../../domain/number.ts";
import type { Millis } from "../../domain/time.ts";
import type { Detector, SeenCall, Sighting, Thresholds } from "./detector.ts";
import { createScoreRows, type ScoreMeasure, type ScoreRows } from "./score-rows.ts";

/** A subject without calls for so long is forgotten. Milliseconds. */
const LIFETIME: Millis = 12 * 3_600_000;

/** @param weigh what a call says, as a logarithm of odds: above 0 where it fits the pattern */
export function createCallerScores(
  thresholds: Thresholds,
  capacity: number,
  weigh: (call: SeenCall) => number,
): Detector {
  const callers = createScoreRows(capacity, LIFETIME);
  const blocks = createScoreRows(capacity, LIFETIME);
  const measure = { score: 0, anHour: 0, parties: 0, strong: 0 };

  function look(
    rows: ScoreRows,
    kind: "caller" | "callerBlock",
    subject: number,
    { place, called, ref }: SeenCall,
    weight: number,
    now: Millis,
  ): Sighting | undefined {
    const score = rows.add(place, subject, weight, called, ref, now, measure satisfies ScoreMeasure);
    if (score === 0) return undefined;
    return {
      kind,
      strength: score,
      facts: {
        calls: rows.callsOf(place, subject),
        parties: rows.partiesOf(place, subject),
        score: Math.round(score),
      },
      evidence: rows.evidenceOf(place, subject),
    };
  }

  return {
    ended(call, now) {
      // Who forwards a call is not who makes it.
      if (call.isDiverted) return undefined;
      const weight = weigh(call);
      if (weight === 0) return undefined;
      measure.anHour = thresholds["anHour"]!;
      measure.parties = thresholds["parties"]!;
      measure.strong = thresholds["dropped"] ?? 0;
      measure.score = thresholds["score"]!;
      const found = look(callers, "caller", call.caller, call, weight, now);
      // Codes have negative keys: they are no part of a block.
      if (call.caller < 0) return found;
      measure.score = thresholds["blockScore"]!;
      const block = look(
        blocks,
        "callerBlock",
        Math.floor(call.caller / BLOCK_OF_CALLERS),
        call,
        weight,
        now,
      );
      return found ?? block;
    },
    full: () => callers.full + blocks.full,
    octets: () => callers.octets + blocks.octets,
  };
}
