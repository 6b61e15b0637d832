// Trunks and lessees, and the lines on which calls come in.
import {
  NONE,
  type Licence,
  type NumberRange,
  type Side,
  type TrafficLessee,
  type TrafficTrunk,
} from "./call.ts";
import type { Numbers } from "./numbers.ts";
import { drawRank, mix, type Random } from "./random.ts";

/** Where calls of one user agent come in. */
export interface Line {
  readonly trunk: number;
  readonly lessee: number;
  readonly side: Side;
  readonly agent: number;
  readonly codecs: number;
}

/** What one contract gave a firm. */
export interface Lease {
  readonly lessee: number;
  readonly numbers: NumberRange;
  readonly lines: readonly Line[];
}

export interface LineParameters {
  readonly nationalTrunks: number;
  readonly internationalTrunks: number;
  /** Share of calls of a person that come by another trunk than usual. */
  readonly overflow: number;
  readonly agents: number;
  readonly codecSets: number;
}

export interface Lines {
  readonly trunks: readonly TrafficTrunk[];
  readonly lessees: readonly TrafficLessee[];
  readonly international: readonly Line[];
  readonly national: readonly Line[];
  readonly overflow: number;
  /** The usual trunk of a private number. */
  homeOf(number: number): Line;
  /** A contract with trunks and numbers of its own. */
  lease(random: Random, licence: Licence, numbers: number, trunks: number): Lease;
  /** Adds numbers to a contract: another firm, or a number that two contracts name. */
  addNumbers(lessee: number, numbers: NumberRange): void;
  /** The same trunk with another user agent behind it. */
  withAgent(line: Line, random: Random): Line;
  /** Leases of plain firms: those that persons call, and whose trunks others may abuse. */
  readonly firms: Lease[];
}

export function createLines(parameters: LineParameters, numbers: Numbers, scale: number): Lines {
  const trunks: TrafficTrunk[] = [];
  const lessees: { id: number; licence: Licence; trunks: number[]; numbers: NumberRange[] }[] = [];

  const anyAgent = (random: Random): number => drawRank(random, parameters.agents, 0.8, 1);
  const anyCodecs = (random: Random): number => drawRank(random, parameters.codecSets, 0.8, 1);
  function addTrunk(side: Side, lessee: number): number {
    const id = trunks.length;
    trunks.push({ id, lessee, side });
    return id;
  }
  // Gateways of networks are few makes of SBC; what stands behind them is not seen.
  const networkLines = (side: Side, count: number): readonly Line[] =>
    Array.from({ length: Math.max(3, Math.round(count * scale)) }, () => {
      const trunk = addTrunk(side, NONE);
      return { trunk, lessee: NONE, side, agent: mix(trunk) % 4, codecs: mix(trunk + 1) % 3 };
    });
  const national = networkLines("national", parameters.nationalTrunks);
  const international = networkLines("international", parameters.internationalTrunks);
  const first = national[0];
  if (first === undefined) throw new Error("no national trunk");

  return {
    trunks,
    lessees,
    national,
    international,
    overflow: parameters.overflow,
    firms: [],
    homeOf: (number) => national[mix(Math.floor(number / 1000) | 0) % national.length] ?? first,
    lease(random, licence, count, trunkCount) {
      const id = lessees.length;
      const range = numbers.lease(count);
      const agent = anyAgent(random);
      const codecs = anyCodecs(random);
      const lines = Array.from({ length: trunkCount }, (): Line => {
        return { trunk: addTrunk("leased", id), lessee: id, side: "leased", agent, codecs };
      });
      lessees.push({ id, licence, trunks: lines.map(({ trunk }) => trunk), numbers: [range] });
      return { lessee: id, numbers: range, lines };
    },
    addNumbers(lessee, range) {
      lessees[lessee]?.numbers.push(range);
    },
    withAgent: (line, random) => ({ ...line, agent: anyAgent(random), codecs: anyCodecs(random) }),
  };
}
