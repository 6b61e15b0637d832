// Detector `two-places`: one caller's number is in use at two places at the same time.
import { createSubjectRows, NO_ROW } from "../../state/frequency/subject-rows.ts";
import type { Trunk } from "../../domain/trunk.ts";
import type { DetectorForm, SeenCall } from "./detector.ts";

const HOUR = 3_600_000;
/** A caller without calls for so long is forgotten. Milliseconds. */
const LIFETIME = 6 * HOUR;
/** Who calls elsewhere so soon after the end of a call did not travel. Milliseconds. */
const SOON = 120_000;
/** Numbers stand on no trunk here: calls of all trunks are seen together. */
const ANY_TRUNK = 0;

/** What a call says that begins while the number is in a call at another place, or soon after one. */
const weights = { atOnce: 2, soon: 1 } as const;

/**
 * Where a trunk is: each lessee at its own place, whatever trunks share its calls; the networks of the country at one,
 * which hand calls over by whichever trunk is free; carriers abroad at another one.
 */
function placeNameOf(trunk: Trunk): string {
  return (
    trunk.lessee ??
    (trunk.side === "international" ? " abroad" : trunk.side === "lessee" ? trunk.id : " home")
  );
}

/** Platform numbers (95, 96) belong to nobody's place: call centres share them by contract. Codes have negative keys. */
function isCounted({ caller, isDiverted }: SeenCall): boolean {
  return caller >= 0 && !isDiverted;
}

export const twoPlaces: DetectorForm = {
  id: "two-places",
  summary:
    "One caller's number calls at two places at the same time: lessees, the networks of the country, abroad.",
  profile: "1",
  binds: [],
  whyNobody: "its findings do not say at which of the places the number's owner is",
  thresholds: {
    score: {
      value: 2.5,
      least: 1,
      most: 1000,
      why: "Calls at once count 2, calls within two minutes 1. 2.5: not one overlap of clocks, nor one late hand-over.",
    },
    anHour: {
      value: 0.5,
      least: 0,
      most: 1000,
      why: "What an hour takes from the sum. 0.5: who travels changes place some times a day.",
    },
  },
  create(thresholds, capacity) {
    const places = new Map<string, number>();
    /** By row: the place of the last call, calls of the number now at that place, and when the last one ended. */
    const lastPlace = new Int32Array(capacity);
    const standing = new Uint16Array(capacity);
    const ended = new Float64Array(capacity);
    const scores = new Float32Array(capacity);
    const times = new Float64Array(capacity);
    let full = 0;
    const rows = createSubjectRows(
      capacity,
      (row, second) => second - rows.secondOf(row) > LIFETIME / 1000,
      () => undefined,
    );

    function placeOf(trunk: Trunk): number {
      const name = placeNameOf(trunk);
      const known = places.get(name);
      if (known !== undefined) return known;
      places.set(name, places.size);
      return places.size - 1;
    }

    return {
      begun(call, now) {
        if (!isCounted(call)) return undefined;
        const place = placeOf(call.trunk);
        const second = Math.floor(now / 1000);
        let row = rows.find(ANY_TRUNK, call.caller);
        if (row === NO_ROW) {
          row = rows.claim(ANY_TRUNK, call.caller, second);
          if (row === NO_ROW) {
            full++;
            return undefined;
          }
          lastPlace[row] = place;
          standing[row] = 0;
          ended[row] = -Infinity;
          scores[row] = 0;
          times[row] = now;
        }
        rows.touch(row, second);
        const passed = Math.max(0, now - times[row]!);
        times[row] = now;
        let score = Math.max(0, scores[row]! - (passed / HOUR) * thresholds["anHour"]!);
        const isElsewhere = lastPlace[row] !== place;
        if (isElsewhere) {
          if (standing[row]! > 0) score += weights.atOnce;
          else if (now - ended[row]! < SOON) score += weights.soon;
          lastPlace[row] = place;
          standing[row] = 0;
        }
        scores[row] = score;
        if (standing[row]! < 60_000) standing[row]!++;
        if (!isElsewhere || score < thresholds["score"]!) return undefined;
        return { kind: "caller", strength: score, facts: { score: Math.round(score) }, evidence: [] };
      },
      ended(call, now) {
        if (!isCounted(call)) return undefined;
        const row = rows.find(ANY_TRUNK, call.caller);
        if (row === NO_ROW || lastPlace[row] !== placeOf(call.trunk)) return undefined;
        if (standing[row]! > 0) standing[row]!--;
        ended[row] = now;
        return undefined;
      },
      full: () => full,
      octets: () => capacity * (32 + 26) + 4 * 2 ** Math.max(4, Math.ceil(Math.log2(capacity))),
    };
  },
};
