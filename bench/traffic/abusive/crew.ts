// Who makes the calls of a campaign, and on which trunks they come in.
import type { Line } from "../lines.ts";
import { below, type Random } from "../random.ts";
import type { Stage } from "../stage.ts";

/**
 * `leased`: a firm that was founded for it; `guest`: on the trunk of a firm that has honest traffic of its own; `cards`: SIM cards, by other
 * networks; `abroad`: numbers abroad, by carriers abroad.
 */
export type Origin = "leased" | "guest" | "cards" | "abroad";

export interface Crew {
  readonly callers: readonly number[];
  /** The line of each caller. */
  readonly lines: readonly Line[];
  /** Leased trunks in use. Trunks of other networks carry everybody's calls: they are no subject of a campaign. */
  readonly trunks: readonly number[];
  readonly lessees: readonly number[];
}

/** Trunks of which one lessee has so many, where there are several. */
const TRUNKS_A_LESSEE = 2;

/** At most as many trunks as callers. */
export function createCrew(
  stage: Stage,
  random: Random,
  origin: Origin,
  callers: number,
  trunks: number,
): Crew {
  const { lines, numbers } = stage;
  if (origin === "cards") {
    const cards = Array.from({ length: callers }, () => numbers.freshMobile());
    return crewOf(
      cards,
      cards.map((card) => lines.homeOf(card)),
    );
  }
  if (origin === "abroad") {
    const roads = Array.from({ length: trunks }, () => anyOf(lines.international, random));
    const found = Array.from({ length: callers }, () => numbers.abroad(random));
    return crewOf(
      found,
      found.map((_, caller) => roads[caller % roads.length] ?? anyOf(roads, random)),
    );
  }
  const found: number[] = [];
  const own: Line[] = [];
  const wantedTrunks = Math.min(trunks, callers);
  const lessees = Math.ceil(wantedTrunks / TRUNKS_A_LESSEE);
  for (let index = 0; index < lessees; index += 1) {
    const wanted = Math.ceil(callers / lessees);
    const trunksHere = Math.min(TRUNKS_A_LESSEE, wantedTrunks - index * TRUNKS_A_LESSEE);
    const lease =
      origin === "guest" ? anyOf(lines.firms, random) : lines.lease(random, "own-use", wanted, trunksHere);
    const range = origin === "guest" ? numbers.lease(wanted) : lease.numbers;
    // The numbers stand in the contract: what has no number there is refused by the caller's authentication.
    if (origin === "guest") lines.addNumbers(lease.lessee, range);
    for (let number = 0; number < wanted && found.length < callers; number += 1) {
      found.push(range.first + number);
      own.push(lease.lines[number % lease.lines.length] ?? anyOf(lease.lines, random));
    }
  }
  return crewOf(found, own);
}

function anyOf<Item>(items: readonly Item[], random: Random): Item {
  const item = items[below(random, items.length)];
  if (item === undefined) throw new Error("nothing to choose from");
  return item;
}

function crewOf(callers: readonly number[], lines: readonly Line[]): Crew {
  const leased = lines.filter(({ side }) => side === "leased");
  return {
    callers,
    lines,
    trunks: [...new Set(leased.map(({ trunk }) => trunk))],
    lessees: [...new Set(leased.map(({ lessee }) => lessee))],
  };
}
