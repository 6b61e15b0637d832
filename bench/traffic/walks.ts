// In which order called parties are dialled: known ones, strangers, rising numbers, near ones, whole blocks.
import type { NumberRange } from "./call.ts";
import type { Numbers } from "./numbers.ts";
import { below, draw, type Random } from "./random.ts";

/** Answers the next number to dial. */
export type Walk = () => number;

export type WalkParameters =
  /** People who gave their number, all over the country, each once before any comes again. */
  | { readonly order: "clients" }
  /** Anyone who has a telephone. */
  | { readonly order: "strangers" }
  /** Clients in the order of their numbers, over a region of so many numbers. */
  | { readonly order: "rising"; readonly across: number }
  /** Clients in any order, whose numbers stand near each other. */
  | { readonly order: "near"; readonly within: number }
  /** A block, in order, but for a share that is left out; numbers in service only, where the list was made from a register. */
  | { readonly order: "block"; readonly leftOut: number; readonly registered: boolean };

/** @param count numbers that will be asked for, about */
export function createWalk(
  numbers: Numbers,
  random: Random,
  parameters: WalkParameters,
  count: number,
): Walk {
  const key = Math.floor(draw(random) * 2 ** 32);
  const start = below(random, numbers.positions);
  let index = -1;
  let position = start;
  switch (parameters.order) {
    case "clients":
      return () => {
        index += 1;
        return numbers.at(numbers.chosen(key, index));
      };
    case "strangers":
      return () => numbers.at(numbers.anyone(random));
    case "rising": {
      const gap = parameters.across / count;
      return () => {
        position += 1 + Math.floor(-Math.log(1 - draw(random)) * gap);
        position = numbers.inServiceFrom(position);
        return numbers.at(position);
      };
    }
    case "near":
      return () => numbers.at(numbers.inServiceFrom(start + below(random, parameters.within)));
    case "block":
      position = start - (start % 1000);
      return () => {
        do position = (position + 1) % numbers.positions;
        while (draw(random) < parameters.leftOut);
        if (parameters.registered) position = numbers.inServiceFrom(position);
        return numbers.at(position);
      };
  }
}

/** Positions of a block in an order of chance, each once, then from the beginning. */
export function createShuffledWalk(random: Random, block: NumberRange): Walk {
  const order = Uint16Array.from({ length: block.count }, (_, i) => i);
  for (let i = block.count - 1; i > 0; i -= 1) {
    const other = below(random, i + 1);
    const kept = order[i] ?? 0;
    order[i] = order[other] ?? 0;
    order[other] = kept;
  }
  let index = -1;
  return () => {
    index = (index + 1) % block.count;
    return block.first + (order[index] ?? 0);
  };
}
