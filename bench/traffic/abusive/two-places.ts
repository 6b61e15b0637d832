// Campaigns that use one caller number on several trunks at once: a forged number, or one that is passed around.
import type { Difficulty } from "../call.ts";
import { drawTimes, NO_MORE } from "../hours.ts";
import type { Line } from "../lines.ts";
import { below, draw, drawBounds, randomFor, type Bounds } from "../random.ts";
import { mannerOf } from "../honest/sender.ts";
import { enlist, type Stage } from "../stage.ts";
import { windowOf, type Register } from "./campaign.ts";
import { createCrew, type Origin } from "./crew.ts";

export interface TwoPlacesParameters {
  readonly kind: "two-places";
  readonly calls: Bounds;
  readonly startHour: Bounds;
  readonly hours: Bounds;
  readonly numbers: Bounds;
  /** Places, each a contract or a network of its own. */
  readonly places: Bounds;
  readonly origins: readonly Origin[];
  /** Share of campaigns that forge the number of a firm, which goes on calling by its own trunk. */
  readonly forged: number;
  readonly manner: string;
}

export function addTwoPlaces(
  stage: Stage,
  register: Register,
  difficulty: Difficulty,
  parameters: TwoPlacesParameters,
  index: number,
): void {
  const name = `two-places/${difficulty}`;
  const random = randomFor(stage.seed, name, index);
  const { lines, numbers } = stage;
  const count = Math.round(drawBounds(random, parameters.calls));
  const isForged = draw(random) < parameters.forged;
  const crews = Array.from({ length: Math.round(drawBounds(random, parameters.places)) }, (_, place) =>
    createCrew(
      stage,
      random,
      parameters.origins[(index + place) % parameters.origins.length] ?? "leased",
      1,
      1,
    ),
  );
  const callers = Array.from({ length: Math.round(drawBounds(random, parameters.numbers)) }, () => {
    const victim = isForged ? lines.firms[below(random, lines.firms.length)] : undefined;
    return victim?.numbers.first ?? numbers.freshMobile();
  });
  // A number that is passed around stands in every contract; a forged one in that of its owner only.
  if (!isForged)
    for (const { lessees } of crews)
      for (const lessee of lessees)
        for (const first of callers) lines.addNumbers(lessee, { first, count: 1 });
  const window = windowOf(random, parameters);
  const places: readonly Line[] = crews.flatMap((crew) => crew.lines.slice(0, 1));
  const trunks = crews.flatMap((crew) => crew.trunks);
  const id = register.campaigns.length;
  stage.planned.abusive += count;
  register.campaigns.push({
    id,
    detector: "two-places",
    difficulty,
    callers,
    called: [],
    blocks: [],
    trunks,
    lessees: crews.flatMap(({ lessees }) => lessees),
    ...window,
    calls: count,
  });
  const ranges = callers.map((first) => ({ first, count: 1 }));
  const label = enlist(stage, { population: name, signs: [], trunks, callers: ranges, called: [] }, id);
  const manner = mannerOf(stage, parameters.manner);
  const profile = stage.profiles["even"];
  if (profile === undefined) throw new Error("no profile even");
  const times = drawTimes(random, profile, count, window.from, window.until);
  const first = times();
  if (first === NO_MORE) return;
  stage.later(first, (now) => {
    const line = places[below(random, places.length)];
    const caller = callers[below(random, callers.length)];
    if (line === undefined || caller === undefined) return NO_MORE;
    stage.dial(now, line, caller, numbers.at(numbers.anyone(random)), manner, random, label);
    return times();
  });
}
