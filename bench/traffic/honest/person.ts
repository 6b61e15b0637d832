// Private persons with a habit that looks odd: who insists, who rings once as a sign, who travels, whose calls are forwarded.
import { NONE, type Detector } from "../call.ts";
import { drawPaced, drawTimes, DAY, HOUR, MINUTE, NO_MORE, SECOND, type Times } from "../hours.ts";
import {
  below,
  draw,
  drawBounds,
  drawSpread,
  randomFor,
  type Bounds,
  type Random,
  type Spread,
} from "../random.ts";
import { enlist, freeCaller, lineOf, type Stage } from "../stage.ts";
import { mannerOf } from "./sender.ts";

export interface PersonParameters {
  readonly kind: "person";
  readonly subjects: number;
  readonly signs: readonly Detector[];
  readonly calls: Spread;
  readonly hours: string;
  readonly habit:
    /** Calls one party again and again until she answers; gaps in milliseconds. */
    | { readonly is: "insists"; readonly gap: Spread }
    /** Calls one of a few relatives. */
    | { readonly is: "signals"; readonly relatives: number }
    /** Calls from abroad until an hour, then at home; a share of the calls at home still comes from abroad. */
    | { readonly is: "travels"; readonly home: Bounds; readonly late: number }
    /** A firm's exchange forwards a share of the calls that it gets; the caller's number goes along. */
    | { readonly is: "forwards"; readonly share: number; readonly delay: Spread; readonly staff: number };
  readonly manner: string;
}

export function addPerson(
  stage: Stage,
  population: string,
  parameters: PersonParameters,
  index: number,
): void {
  const random = randomFor(stage.seed, population, index);
  const count = Math.max(1, Math.round(drawSpread(random, parameters.calls)));
  stage.planned.honest += count;
  if (parameters.habit.is === "forwards") addForwarder(stage, population, parameters, random, count);
  else addCaller(stage, population, parameters, random, count);
}

function timesFor(stage: Stage, parameters: PersonParameters, random: Random, count: number): Times {
  const profile = stage.profiles[parameters.hours];
  if (profile === undefined) throw new Error(`no profile ${parameters.hours}`);
  if (parameters.habit.is !== "insists") return drawTimes(random, profile, count, 0, DAY);
  const start = Math.min(profile.timeAt(draw(random)), DAY - 2 * HOUR);
  return drawPaced(random, count, start, parameters.habit.gap);
}

function addCaller(
  stage: Stage,
  population: string,
  parameters: PersonParameters,
  random: Random,
  count: number,
): void {
  const { numbers, lines } = stage;
  const { habit } = parameters;
  const caller = numbers.at(numbers.anyone(random));
  const home = lines.homeOf(caller);
  const abroad = lines.international[below(random, lines.international.length)] ?? home;
  const landing = habit.is === "travels" ? drawBounds(random, habit.home) * HOUR : 0;
  const key = below(random, 2 ** 31);
  const parties = habit.is === "insists" ? 1 : habit.is === "signals" ? habit.relatives : 20;
  const label = enlist(stage, {
    population,
    signs: parameters.signs,
    trunks: habit.is === "travels" ? [home.trunk, abroad.trunk] : [home.trunk],
    callers: [{ first: caller, count: 1 }],
    called: habit.is === "insists" ? [{ first: numbers.at(numbers.chosen(key, 0)), count: 1 }] : [],
  });
  const manner = mannerOf(stage, parameters.manner);
  const times = timesFor(stage, parameters, random, count);
  const first = times();
  if (first === NO_MORE) return;
  stage.later(first, (now) => {
    const free = stage.busyUntil(caller);
    if (free > now) return free + SECOND;
    const isAbroad = habit.is === "travels" && (now < landing || draw(random) < habit.late);
    const line = isAbroad ? abroad : lineOf(stage, caller, random);
    const called = numbers.at(numbers.chosen(key, below(random, parties)));
    const call = stage.dial(now, line, caller, called, manner, random, label);
    // Who insists stops when she is answered, nearly always.
    if (habit.is === "insists" && call.answered !== NONE && call.ended - call.answered > MINUTE)
      return NO_MORE;
    return times();
  });
}

function addForwarder(
  stage: Stage,
  population: string,
  parameters: PersonParameters,
  random: Random,
  count: number,
): void {
  const { numbers, lines } = stage;
  const { habit } = parameters;
  if (habit.is !== "forwards") return;
  const lease = lines.lease(random, "own-use", 10, 1);
  const [line] = lease.lines;
  if (line === undefined) return;
  const firm = lease.numbers.first;
  const key = below(random, 2 ** 31);
  const label = enlist(stage, {
    population,
    signs: parameters.signs,
    trunks: [line.trunk],
    callers: [lease.numbers],
    called: [{ first: firm, count: 1 }],
  });
  const manner = mannerOf(stage, parameters.manner);
  const times = timesFor(stage, parameters, random, count);
  const first = times();
  if (first === NO_MORE) return;
  stage.later(first, (now) => {
    const caller = numbers.at(freeCaller(stage, now, () => numbers.active(random)));
    stage.dial(now, lineOf(stage, caller, random), caller, firm, manner, random, label);
    if (draw(random) < habit.share)
      stage.later(now + drawSpread(random, habit.delay), (at) => {
        const mobile = numbers.at(numbers.chosen(key, below(random, habit.staff)));
        stage.dial(at, line, caller, mobile, manner, random, label, firm);
        return NO_MORE;
      });
    return times();
  });
}
