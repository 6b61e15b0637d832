import t from "tap";
import { budgetGapLine, createEvidenceBudget } from "../../src/records/evidence/evidence-budget.ts";
import { noon } from "./evidence-place.ts";

const budget = { blocksPerSecond: 3, megabytesPerDay: 1 };

void t.test("budget: a second's worth at once, then one block a third of a second", (t) => {
  const { take, due } = createEvidenceBudget(budget);
  const rows: readonly (readonly [after: number, isTaken: boolean])[] = [
    [0, true],
    [0, true],
    [0, true],
    [0, false],
    [332, false],
    [334, true],
    [335, false],
    [667, true],
    [5000, true],
    [5000, true],
    [5000, true],
    [5000, false],
  ];
  for (const [after, isTaken] of rows)
    t.equal(take("a", 900, "denylisted", noon + after), isTaken, `after ${after} ms`);
  t.same(due(noon + 999), [], "a second is not over");
  t.same(due(noon + 1000), [
    {
      trunk: "a",
      from: noon,
      to: noon + 5000,
      lost: 4,
      reasons: { denylisted: 4 },
      why: "blocks-per-second",
    },
  ]);
  t.same(due(noon + 9000), [], "each gap is given once");
  t.end();
});

void t.test("budget: a trunk in its own flood costs no other trunk a block", (t) => {
  const { take, due } = createEvidenceBudget(budget);
  let others = 0;
  for (let ms = 0; ms < 10_000; ms += 1) {
    take("flood", 900, ms % 3 === 0 ? "cli-hidden" : "denylisted", noon + ms);
    if (ms % 500 === 0 && take("calm", 900, "denylisted", noon + ms)) others += 1;
  }
  t.equal(others, 20);
  const gaps = due(noon + 20_000);
  t.equal(gaps.length, 1);
  t.match(gaps[0], { trunk: "flood", lost: 10_000 - 3 - 29 });
  const { reasons = {} } = gaps[0] ?? {};
  t.equal((reasons["cli-hidden"] ?? 0) + (reasons.denylisted ?? 0), gaps[0]?.lost, "the reasons add up");
  t.end();
});

void t.test("budget: one gap a second for each trunk", (t) => {
  const { take, due, rest } = createEvidenceBudget(budget);
  let told = 0;
  let lost = 0;
  let taken = 0;
  for (let ms = 0; ms < 10_000; ms += 10) {
    if (take("a", 900, "overload", noon + ms)) taken += 1;
    for (const gap of due(noon + ms)) {
      told += 1;
      lost += gap.lost;
    }
  }
  t.ok(told >= 9 && told <= 10, `${told} gaps in 10 seconds`);
  for (const gap of rest()) lost += gap.lost;
  t.equal(lost + taken, 1000, "nothing is uncounted");
  t.end();
});

void t.test("budget: megabytes of a day, to the octet, and again the next day", (t) => {
  const { take, rest } = createEvidenceBudget({ blocksPerSecond: 1000, megabytesPerDay: 1 });
  t.equal(take("a", 2 ** 20 - 100, "denylisted", noon), true);
  t.equal(take("a", 101, "denylisted", noon), false);
  t.equal(take("a", 100, "denylisted", noon), true);
  t.equal(take("a", 1, "denylisted", noon + 43_199_999), false);
  t.equal(take("a", 1, "denylisted", noon + 43_200_000), true, "midnight UTC");
  t.match(rest(), [{ lost: 2, why: "megabytes-per-day" }]);
  t.end();
});

void t.test("budget: a clock that steps back gives no blocks for nothing, and ends no gap twice", (t) => {
  const { take, due } = createEvidenceBudget(budget);
  for (let i = 0; i < 4; i += 1) take("a", 900, "denylisted", noon);
  t.equal(take("a", 900, "denylisted", noon - 3_600_000), false);
  t.match(due(noon - 3_600_000), [{ lost: 2, from: noon, to: noon }]);
  t.equal(take("a", 900, "denylisted", noon - 3_599_000), true, "a second later there is room again");
  t.end();
});

void t.test("budget: the gap line", (t) => {
  const gap = {
    trunk: "a",
    from: noon,
    to: noon + 900,
    lost: 3,
    reasons: { denylisted: 3 },
    why: "blocks-per-second",
  } as const;
  t.same(JSON.parse(budgetGapLine(gap, "gw-a")), {
    record: "gap",
    time: "2026-11-30T12:00:00.900Z",
    node: "gw-a",
    from: "2026-11-30T12:00:00.000Z",
    to: "2026-11-30T12:00:00.900Z",
    lost: 3,
    why: "evidence-budget: blocks-per-second",
    trunk: "a",
    reasons: { denylisted: 3 },
  });
  t.end();
});
