// Forgets calls of circuits whose end was not seen: their messages went another way, or died with a link.
import type { Millis } from "../domain/time.ts";
import { endCall } from "./call-progress.ts";
import type { Circuit, CircuitPhase, PassedCall } from "./circuits.ts";
import type { IsupState } from "./isup-turn.ts";

const MINUTE: Millis = 60_000;

/**
 * How long a call may stay in a phase. Exchanges give up much sooner: without ACM after T7 (20 to 30 s), without answer
 * after T9 (1.5 to 3 min), without RLC after T5 (5 to 15 min) (Q.764 table A.1). Announcements may last longer than T9.
 * An answered call may last as long as its trunk says.
 */
const longest: Readonly<Record<Exclude<CircuitPhase, "answered">, Millis>> = {
  begun: 5 * MINUTE,
  heard: 30 * MINUTE,
  released: 15 * MINUTE,
};

/** Circuits that one tick looks at, at most: a full table of a million is seen within minutes. */
const MOST_SEEN = 512;

/** Looks at the circuits in turn, a few at each tick. */
export interface CircuitAges {
  tick(now: Millis): void;
}

export function createCircuitAges(relay: IsupState): CircuitAges {
  const { circuits } = relay;
  let round: Iterator<Circuit> = circuits.all()[Symbol.iterator]();

  function age(circuit: Circuit, now: Millis): void {
    for (const side of [0, 1] as const) {
      const call = circuit.calls[side];
      if (call === undefined || now - call.since < limitOf(call)) continue;
      endCall(relay, call, { by: "filter", how: "lost" }, now);
      circuits.setCall(circuit, side, undefined);
    }
    circuits.settle(circuit);
  }

  return {
    tick(now) {
      for (let left = MOST_SEEN; left > 0; left--) {
        const next = round.next();
        if (next.done === true) {
          round = circuits.all()[Symbol.iterator]();
          return;
        }
        age(next.value, now);
      }
    },
  };
}

function limitOf({ phase, attempt }: PassedCall): Millis {
  return phase === "answered" ? attempt.trunk.longestCall : longest[phase];
}
