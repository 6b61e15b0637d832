import t from "tap";
import { createFiguresGathering } from "../../src/app/admin/figures-gathering.ts";
import { sliceFigures } from "../../src/app/admin/figures-slices.ts";
import { announceDecision, countRefusal, createCounters } from "../../src/observe/counters.ts";
import { type FigureSources, type FiguresPart, joinFigures, readFigures } from "../../src/observe/figures.ts";
import { namedMethods } from "../../src/domain/method.ts";
import { reasonCodes } from "../../src/domain/reason.ts";
import type { TrunkCounters } from "../../src/observe/counters.ts";

/** `count` trunks, each with an attempt series for every reason and three refusals of every method. */
function sourcesOf(count: number): FigureSources {
  const counters = createCounters();
  const ids = Array.from({ length: count }, (_, index) => `trunk-${index}`);
  for (const id of ids) {
    for (const reason of reasonCodes)
      announceDecision(counters, id, { verdict: "reject", reason, rule: "default", isMonitored: false });
    for (const method of namedMethods) countRefusal(counters, id, method, "overload");
  }
  return {
    counters,
    reloads: { ok: 0, failed: 0, refused: 0 },
    sockets: "dgram",
    policy: () => ({ revision: "one", lists: ids.map((id) => ({ id, numbers: 1 })) }),
    nextHops: () => ids.map((trunk) => ({ trunk, id: "192.0.2.1:5060", state: "up", addresses: 1 })),
    names: () => [],
    calls: () => new Map(ids.map((id) => [id, { setup: 1, answered: 2 }])),
    tableFull: {},
    ruleFaults: {},
  };
}

function valuesOf({ attempts, requests }: TrunkCounters): number {
  return attempts.size + [...requests.values()].reduce((sum, counts) => sum + counts.size, 0);
}

void t.test("figures: no part has more than a thousand values, and together they are everything", (t) => {
  const sources = sourcesOf(200);
  const parts = [...readFigures(sources)];
  for (const { trunks, nextHops = [], lists = [], calls = new Map() } of parts) {
    const values = [...(trunks?.values() ?? [])].reduce((sum, trunk) => sum + valuesOf(trunk), 0);
    t.ok(values <= 1000, `${values} values`);
    t.ok(nextHops.length <= 200 && lists.length <= 200 && calls.size <= 200, "rows");
  }
  const figures = joinFigures(parts.map((part) => structuredClone(part)));
  t.same(figures?.trunks, sources.counters.trunks);
  t.same(figures?.nextHops, sources.nextHops());
  t.equal(figures?.lists.length, 200);
  t.equal(figures?.calls.size, 200);
  t.equal(figures?.general.revision, "one");
  t.equal(joinFigures(parts.slice(1)), undefined, "without the first part it is nothing");
  t.end();
});

void t.test(
  "figures: a trunk with more than that is a part of its own, and the one after it is not lost",
  (t) => {
    const sources = sourcesOf(2);
    const [first] = sources.counters.trunks.values();
    for (let status = 0; status < 1500; status++) first?.protocolErrors.set(status, 1);
    const parts = [...readFigures(sources)].flatMap(({ trunks }) =>
      trunks === undefined ? [] : [trunks.size],
    );
    t.same(parts, [1, 1]);
    t.end();
  },
);

interface Sent {
  readonly scrape: number;
  readonly part: FiguresPart | undefined;
  readonly isLast: boolean;
  /** Turns of the event loop that had passed. */
  readonly turn: number;
}

/** What is sent until `count` scrapes have ended, and in which turn of the event loop. */
function sentBy(sources: FigureSources, scrapes: readonly number[]): Promise<readonly Sent[]> {
  return new Promise((resolve) => {
    const sent: Sent[] = [];
    let turn = 0;
    let next = setImmediate(count);
    function count(): void {
      turn++;
      next = setImmediate(count);
    }
    const slices = sliceFigures(
      sources,
      (scrape, part, isLast) => {
        sent.push({ scrape, part, isLast, turn });
        if (!isLast) return;
        clearImmediate(next);
        resolve(sent);
      },
      () => undefined,
    );
    for (const scrape of scrapes) slices.answer(scrape);
  });
}

void t.test("figures: every slice has a turn of the event loop of its own", async (t) => {
  const sent = await sentBy(sourcesOf(200), [1]);
  t.ok(sent.length > 10, `${sent.length} slices`);
  t.equal(new Set(sent.map(({ turn }) => turn)).size, sent.length);
  t.equal(sent.filter(({ isLast }) => isLast).length, 1);
});

void t.test(
  "figures: a scrape that comes before the one before it is answered takes its place",
  async (t) => {
    const sent = await sentBy(sourcesOf(200), [1, 2]);
    t.equal(sent.filter(({ scrape }) => scrape === 1).length, 1, "the slice that was sent at once");
    t.same(sent.at(-1)?.scrape, 2);
  },
);

void t.test("figures: a source that throws is told, and nothing follows", async (t) => {
  const sources: FigureSources = {
    ...sourcesOf(1),
    nextHops() {
      throw new Error("unforeseen");
    },
  };
  const last = (await sentBy(sources, [1])).at(-1);
  t.match(last, { part: undefined, isLast: true });
});

void t.test(
  "gathering: scrapes that come together share one; parts of another scrape are ignored",
  async (t) => {
    const asked: number[] = [];
    const gathering = createFiguresGathering((scrape) => asked.push(scrape));
    const both = Promise.all([gathering.gather(), gathering.gather()]);
    const parts = [...readFigures(sourcesOf(1))];
    gathering.take(7, undefined, true);
    for (const part of parts) gathering.take(1, part, false);
    gathering.take(1, {}, true);
    const [first, second] = await both;
    t.equal(first, second, "the same figures");
    t.match(first, { general: { revision: "one" } });
    t.same(asked, [1]);
    const failed = gathering.gather();
    gathering.take(1, {}, true);
    gathering.take(2, undefined, true);
    t.equal(await failed, "failed");
    t.same(asked, [1, 2], "the next one asks anew");
  },
);
