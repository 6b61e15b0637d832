// Campaigns that dial: one ring, bombing, blocks, short calls, spread.
import { type Campaign, type Detector, type Difficulty, type NumberRange } from "../call.ts";
import { drawTimes, DAY, HOUR, NO_MORE, SECOND } from "../hours.ts";
import { below, draw, drawBounds, randomFor, type Bounds, type Random, type Spread } from "../random.ts";
import { callBack, enlist, type Stage } from "../stage.ts";
import { mannerOf } from "../honest/sender.ts";
import { createShuffledWalk, createWalk, type Walk } from "../walks.ts";
import { createCrew, type Origin } from "./crew.ts";

/** Whom a campaign calls. */
export type Aim =
  | { readonly at: "strangers" }
  | { readonly at: "one" }
  /** A block of so many numbers, of which a share is never dialled. */
  | { readonly at: "block"; readonly size: Bounds; readonly leftOut: number; readonly shuffled: boolean };

export interface DialParameters {
  readonly kind: "dial";
  readonly calls: Bounds;
  readonly startHour: Bounds;
  readonly hours: Bounds;
  /** Caller numbers, and trunks they come in by. */
  readonly callers: Bounds;
  readonly trunks: Bounds;
  readonly origins: readonly Origin[];
  readonly aim: Aim;
  readonly manner: string;
  /** Share of calls that look like those of an honest firm: known parties, talk. */
  readonly camouflage: number;
  readonly callBack?: { readonly share: number; readonly wait: Spread; readonly manner: string };
}

/** Where campaigns are registered. */
export interface Register {
  readonly campaigns: Campaign[];
}

/** The part of the day in which a campaign is at work. */
export function windowOf(
  random: Random,
  { startHour, hours }: Pick<DialParameters, "startHour" | "hours">,
  leastHours = 0,
): { readonly from: number; readonly until: number } {
  const length = Math.max(drawBounds(random, hours), leastHours) * HOUR;
  const from = Math.floor(Math.min(drawBounds(random, startHour) * HOUR, DAY - length));
  return { from, until: Math.min(DAY, Math.ceil(from + length)) };
}

/** A SIM card makes one call at a time: a campaign of cards takes this long a call and card at least. Milliseconds. */
const CARD_PACE = 40_000;

/** Known parties of the camouflage. */
const ACQUAINTANCES = 40;

export function addCampaign(
  stage: Stage,
  register: Register,
  detector: Detector,
  difficulty: Difficulty,
  parameters: DialParameters,
  index: number,
): void {
  const name = `${detector}/${difficulty}`;
  const random = randomFor(stage.seed, name, index);
  const { numbers } = stage;
  const { aim } = parameters;
  const count = Math.round(drawBounds(random, parameters.calls));
  const origin = parameters.origins[index % parameters.origins.length] ?? "leased";
  const crew = createCrew(
    stage,
    random,
    origin,
    Math.round(drawBounds(random, parameters.callers)),
    Math.round(drawBounds(random, parameters.trunks)),
  );
  const perCard = origin === "cards" ? (CARD_PACE * count) / crew.callers.length / HOUR : 0;
  const window = windowOf(random, parameters, perCard);
  const block = aim.at === "block" ? blockOf(stage, random, aim.size) : undefined;
  const victim = numbers.at(numbers.anyone(random));
  const id = register.campaigns.length;
  stage.planned.abusive += count;
  register.campaigns.push({
    id,
    detector,
    difficulty,
    callers: crew.callers,
    called: aim.at === "one" ? [victim] : [],
    blocks: block === undefined ? [] : [block],
    trunks: crew.trunks,
    lessees: crew.lessees,
    ...window,
    calls: count,
  });
  const label = enlist(
    stage,
    {
      population: name,
      signs: [],
      trunks: crew.trunks,
      callers: crew.callers.map((first) => ({ first, count: 1 })),
      called: aim.at === "one" ? [{ first: victim, count: 1 }] : [],
    },
    id,
  );
  const next = walkOf(stage, random, aim, block, victim);
  const manner = mannerOf(stage, parameters.manner);
  const disguise = mannerOf(stage, "business");
  const key = below(random, 2 ** 31);
  const profile = stage.profiles["even"];
  if (profile === undefined) throw new Error("no profile even");
  const times = drawTimes(random, profile, count, window.from, window.until);
  const back =
    parameters.callBack === undefined
      ? undefined
      : { ...parameters.callBack, manner: mannerOf(stage, parameters.callBack.manner) };
  const first = times();
  if (first === NO_MORE) return;
  const busy = new Float64Array(origin === "cards" ? crew.callers.length : 0);
  stage.later(first, (now) => {
    let caller = below(random, crew.callers.length);
    if (busy.length > 0) {
      // The next card that is free.
      for (let tries = 1; tries < busy.length && (busy[caller] ?? 0) > now; tries += 1)
        caller = (caller + 1) % busy.length;
      const free = busy[caller] ?? 0;
      if (free > now && now < window.until - 1) return Math.min(free + SECOND, window.until - 1);
    }
    const number = crew.callers[caller];
    const line = crew.lines[caller];
    if (number === undefined || line === undefined) return NO_MORE;
    if (draw(random) < parameters.camouflage) {
      const known = numbers.at(numbers.chosen(key, below(random, ACQUAINTANCES)));
      const call = stage.dial(now, line, number, known, disguise, random, label);
      busy[caller] = now + call.ended;
    } else {
      const call = stage.dial(now, line, number, next(), manner, random, label);
      busy[caller] = now + call.ended;
      if (back !== undefined) callBack(stage, back, call, random);
    }
    return times();
  });
}

/** Contiguous numbers of private persons that begin at a full hundred, within one block of 10,000. */
function blockOf(stage: Stage, random: Random, size: Bounds): NumberRange {
  const count = Math.round(drawBounds(random, size));
  const hundreds = Math.floor((10_000 - count) / 100);
  const block = below(random, stage.numbers.positions / 10_000);
  return { first: stage.numbers.at(block * 10_000 + below(random, hundreds) * 100), count };
}

function walkOf(
  stage: Stage,
  random: Random,
  aim: Aim,
  block: NumberRange | undefined,
  victim: number,
): Walk {
  if (aim.at === "one") return () => victim;
  if (aim.at === "strangers" || block === undefined)
    return createWalk(stage.numbers, random, { order: "strangers" }, 0);
  const shuffled = aim.shuffled ? createShuffledWalk(random, block) : undefined;
  let index = -1;
  const inOrder: Walk = () => {
    index = (index + 1) % block.count;
    return block.first + index;
  };
  const walk = shuffled ?? inOrder;
  return () => {
    let number = walk();
    while (draw(random) < aim.leftOut) number = walk();
    return number;
  };
}
