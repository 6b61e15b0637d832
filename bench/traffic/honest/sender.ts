// Who works through a list of called parties: banks, hospitals, schools, couriers, call centres, authorities.
import type { Detector, Licence, NumberRange } from "../call.ts";
import { drawPaced, drawTimes, HOUR, DAY, NO_MORE, SECOND, type Times } from "../hours.ts";
import type { Line } from "../lines.ts";
import {
  below,
  draw,
  drawBounds,
  drawSpread,
  type Bounds,
  randomFor,
  type Random,
  type Spread,
} from "../random.ts";
import { callBack, enlist, redial, type Redial, type Stage } from "../stage.ts";
import { createWalk, type Walk, type WalkParameters } from "../walks.ts";

/** When the calls of a subject are made. */
export type When =
  /** Independent of each other, over a profile of the day. */
  | { readonly hours: string }
  /** One after the other, from an hour within bounds on; gaps in milliseconds. */
  | { readonly startHour: Bounds; readonly gap: Spread };

export interface SenderParameters {
  readonly kind: "sender";
  readonly subjects: number;
  readonly signs: readonly Detector[];
  /** Calls of a subject in the day. */
  readonly calls: Spread;
  readonly when: When;
  readonly walk: WalkParameters | { readonly order: "rooms" };
  /** What stands as caller: a platform number, a leased number, a mobile of its own. */
  readonly caller: "platform" | "leased" | "mobile";
  /** Caller numbers in use at the same time. */
  readonly callers: Bounds;
  readonly trunks: number;
  /** Lessees that call with the same number. */
  readonly contracts: number;
  readonly licence: Licence;
  readonly manner: string;
  readonly redial?: Redial;
  readonly callBack?: { readonly share: number; readonly wait: Spread; readonly manner: string };
}

/** Times of `count` calls of a subject. */
export function timesOf(stage: Stage, random: Random, when: When, count: number): Times {
  if ("hours" in when) {
    const profile = stage.profiles[when.hours];
    if (profile === undefined) throw new Error(`no profile ${when.hours}`);
    return drawTimes(random, profile, count, 0, DAY);
  }
  return drawPaced(random, count, drawBounds(random, when.startHour) * HOUR, when.gap);
}

export function mannerOf(stage: Stage, name: string): NonNullable<Stage["manners"][string]> {
  const manner = stage.manners[name];
  if (manner === undefined) throw new Error(`no manner ${name}`);
  return manner;
}

interface Origin {
  readonly lines: readonly Line[];
  readonly callers: readonly NumberRange[];
  /** Numbers of its own behind the line: rooms of a hotel. */
  readonly rooms: NumberRange;
}

function originOf(stage: Stage, random: Random, parameters: SenderParameters): Origin {
  const { lines, numbers } = stage;
  if (parameters.caller === "mobile") {
    const number = numbers.at(numbers.anyone(random));
    const range = { first: number, count: 1 };
    return { lines: [lines.homeOf(number)], callers: [range], rooms: range };
  }
  const count = Math.round(drawBounds(random, parameters.callers));
  const leases = Array.from({ length: parameters.contracts }, () =>
    lines.lease(random, parameters.licence, Math.max(count, 20), parameters.trunks),
  );
  const own = leases[0]?.numbers ?? { first: 0, count };
  const range =
    parameters.caller === "platform" ? { first: numbers.platform(), count: 1 } : { first: own.first, count };
  for (const { lessee } of leases) lines.addNumbers(lessee, range);
  return {
    lines: leases.flatMap(({ lines: ofLease }) => ofLease),
    callers: [range],
    rooms: parameters.walk.order === "rooms" ? numbers.lease(300) : own,
  };
}

/** Rooms in order, those that asked to be woken. */
function createRoomWalk(random: Random, rooms: NumberRange): Walk {
  let room = 0;
  return () => {
    room = (room + 1 + below(random, 4)) % rooms.count;
    return rooms.first + room;
  };
}

export function addSender(
  stage: Stage,
  population: string,
  parameters: SenderParameters,
  index: number,
): void {
  const random = randomFor(stage.seed, population, index);
  const { lines, callers, rooms } = originOf(stage, random, parameters);
  const count = Math.max(1, Math.round(drawSpread(random, parameters.calls)));
  stage.planned.honest += count;
  const label = enlist(stage, {
    population,
    signs: parameters.signs,
    trunks: lines.map(({ trunk }) => trunk),
    callers,
    called: [],
  });
  const times = timesOf(stage, random, parameters.when, count);
  const { walk } = parameters;
  const next =
    walk.order === "rooms" ? createRoomWalk(random, rooms) : createWalk(stage.numbers, random, walk, count);
  const manner = mannerOf(stage, parameters.manner);
  const back =
    parameters.callBack === undefined
      ? undefined
      : { ...parameters.callBack, manner: mannerOf(stage, parameters.callBack.manner) };
  const [own] = callers;
  if (own === undefined) return;
  const first = times();
  if (first === NO_MORE) return;
  stage.later(first, (now) => {
    const line = lines[Math.floor(draw(random) * lines.length)];
    if (line === undefined) return NO_MORE;
    // A mobile makes one call at a time; other callers have as many channels as they need.
    const free = stage.busyUntil(own.first);
    if (free > now) return free + SECOND;
    const call = stage.dial(now, line, own.first + below(random, own.count), next(), manner, random, label);
    if (parameters.redial !== undefined) redial(stage, parameters.redial, call, line, manner, random);
    if (back !== undefined) callBack(stage, back, call, random);
    return times();
  });
}
