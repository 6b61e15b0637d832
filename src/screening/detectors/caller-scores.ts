// Detectors that weigh each call of a caller, and of a block of callers, on a trunk: what they have in common.
import { BLOCK_OF_CALLERS } from "../../domain/number.ts";
import type { Detector, SeenCall, Sighting, Thresholds } from "./detector.ts";
import { createScores, type Scores } from "./scores.ts";
import type { SubjectTables } from "./subject-table.ts";

/** What the calls of a subject say. Logarithms of odds: above 0 where a call fits the pattern. */
export interface CallWeights {
  /** Of a call that has ended. */
  readonly ended: (call: SeenCall) => number;
  /** Of a call to a party that the subject has called before, in place of what its end says. Left out: as any other. */
  readonly again?: number;
  /** Of a call back: the called party rang this caller and got no answer. Left out: calls back say nothing. */
  readonly calledBack?: (call: SeenCall) => number;
}

function look(
  scores: Scores,
  kind: "caller" | "callerBlock",
  subject: number,
  { place, called, ref }: SeenCall,
  weight: number,
  second: number,
): Sighting | undefined {
  const score = scores.add(place, subject, weight, called, ref, second);
  if (score === 0) return undefined;
  return {
    kind,
    strength: score,
    facts: {
      calls: scores.callsOf(place, subject),
      parties: scores.partiesOf(place, subject),
      score: Math.round(score),
    },
    evidence: scores.evidenceOf(place, subject),
  };
}

export function createCallerScores(
  thresholds: Thresholds,
  tables: SubjectTables,
  weigh: CallWeights,
): Detector {
  const measure = { score: 0, anHour: 0, parties: 0, strong: 0 };
  const blockMeasure = { score: 0, anHour: 0, parties: 0, strong: 0 };
  const callers = createScores(tables.callers, measure);
  const blocks = createScores(tables.blocks, blockMeasure);
  const { calledBack } = weigh;

  function follow(): void {
    measure.score = thresholds["score"]!;
    blockMeasure.score = thresholds["blockScore"]!;
    blockMeasure.anHour = measure.anHour = thresholds["anHour"]!;
    blockMeasure.parties = measure.parties = thresholds["parties"]!;
    blockMeasure.strong = measure.strong = thresholds["dropped"] ?? thresholds["hungUp"] ?? 0;
  }

  return {
    ...(calledBack === undefined
      ? {}
      : {
          begun(call, now) {
            if (call.backPlace < 0) return undefined;
            const weight = calledBack(call);
            if (weight === 0) return undefined;
            const { called, backPlace, caller, ref } = call;
            const second = Math.floor(now / 1000);
            callers.add(backPlace, called, weight, caller, ref, second);
            if (called >= 0)
              blocks.add(backPlace, Math.floor(called / BLOCK_OF_CALLERS), weight, caller, ref, second);
            return undefined;
          },
        }),
    ended(call, now) {
      // Who forwards a call is not who makes it.
      if (call.isDiverted) return undefined;
      const weight = weigh.ended(call);
      if (weight === 0) return undefined;
      follow();
      const second = Math.floor(now / 1000);
      const { place, caller, called } = call;
      const isAgain = weigh.again !== undefined && callers.hasMet(place, caller, called);
      const own = isAgain ? weigh.again : weight;
      const found = look(callers, "caller", caller, call, own, second);
      // Codes have negative keys: they are no part of a block.
      if (caller < 0) return found;
      const block = look(blocks, "callerBlock", Math.floor(caller / BLOCK_OF_CALLERS), call, own, second);
      return found ?? block;
    },
  };
}
