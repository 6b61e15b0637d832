// The callers that a shield refuses: numbers, each on its trunk. Bounded and flat.
import { MOST_PARTICIPANTS } from "../../domain/finding.ts";

/** Asked on the path of calls: it reads two arrays and allocates nothing. */
export interface Shield {
  readonly size: number;
  /** @param place a small number for the trunk */
  has(place: number, caller: number): boolean;
  /** @returns false where the caller is there already, or there is no room */
  add(place: number, caller: number): boolean;
  clear(): void;
}

export function createShield(): Shield {
  const places = new Int32Array(MOST_PARTICIPANTS);
  const callers = new Float64Array(MOST_PARTICIPANTS);
  let size = 0;

  function has(place: number, caller: number): boolean {
    for (let i = 0; i < size; i++) if (callers[i] === caller && places[i] === place) return true;
    return false;
  }

  return {
    get size() {
      return size;
    },
    has,
    add(place, caller) {
      if (size >= MOST_PARTICIPANTS || has(place, caller)) return false;
      places[size] = place;
      callers[size++] = caller;
      return true;
    },
    clear() {
      size = 0;
    },
  };
}
