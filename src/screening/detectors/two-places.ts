// Detector `two-places`: one caller's number is in use at two places at the same time.
import type { Trunk } from "../../domain/trunk.ts";
import type { DetectorForm, SeenCall } from "./detector.ts";
import { NO_ROW } from "./subject-table.ts";

const HOUR = 3600;
/** A caller whose calls have no end for so long is forgotten. Seconds. */
const LIFETIME = 6 * HOUR;
/** Who calls elsewhere so soon after the end of a call did not travel. Seconds. */
const SOON = 120;
/** Numbers stand on no trunk here: calls of all trunks are seen together. */
const ANY_TRUNK = 0;

/** Words of a row: place, plus one, of the last call, calls now at that place, second after the last end, score, its second. */
const WORDS = 5;
const PLACE = 0;
const STANDING = 1;
const ENDED = 2;
const SCORE = 3;
const TIME = 4;

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
  create(thresholds, tables) {
    const places = new Map<string, number>();
    const { ints, floats } = tables.numbers.column({
      words: WORDS,
      isIdle: (row, second) => isIdle(row * WORDS, second),
    });

    function isIdle(at: number, second: number): boolean {
      const age = second - ints[at + TIME]!;
      if (ints[at + STANDING]! > 0) return age > LIFETIME;
      return age > SOON && decayed(at, second) <= 0;
    }

    function decayed(at: number, second: number): number {
      return floats[at + SCORE]! - (Math.max(0, second - ints[at + TIME]!) / HOUR) * thresholds["anHour"]!;
    }

    function placeOf(trunk: Trunk): number {
      const name = placeNameOf(trunk);
      const known = places.get(name);
      if (known !== undefined) return known;
      places.set(name, places.size + 1);
      return places.size;
    }

    return {
      begun(call, now) {
        if (!isCounted(call)) return undefined;
        const place = placeOf(call.trunk);
        const second = Math.floor(now / 1000);
        const row = tables.numbers.claim(ANY_TRUNK, call.caller, second);
        if (row === NO_ROW) return undefined;
        const at = row * WORDS;
        let score = Math.max(0, decayed(at, second));
        const isElsewhere = ints[at + PLACE] !== place;
        if (isElsewhere) {
          if (ints[at + STANDING]! > 0) score += weights.atOnce;
          else if (second - ints[at + ENDED]! < SOON && ints[at + ENDED] !== 0) score += weights.soon;
          ints[at + PLACE] = place;
          ints[at + STANDING] = 0;
        }
        floats[at + SCORE] = score;
        ints[at + TIME] = second;
        ints[at + STANDING]!++;
        if (!isElsewhere || score < thresholds["score"]!) return undefined;
        return { kind: "caller", strength: score, facts: { score: Math.round(score) }, evidence: [] };
      },
      ended(call, now) {
        if (!isCounted(call)) return undefined;
        const row = tables.numbers.find(ANY_TRUNK, call.caller);
        if (row === NO_ROW) return undefined;
        const at = row * WORDS;
        if (ints[at + PLACE] !== placeOf(call.trunk)) return undefined;
        if (ints[at + STANDING]! > 0) ints[at + STANDING]!--;
        const second = Math.floor(now / 1000);
        floats[at + SCORE] = Math.max(0, decayed(at, second));
        ints[at + TIME] = second;
        ints[at + ENDED] = second + 1;
        return undefined;
      },
    };
  },
};
