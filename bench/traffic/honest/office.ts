// Firms that telephone: one on a trunk, many on the trunk of a host, or one on two trunks.
import type { Detector, Licence, NumberRange } from "../call.ts";
import { drawTimes, DAY, HOUR, NO_MORE } from "../hours.ts";
import type { Line } from "../lines.ts";
import {
  below,
  draw,
  drawBounds,
  drawRank,
  drawSpread,
  randomFor,
  type Bounds,
  type Random,
  type Spread,
} from "../random.ts";
import { callBack, enlist, redial, type Label, type Redial, type Stage } from "../stage.ts";
import { mannerOf } from "./sender.ts";

export interface OfficeParameters {
  readonly kind: "office";
  readonly subjects: number;
  readonly signs: readonly Detector[];
  /** Calls of all firms on the trunk. */
  readonly calls: Spread;
  readonly licence: Licence;
  /** Firms that share the trunk. */
  readonly firms: Bounds;
  /** Numbers of each firm. */
  readonly numbers: Bounds;
  /** `sharing`: two trunks at once; `failover`: the second one while the first one is down. */
  readonly trunks: "one" | "sharing" | "failover";
  /** Hours of down-time of the first trunk. */
  readonly outage?: Bounds;
  /** Each firm keeps one of these profiles. */
  readonly hours: readonly string[];
  /** Each firm has one of these manners. */
  readonly manners: readonly string[];
  readonly redial: Redial;
  readonly callBack: { readonly share: number; readonly wait: Spread; readonly manner: string };
}

/** Habits of a firm. */
const switchboard = 0.4;
const toClients = 0.7;
const toFirms = 0.15;
const clients = 400;

/** Which line the next call takes. */
export type LineChoice = (now: number) => Line;

/** One firm that makes `count` calls over a profile. Also what a sub-lessee looks like. */
export function addFirm(
  stage: Stage,
  random: Random,
  label: Label,
  numbers: NumberRange,
  count: number,
  choose: LineChoice,
  habits: Pick<OfficeParameters, "hours" | "manners" | "redial" | "callBack">,
  from = 0,
  until = DAY,
): void {
  const profile = stage.profiles[habits.hours[below(random, habits.hours.length)] ?? ""];
  if (profile === undefined) throw new Error("no such profile");
  const manner = mannerOf(stage, habits.manners[below(random, habits.manners.length)] ?? "");
  const back = { ...habits.callBack, manner: mannerOf(stage, habits.callBack.manner) };
  const key = below(random, 2 ** 31);
  const times = drawTimes(random, profile, count, from, until);
  const first = times();
  if (first === NO_MORE) return;
  stage.later(first, (now) => {
    const line = choose(now);
    const extension = draw(random) < switchboard ? 0 : drawRank(random, numbers.count, 0.6, 1);
    const called = calledBy(stage, random, key);
    const call = stage.dial(now, line, numbers.first + extension, called, manner, random, label);
    redial(stage, habits.redial, call, line, manner, random);
    callBack(stage, back, call, random);
    return times();
  });
}

function calledBy(stage: Stage, random: Random, key: number): number {
  const { numbers, lines } = stage;
  const kind = draw(random);
  if (kind < toClients) return numbers.at(numbers.chosen(key, drawRank(random, clients, 0.7, 5)));
  const firm =
    kind < toClients + toFirms ? lines.firms[drawRank(random, lines.firms.length, 0.5, 10)] : undefined;
  return firm?.numbers.first ?? numbers.at(numbers.anyone(random));
}

export function addOffice(
  stage: Stage,
  population: string,
  parameters: OfficeParameters,
  index: number,
): void {
  const random = randomFor(stage.seed, population, index);
  const { lines, numbers } = stage;
  const firms = Math.round(drawBounds(random, parameters.firms));
  const size = (): number => Math.round(drawBounds(random, parameters.numbers));
  const lease = lines.lease(random, parameters.licence, size(), parameters.trunks === "one" ? 1 : 2);
  const ranges = [lease.numbers];
  while (ranges.length < firms) {
    const range = numbers.lease(size());
    ranges.push(range);
    lines.addNumbers(lease.lessee, range);
  }
  if (parameters.licence === "own-use" && firms === 1 && parameters.trunks === "one") lines.firms.push(lease);
  const calls = Math.max(firms, Math.round(drawSpread(random, parameters.calls)));
  stage.planned.honest += calls;
  const label = enlist(stage, {
    population,
    signs: parameters.signs,
    trunks: lease.lines.map(({ trunk }) => trunk),
    callers: ranges,
    called: [],
  });
  // Firms differ in size: the shares are those of independent weights.
  const weights = ranges.map(() => drawSpread(random, { median: 1, sigma: 0.8 }));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const [main, second] = lease.lines;
  if (main === undefined) return;
  const outage = parameters.outage === undefined ? 0 : drawBounds(random, parameters.outage) * HOUR;
  const down = (8 + 9 * draw(random)) * HOUR;
  ranges.forEach((range, firm) => {
    // Each firm of a host has a telephone system of its own.
    const own = firms === 1 ? main : lines.withAgent(main, random);
    const choose: LineChoice = (now) => {
      if (second === undefined) return own;
      if (parameters.trunks === "sharing") return draw(random) < 0.5 ? own : second;
      return now >= down && now < down + outage ? second : own;
    };
    const count = Math.round((calls * (weights[firm] ?? 0)) / sum);
    addFirm(stage, random, label, range, count, choose, parameters);
  });
}
