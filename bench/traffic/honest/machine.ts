// Machines that call one receiver: alarm panels, card terminals, fax machines.
import type { Detector } from "../call.ts";
import { drawPaced, DAY, MINUTE, NO_MORE, SECOND, type Times } from "../hours.ts";
import { below, draw, drawSpread, randomFor, type Spread } from "../random.ts";
import { enlist, redial, type Redial, type Stage } from "../stage.ts";
import { createWalk } from "../walks.ts";
import { mannerOf, timesOf } from "./sender.ts";

export interface MachineParameters {
  readonly kind: "machine";
  readonly subjects: number;
  readonly signs: readonly Detector[];
  readonly calls: Spread;
  /** Over a profile of the day, or every so many minutes all day. */
  readonly when: { readonly hours: string } | { readonly everyMinutes: Spread };
  /** Machines that share a receiver; 0: each call goes to another party of a list. */
  readonly perReceiver: number;
  /** Share of machines with a fault: these call once more after each call, at the wait of `redial`. */
  readonly faulty: number;
  readonly manner: string;
  readonly redial: Redial;
}

/** The receivers of a population: made when their first machine is. */
export function createMachines(
  stage: Stage,
  population: string,
  parameters: MachineParameters,
): (index: number) => void {
  let receiver = 0;
  return (index) => {
    const random = randomFor(stage.seed, population, index);
    const { numbers, lines } = stage;
    if (parameters.perReceiver > 0 && index % parameters.perReceiver === 0)
      receiver = lines.lease(random, "own-use", 10, 1).numbers.first;
    const caller = numbers.at(numbers.anyone(random));
    const line = lines.homeOf(caller);
    const isFaulty = draw(random) < parameters.faulty;
    const count = Math.max(1, Math.round(drawSpread(random, parameters.calls)));
    stage.planned.honest += count;
    const walk = createWalk(numbers, random, { order: "clients" }, count);
    const called = receiver;
    const label = enlist(stage, {
      population,
      signs: parameters.signs,
      trunks: [line.trunk],
      callers: [{ first: caller, count: 1 }],
      called: parameters.perReceiver > 0 ? [{ first: called, count: 1 }] : [],
    });
    const manner = mannerOf(stage, parameters.manner);
    const times = timesFor(count);
    const first = times();
    if (first === NO_MORE) return;
    // A machine with a fault takes each answer for a failure.
    const again = (now: number, left: number): void => {
      stage.later(now + drawSpread(random, parameters.redial.wait), (at) => {
        const free = stage.busyUntil(caller);
        if (free > at) return free + SECOND;
        const call = stage.dial(at, line, caller, called, manner, random, label);
        if (left > 1) again(at + call.ended, left - 1);
        return NO_MORE;
      });
    };
    stage.later(first, (now) => {
      const free = stage.busyUntil(caller);
      if (free > now) return free + SECOND;
      const to = parameters.perReceiver > 0 ? called : walk();
      const call = stage.dial(now, line, caller, to, manner, random, label);
      if (isFaulty && parameters.perReceiver > 0) again(now + call.ended, parameters.redial.most);
      else redial(stage, parameters.redial, call, line, manner, random);
      return times();
    });

    function timesFor(calls: number): Times {
      const { when } = parameters;
      if ("hours" in when) return timesOf(stage, random, when, calls);
      const gap = { median: when.everyMinutes.median * MINUTE, sigma: when.everyMinutes.sigma };
      const paced = drawPaced(random, calls, below(random, gap.median), gap);
      return () => {
        const time = paced();
        return time < DAY ? time : NO_MORE;
      };
    }
  };
}
