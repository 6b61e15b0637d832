// The figures of the bench: what counts as carried, what was allocated, and which rows of the page stay.
import t from "tap";
import { allocatedKilobytes } from "../../bench/figures/garbage.ts";
import { limitOf, nextRate, type KneeLimit } from "../../bench/figures/knee.ts";
import { writePage, type Results } from "../../bench/figures/page.ts";
import { costOf } from "../../bench/report.ts";

const machine: Results["machine"] = {
  date: "2026-11-30",
  release: "0.3.0",
  revision: "abc1234",
  hardware: "2 cores",
  programs: "Node",
  load: "0.1",
};
const empty: Results = {
  machine,
  rounds: 1,
  seconds: 1,
  rates: [800],
  targets: [],
  measurements: [],
  memory: new Map(),
  knees: [],
  garbage: new Map([["allowed", 3.14]]),
};

void t.test("bench: the ratio to Kamailio is the median of the ratios within the rounds", (t) => {
  const counted = { calls: 1, failed: 0, retransmissions: 0, p99: 1 };
  const kamailio = { name: "kamailio", title: "kamailio" } as const;
  const sigwall = { name: "sigwall", title: "sigwall" } as const;
  const measured = (target: typeof kamailio | typeof sigwall, micros: readonly number[]) =>
    micros.map((microsPerCall) => ({ ...counted, target, kind: "allowed" as const, microsPerCall }));
  // The machine was three times slower in the second round and in the third.
  const all = [...measured(kamailio, [100, 300, 300]), ...measured(sigwall, [110, 330, 360])];
  t.equal(costOf(all, sigwall, "allowed", kamailio).ratio.toFixed(2), "1.10");
  t.equal(costOf(all, sigwall, "allowed", kamailio).median, 330);
  t.end();
});

void t.test(
  "bench: a rate is carried when all calls came, nothing was sent again and p99 is below 10 ms",
  (t) => {
    const good = { callsPerSecond: 1000, reached: 990, failed: 0, retransmissions: 0, p99: 10 };
    const rows: readonly (readonly [Partial<typeof good>, KneeLimit])[] = [
      // The bound of the bucket: 99 of 100 calls took less than 10 ms.
      [{}, "none"],
      [{ p99: 12 }, "p99"],
      [{ failed: 1 }, "loss"],
      [{ retransmissions: 1 }, "loss"],
      [{ reached: 951 }, "none"],
      [{ reached: 949, failed: 1, p99: 500 }, "generators"],
    ];
    for (const [change, limit] of rows)
      t.equal(limitOf({ ...good, ...change }), limit, JSON.stringify(change));
    t.end();
  },
);

/** The rates that are tried where the knee lies there. */
const search = (knee: number): readonly number[] => {
  const tried: number[] = [];
  let holds = 0;
  let fails = Infinity;
  for (let rate: number | undefined = 1000; rate !== undefined; rate = nextRate(holds, fails)) {
    tried.push(rate);
    if (rate <= knee) holds = rate;
    else fails = rate;
  }
  return tried;
};

void t.test("bench: the rate doubles until it fails, then the distance is halved", (t) => {
  t.same(search(6300), [1000, 2000, 4000, 8000, 6000, 7000, 6500, 6250]);
  t.same(search(Infinity), [1000, 2000, 4000, 8000, 16_000, 32_000, 64_000], "the highest rate ends it");
  t.same(search(0), [1000, 500, 250, 150, 100, 50]);
  t.end();
});

void t.test("bench: what was allocated is what each heap grew by between its collections", (t) => {
  const trace = [
    "[7:0xa0]       58 ms: Scavenge 3.0 (4.0) -> 2.0 (5.0) MB, 0.08 / 0.00 ms  (average mu = 1.000) allocation failure; ",
    '{"level":30,"msg":"ms: Scavenge 900.0 (4.0) -> 1.0 (5.0) MB"}',
    "[7:0xb0]       59 ms: Scavenge 9.0 (9.0) -> 8.0 (9.0) MB, 0.08 / 0.00 ms  (average mu = 1.000) task; ",
    "[7:0xa0]       61 ms: Mark-Compact (reduce) 4.5 (5.2) -> 1.0 (5.7) MB, 2.53 / 0.00 ms  (average mu = 1.000) task; ",
    "[7:0xb0]       62 ms: Scavenge 9.0 (9.0) -> 8.0 (9.0) MB, 0.08 / 0.00 ms  (average mu = 1.000) task; ",
  ].join("\n");
  t.equal(allocatedKilobytes(trace), 3.5 * 1024);
  t.end();
});

void t.test(
  "bench/RESULTS.md keeps the rows of other releases, and what the same release measured before",
  (t) => {
    const title = "| release | revision | date | 800/s allowed | KB a call |\n|---|---|---|---|---|";
    const first = writePage(empty, `## By release\n\n${title}\n| 0.2.0 | aaa | 2026-01-01 | 1.87 | 29 |\n`);
    t.match(first, /^\| 0\.2\.0 \| aaa \| 2026-01-01 \| 1\.87 \| 29 \|$/m);
    t.match(first, /^\| 0\.3\.0 \| abc1234 \| 2026-11-30 \| – .*\| 3\.1 \|$/m);
    const second = writePage(
      { ...empty, machine: { ...machine, revision: "def" }, garbage: new Map() },
      first,
    );
    t.match(
      second,
      /^\| 0\.3\.0 \| def \| 2026-11-30 \| – .*\| 3\.1 \|$/m,
      "one figure was not measured this time",
    );
    t.equal(second.match(/^\| 0\.[23]\.0 /gm)?.length, 2);
    t.end();
  },
);
