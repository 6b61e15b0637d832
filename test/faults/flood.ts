// One trunk floods beyond its budget of evidence: its lines stay, a gap a second says the rest, and nobody else suffers.
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import t from "tap";
import { startFilter } from "../cli/filter-process.ts";
import {
  evidenceLines,
  type Fields,
  metricOf,
  NUMBERS,
  openCrowd,
  recordLines,
  verifyFolder,
} from "../support/crowd.ts";
import { until } from "../support/until.ts";

const settings = `records: { folder: records, onFull: refuse }
evidence:
  folder: evidence
  onFull: refuse
  durability: before-reject
  perTrunk: { blocksPerSecond: 20 }
`;
/** How long the flood lasts. Milliseconds. */
const FLOOD = 3500;

const isOf = (trunk: string) => (line: Fields) => line["trunk"] === trunk;
const sumOf = (lines: readonly Fields[]): number => lines.reduce((sum, { lost }) => sum + Number(lost), 0);

void t.test("flood: one trunk beyond its budget", async (t) => {
  const place = await openCrowd(settings, ["lease", "other"]);
  t.teardown(place.close);
  const [lease, other] = place.callers;
  if (lease === undefined || other === undefined) throw new Error("no callers");
  const filter = await startFilter(place.config);
  t.teardown(() => filter.signal("SIGKILL"));
  t.equal((await other.call(filter.sipPort)).outcome, "403");

  const end = performance.now() + FLOOD;
  const flood = (async () => {
    for (; performance.now() < end; await pause(10))
      for (let burst = 0; burst < 4; burst++) lease.invite(filter.sipPort);
  })();
  const outcomes = new Map<string, number>();
  for (let count = 0; performance.now() < end; count++) {
    const { outcome } = await other.call(filter.sipPort, count % 4 === 0 ? NUMBERS.unlisted : NUMBERS.listed);
    const kind = `${count % 4 === 0 ? "unlisted" : "listed"} ${outcome}`;
    outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
    await pause(60);
  }
  await flood;
  const ended = (): number => [...lease.calls.values()].filter(({ outcome }) => outcome !== undefined).length;
  await until(() => ended() === lease.calls.size);
  t.same(
    [...outcomes.keys()].toSorted(),
    ["listed forwarded", "unlisted 403"],
    "the other trunk is served throughout",
  );
  t.same(
    new Set([...lease.calls.values()].map(({ outcome }) => outcome)),
    new Set(["403"]),
    "none of the flood passes",
  );
  const beyond = await metricOf(filter.admin, 'sigwall_evidence_lost_total{cause="budget"}');
  t.equal(await metricOf(filter.admin, 'sigwall_evidence_lost_total{cause="memory"}'), 0);
  t.equal(await filter.stop(), 0);

  const lines = recordLines(join(place.folder, "records"));
  const decided = lines.filter(({ record }) => record === "decided");
  t.equal(decided.filter(isOf("lease")).length, lease.calls.size, "every call of the flood has its line");
  const blocks = evidenceLines(join(place.folder, "evidence"));
  const gaps = blocks.filter(({ record }) => record === "gap");
  const kept = blocks.filter(({ record }) => record === "decided").filter(isOf("lease")).length;
  t.equal(kept + sumOf(gaps), lease.calls.size, "every message is there, or a gap counts it");
  t.equal(sumOf(gaps), beyond, "and so does the metric");
  t.ok(kept >= 20 && kept <= 20 * (FLOOD / 1000 + 3), `${kept} messages within the budget`);
  t.ok(gaps.length >= 3 && gaps.length <= FLOOD / 1000 + 2, `${gaps.length} gaps`);
  for (const gap of gaps)
    t.match(gap, { trunk: "lease", reasons: { "cli-not-listed": gap["lost"] }, why: /^evidence-budget: / });
  for (const [index, { from }] of gaps.entries())
    if (index > 0)
      t.ok(Date.parse(String(from)) - Date.parse(String(gaps[index - 1]?.["from"])) >= 1000, "one a second");
  t.same(
    lines.filter(({ record }) => record === "gap").map(({ lost }) => lost),
    gaps.map(({ lost }) => lost),
    "records tell the same",
  );
  const verified = verifyFolder(join(place.folder, "evidence"));
  t.equal(verified.code, 0, verified.said);
  t.comment(
    `${lease.calls.size} calls in the flood, ${kept} kept, ${beyond} in ${gaps.length} gaps; other trunk ${JSON.stringify([...outcomes])}`,
  );
});
