// Campaigns that put other businesses on a leased line: the firm that leases it has an honest use of its own.
import type { Difficulty, NumberRange } from "../call.ts";
import { DAY } from "../hours.ts";
import type { Line } from "../lines.ts";
import { below, draw, drawBounds, randomFor, type Bounds } from "../random.ts";
import { addFirm } from "../honest/office.ts";
import { enlist, type Stage } from "../stage.ts";
import { windowOf, type Register } from "./campaign.ts";

export interface SubLeaseParameters {
  readonly kind: "sub-lease";
  readonly calls: Bounds;
  readonly startHour: Bounds;
  readonly hours: Bounds;
  readonly businesses: Bounds;
  /** Numbers of each business. */
  readonly numbers: Bounds;
  /** Lines of different firms that are sub-leased together. */
  readonly lines: Bounds;
  /** Share of businesses with a user agent and codecs of their own; the others come through the firm's exchange. */
  readonly ownAgent: number;
  /** Each business keeps one of these profiles and has one of these manners. */
  readonly profiles: readonly string[];
  readonly manners: readonly string[];
}

export function addSubLease(
  stage: Stage,
  register: Register,
  difficulty: Difficulty,
  parameters: SubLeaseParameters,
  index: number,
): void {
  const name = `sub-lease/${difficulty}`;
  const random = randomFor(stage.seed, name, index);
  const { lines, numbers } = stage;
  const count = Math.round(drawBounds(random, parameters.calls));
  const window = windowOf(random, parameters);
  const hosts = Array.from({ length: Math.round(drawBounds(random, parameters.lines)) }, () => {
    const lease = lines.firms[below(random, lines.firms.length)];
    if (lease === undefined) throw new Error("no firm to sub-lease from");
    return lease;
  });
  const businesses = Math.round(drawBounds(random, parameters.businesses));
  const ranges: NumberRange[] = [];
  const homes: Line[] = [];
  for (let business = 0; business < businesses; business += 1) {
    const host = hosts[business % hosts.length];
    const line = host?.lines[0];
    if (host === undefined || line === undefined) continue;
    const range = numbers.lease(Math.round(drawBounds(random, parameters.numbers)));
    lines.addNumbers(host.lessee, range);
    ranges.push(range);
    homes.push(draw(random) < parameters.ownAgent ? lines.withAgent(line, random) : line);
  }
  const trunks = [...new Set(homes.map(({ trunk }) => trunk))];
  const id = register.campaigns.length;
  stage.planned.abusive += count;
  register.campaigns.push({
    id,
    detector: "sub-lease",
    difficulty,
    callers: ranges.flatMap((range) => Array.from({ length: range.count }, (_, i) => range.first + i)),
    called: [],
    blocks: [],
    trunks,
    lessees: [...new Set(homes.map(({ lessee }) => lessee))],
    ...window,
    calls: count,
  });
  const label = enlist(stage, { population: name, signs: [], trunks, callers: ranges, called: [] }, id);
  let left = count;
  ranges.forEach((range, business) => {
    const line = homes[business];
    if (line === undefined) return;
    const share = Math.round(left / (ranges.length - business));
    left -= share;
    const habits = {
      hours: parameters.profiles,
      manners: parameters.manners,
      redial: { share: 0, wait: { median: 1, sigma: 0 }, most: 0 },
      callBack: { share: 0.05, wait: { median: 600_000, sigma: 1 }, manner: "desk" },
    };
    addFirm(stage, random, label, range, share, () => line, habits, window.from, Math.min(window.until, DAY));
  });
}
