// Families and private persons: the calls of all people who have no other role.
import { DAY, drawTimes, NO_MORE } from "../hours.ts";
import type { Redial, Stage } from "../stage.ts";
import { callBack, freeCaller, lineOf, redial } from "../stage.ts";
import { below, draw, drawRank, randomFor, type Spread } from "../random.ts";
import { mannerOf } from "./sender.ts";

export interface CrowdParameters {
  readonly hours: string;
  /** Persons whom a person calls in the usual run of things, the first ones more often. */
  readonly contacts: number;
  readonly contactRank: number;
  /** Shares of calls to anyone, to firms, from abroad; the others go to contacts. */
  readonly toAnyone: number;
  readonly toFirms: number;
  readonly fromAbroad: number;
  readonly manner: string;
  readonly firmManner: string;
  readonly redial: Redial;
  readonly callBack: { readonly share: number; readonly wait: Spread; readonly manner: string };
}

/** All persons make `count` calls, redials and calls back not counted. */
export function addCrowd(stage: Stage, parameters: CrowdParameters, count: number): void {
  const random = randomFor(stage.seed, "private-persons", 0);
  const { numbers, lines, people } = stage;
  const profile = stage.profiles[parameters.hours];
  if (profile === undefined) throw new Error(`no profile ${parameters.hours}`);
  stage.planned.honest += count;
  const manner = mannerOf(stage, parameters.manner);
  const firmManner = mannerOf(stage, parameters.firmManner);
  const back = { ...parameters.callBack, manner: mannerOf(stage, parameters.callBack.manner) };
  const choose = (): number => numbers.active(random);
  const times = drawTimes(random, profile, count, 0, DAY);
  const first = times();
  if (first === NO_MORE) return;
  stage.later(first, (now) => {
    const position = freeCaller(stage, now, choose);
    const kind = draw(random);
    const isAbroad = kind < parameters.fromAbroad;
    const caller = isAbroad ? numbers.abroad(random) : numbers.at(position);
    const line = isAbroad
      ? (lines.international[below(random, lines.international.length)] ?? lines.homeOf(caller))
      : lineOf(stage, caller, random);
    const rest = kind - parameters.fromAbroad;
    if (rest >= 0 && rest < parameters.toFirms) {
      const firm = lines.firms[drawRank(random, lines.firms.length, 0.5, 10)];
      const called = firm?.numbers.first ?? numbers.at(numbers.anyone(random));
      redial(
        stage,
        parameters.redial,
        stage.dial(now, line, caller, called, firmManner, random, people),
        line,
        firmManner,
        random,
      );
      return times();
    }
    const isStranger = rest < parameters.toFirms + parameters.toAnyone;
    const called = isStranger
      ? numbers.anyone(random)
      : numbers.chosen(position, drawRank(random, parameters.contacts, parameters.contactRank, 1));
    const call = stage.dial(now, line, caller, numbers.at(called), manner, random, people);
    if (draw(random) < 0.5) redial(stage, parameters.redial, call, line, manner, random);
    else if (!isAbroad) callBack(stage, back, call, random);
    return times();
  });
}
