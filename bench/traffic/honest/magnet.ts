// One number that many honest persons call: hot lines, phone-ins, ticket sales, conference bridges, emergency services.
import { NONE, type Detector } from "../call.ts";
import { drawTimes, HOUR, MINUTE, NO_MORE, type Times } from "../hours.ts";
import type { Manner } from "../manner.ts";
import {
  below,
  drawBounds,
  drawSpread,
  draw,
  randomFor,
  type Bounds,
  type Random,
  type Spread,
} from "../random.ts";
import { enlist, freeCaller, lineOf, redial, type Redial, type Stage } from "../stage.ts";
import { mannerOf, timesOf, type When } from "./sender.ts";

export interface MagnetParameters {
  readonly kind: "magnet";
  readonly subjects: number;
  readonly signs: readonly Detector[];
  readonly calls: Spread;
  /** Over the day; or within so many minutes from an hour on; or in meetings at full and half hours. */
  readonly when:
    | When
    | { readonly startHour: Bounds; readonly minutes: Bounds }
    | { readonly meetingsOf: Bounds };
  /** The number that is called: a platform number, a leased number, or these short codes in turn. */
  readonly called: "platform" | "leased" | readonly number[];
  /** Callers are the same persons again and again: so many; all people where left out. */
  readonly circle?: number;
  readonly manner: string;
  readonly redial?: Redial;
  /** The called service calls persons back. */
  readonly returns?: { readonly share: number; readonly wait: Spread; readonly manner: string };
}

/** Joins of meetings: most within two minutes around the full or the half hour. */
function meetings(random: Random, count: number, size: Bounds): Times {
  let left = count;
  let waiting: number[] = [];
  // From 8:00 on, as many slots of half an hour as keep the meetings within the working day.
  let slot = 16;
  return () => {
    if (left <= 0) return NO_MORE;
    while (waiting.length === 0) {
      const joins = Math.min(left, Math.round(drawBounds(random, size)));
      const start = (slot * HOUR) / 2;
      waiting = Array.from({ length: joins }, () =>
        Math.floor(start + (draw(random) + draw(random) - 1) * 2 * MINUTE),
      );
      waiting.sort((a, b) => b - a);
      slot = slot < 40 ? slot + 1 + below(random, 2) : slot + 1;
    }
    left -= 1;
    return waiting.pop() ?? NO_MORE;
  };
}

function timesFor(stage: Stage, random: Random, when: MagnetParameters["when"], count: number): Times {
  if ("meetingsOf" in when) return meetings(random, count, when.meetingsOf);
  if (!("minutes" in when)) return timesOf(stage, random, when, count);
  const start = drawBounds(random, when.startHour) * HOUR;
  const profile = stage.profiles["even"];
  if (profile === undefined) throw new Error("no profile even");
  return drawTimes(random, profile, count, start, start + drawBounds(random, when.minutes) * MINUTE);
}

export function addMagnet(
  stage: Stage,
  population: string,
  parameters: MagnetParameters,
  index: number,
): void {
  const random = randomFor(stage.seed, population, index);
  const { numbers, lines } = stage;
  const { called: kind } = parameters;
  const called =
    kind === "platform"
      ? numbers.platform()
      : kind === "leased"
        ? lines.lease(random, "own-use", 10, 1).numbers.first
        : (kind[index % kind.length] ?? 0);
  const count = Math.max(1, Math.round(drawSpread(random, parameters.calls)));
  stage.planned.honest += count;
  const label = enlist(stage, {
    population,
    signs: parameters.signs,
    trunks: [],
    callers: parameters.returns === undefined ? [] : [{ first: called, count: 1 }],
    called: [{ first: called, count: 1 }],
  });
  const manner = mannerOf(stage, parameters.manner);
  const key = below(random, 2 ** 31);
  const { circle } = parameters;
  const choose = (): number =>
    circle === undefined ? numbers.active(random) : numbers.chosen(key, below(random, circle));
  const times = timesFor(stage, random, parameters.when, count);
  const callBackManner =
    parameters.returns === undefined ? undefined : mannerOf(stage, parameters.returns.manner);
  const first = times();
  if (first === NO_MORE) return;
  stage.later(first, (now) => {
    const position = freeCaller(stage, now, choose);
    const caller = numbers.at(position);
    const line = lineOf(stage, caller, random);
    const call = stage.dial(now, line, caller, called, manner, random, label);
    if (parameters.redial !== undefined) redial(stage, parameters.redial, call, line, manner, random);
    if (parameters.returns !== undefined && callBackManner !== undefined)
      returnCall(parameters.returns, callBackManner, caller, now + call.ended);
    return times();
  });

  function returnCall(
    { share, wait }: { readonly share: number; readonly wait: Spread },
    how: Manner,
    person: number,
    end: number,
  ): void {
    if (draw(random) >= share) return;
    stage.later(end + drawSpread(random, wait), (now) => {
      stage.dial(now, lines.homeOf(called), called, person, how, random, label);
      return NONE;
    });
  }
}
