// Score lists in the rule deny-lists: thresholds, bands, several lists, trusted numbers, and what explain says.
import t from "tap";
import { explainAttempt } from "../../src/screening/chain/explanation.ts";
import { possibleDecisions } from "../../src/screening/chain/possible-decisions.ts";
import { compileScreen } from "../../src/screening/chain/screen.ts";
import {
  makeAttempt,
  makeChain,
  makeDenyList,
  makeList,
  makeScoreList,
  makeState,
  makeTables,
  makeTrunk,
  NOW,
  setEveryRule,
} from "../support/attempt.ts";
import { testRule } from "../support/rule-table.ts";

const scores = makeScoreList(
  "scores",
  [
    ["+8613900000075", 0.75],
    ["+8613900000074", 0.7499],
    ["+8613900000050", 0.5],
    ["+8613900000049", 0.4999],
    ["+8613900000025", 0.25],
    ["+8613900000024", 0.2499],
    ["+8613900000010", 0.1],
    ["+8613900000009", 0.0999],
    ["+861087650000..+861087650099", 0.9],
    ["+861087650042", 0.1],
    ["+861087650043", 0, { validTo: NOW }],
    ["+8613900001111", 0.2],
    ["+8613900001111", 0.8],
    ["+442079460000", 1],
    ["95588", 0.95],
  ],
  [
    [0.75, "reject"],
    [0.5, "withhold"],
    [0.25, "label"],
    [0.1, "monitor"],
  ],
);
const tables = { scoreLists: [scores] };

testRule("deny-lists", [
  { name: "exactly the threshold", tables, calling: ["from +8613900000075"], says: "reject score-listed" },
  {
    name: "just below it: the next band",
    tables,
    calling: ["from +8613900000074"],
    says: "withhold score-listed",
  },
  { name: "where withhold begins", tables, calling: ["from +8613900000050"], says: "withhold score-listed" },
  { name: "just below withhold", tables, calling: ["from +8613900000049"], says: "label score-listed" },
  { name: "where label begins", tables, calling: ["from +8613900000025"], says: "label score-listed" },
  { name: "just below label", tables, calling: ["from +8613900000024"], says: "note score-listed" },
  { name: "where monitor begins", tables, calling: ["from +8613900000010"], says: "note score-listed" },
  { name: "just below every band", tables, calling: ["from +8613900000009"], says: "abstains" },
  { name: "a number without score", tables, calling: ["from +8613900000008"], says: "abstains" },
  { name: "another spelling", tables, calling: ["from 013900000075"], says: "reject score-listed" },
  { name: "0086", tables, calling: ["from 008613900000075"], says: "reject score-listed" },
  { name: "a code", tables, calling: ["from 01095588"], says: "reject score-listed" },
  { name: "the first of a block", tables, calling: ["from +861087650000"], says: "reject score-listed" },
  { name: "the last of a block", tables, calling: ["from +861087650099"], says: "reject score-listed" },
  { name: "behind the block", tables, calling: ["from +861087650100"], says: "abstains" },
  {
    name: "a number of the block with a row of its own",
    tables,
    calling: ["from +861087650042"],
    says: "note score-listed",
  },
  { name: "whose own row has expired", tables, calling: ["from +861087650043"], says: "reject score-listed" },
  {
    name: "two rows: the higher score",
    tables,
    calling: ["from +8613900001111"],
    says: "reject score-listed",
  },
  {
    name: "two callers: the strictest band",
    tables,
    calling: ["pai +8613900000025", "from +8613900000075"],
    says: "reject score-listed",
  },
  {
    name: "a diverting party",
    tables,
    calling: ["from +8613900000025"],
    diversion: ["div +8613900000050"],
    says: "withhold score-listed",
  },
  {
    name: "digits of a number that no plan allows",
    tables,
    calling: ["from +860139000000075"],
    says: "abstains",
  },
  {
    name: "a listed number behind a sign",
    tables,
    calling: ["from *31*13900000075"],
    says: "reject score-listed",
  },
  {
    name: "redirect: a number to be withheld can't be, so the call is refused",
    trunk: { mode: "redirect" },
    tables,
    calling: ["from +8613900000050"],
    says: "reject score-listed",
  },
]);

const milder = makeScoreList(
  "milder",
  [
    ["+8613900000050", 0.99],
    ["+8613900000075", 0.2],
  ],
  [[0.2, "label"]],
);
const same = makeScoreList("same", [["+8613900000075", 0.8]], [[0.75, "reject"]]);
const trusted = makeList("trusted", ["+8613900000075", { number: "+8613900000050", validTo: NOW }, "95588"]);

testRule("deny-lists", [
  {
    name: "two lists: each by its own bands, the strictest counts",
    tables: { scoreLists: [milder, scores] },
    calling: ["from +8613900000050"],
    says: "withhold score-listed",
  },
  {
    name: "in any order",
    tables: { scoreLists: [scores, milder] },
    calling: ["from +8613900000075"],
    says: "reject score-listed",
  },
  {
    name: "a police list comes first",
    tables: { scoreLists: [scores], denyLists: [makeDenyList("police", "police", ["+8613900000075"])] },
    calling: ["from +8613900000075"],
    says: "reject police-listed",
  },
  {
    name: "a trusted number",
    tables: { scoreLists: [scores], trustedLists: [trusted] },
    calling: ["from +8613900000075"],
    says: "abstains",
  },
  {
    name: "a number that is no longer trusted",
    tables: { scoreLists: [scores], trustedLists: [trusted] },
    calling: ["from +8613900000050"],
    says: "withhold score-listed",
  },
  {
    name: "a trusted number beside one that is not",
    tables: { scoreLists: [scores], trustedLists: [trusted] },
    calling: ["pai +8613900000075", "from +8613900000025"],
    says: "label score-listed",
  },
  {
    name: "trusted skips no deny list",
    tables: { trustedLists: [trusted], denyLists: [makeDenyList("deny", "deny", ["95588"])] },
    calling: ["from 95588"],
    says: "reject denylisted",
  },
]);

void t.test("the facts: list, line, score and band; of two lists the one with the higher score", (t) => {
  const trunk = makeTrunk({ side: "national" });
  const chain = { ...setEveryRule("off"), "deny-lists": { mode: "enforce", options: {} } } as const;
  const screen = compileScreen(chain, makeTables(trunk, { scoreLists: [scores, same] }), "r1");
  const { verdict, rule } = screen.judge(
    makeAttempt(trunk, { calling: ["from +8613900000075"] }),
    makeState(),
  );
  t.same(verdict, {
    kind: "reject",
    reason: "score-listed",
    facts: { list: "same", field: "from", line: "lists/same.csv:2", score: "0.8", band: "reject from 0.75" },
  });
  t.equal(rule, "deny-lists");
  const noted = screen.judge(makeAttempt(trunk, { calling: ["from +8613900000010"] }), makeState());
  t.same(
    noted.shadow.map((hit) => [hit.rule, hit.verdict.reason, hit.verdict.facts?.["band"]]),
    [["deny-lists", "score-listed", "monitor from 0.1"]],
  );
  t.end();
});

void t.test("a listed caller with a score passes with its mark; one that is not listed is refused", (t) => {
  const trunk = makeTrunk();
  const marked = makeScoreList(
    "own",
    [
      ["+861087654321", 0.3],
      ["+861087654400", 0.3],
    ],
    [[0.25, "label"]],
  );
  const screen = compileScreen(makeChain(), makeTables(trunk, { scoreLists: [marked] }), "r1");
  for (const [number, says] of [
    ["+861087654321", "label score-listed deny-lists"],
    ["+861087654322", "accept listed default"],
    ["+861087654400", "reject cli-not-listed caller-authentication"],
  ] as const) {
    const { verdict, rule } = screen.judge(makeAttempt(trunk, { calling: [`from ${number}`] }), makeState());
    t.equal(`${verdict.kind} ${verdict.reason} ${rule}`, says, number);
  }
  t.end();
});

void t.test("explain: scores, bands, lines, and who trusts a number", (t) => {
  const trunk = makeTrunk({ side: "national" });
  const given = makeTables(trunk, { scoreLists: [scores], trustedLists: [trusted] });
  const screen = compileScreen(makeChain(), given, "r1");
  for (const [number, saw, line, change] of [
    [
      "+8613900001111",
      "from +8613900001111 (mobile) has score 0.8 on list scores (lists/scores.csv:14): reject from 0.75",
      "lists/scores.csv:14",
      "give +8613900001111 a score below 0.75 at lists/scores.csv:14, or put it on a list of kind trusted",
    ],
    [
      "+8613900000024",
      "from +8613900000024 (mobile) has score 0.2499 on list scores (lists/scores.csv:7): monitor from 0.1",
      "lists/scores.csv:7",
      "give +8613900000024 a score below 0.1 at lists/scores.csv:7, or put it on a list of kind trusted",
    ],
    [
      "+8613900000009",
      "from +8613900000009 (mobile) has score 0.0999 on list scores (lists/scores.csv:9), below every band",
      undefined,
      undefined,
    ],
    [
      "+8613900000075",
      "from +8613900000075 (mobile) has score 0.75 on list scores (lists/scores.csv:2), which counts as 0: it is trusted by trusted (lists/trusted.csv:2)",
      undefined,
      undefined,
    ],
    ["+8613900000008", "on none of 1 lists", undefined, undefined],
  ] as const) {
    const attempt = makeAttempt(trunk, { calling: [`from ${number}`] });
    const told = explainAttempt(screen, attempt, makeState()).rules.find(({ rule }) => rule === "deny-lists");
    t.same([told?.saw, told?.line, told?.change], [saw, line, change], number);
  }
  const labelled = explainAttempt(
    screen,
    makeAttempt(trunk, { calling: ["from +8613900000025"] }),
    makeState(),
  );
  t.match(labelled.changes, [/^give \+8613900000025 a score below 0\.25 at lists\/scores\.csv:6/]);
  t.end();
});

void t.test("possible decisions: refused, and noted where a band only counts", (t) => {
  const trunk = makeTrunk({ side: "national" });
  for (const [lists, isNoted] of [
    [[scores], true],
    [[same], false],
  ] as const) {
    const screen = compileScreen(makeChain(), makeTables(trunk, { scoreLists: lists }), "r1");
    const found = possibleDecisions(screen).filter(({ reason }) => reason === "score-listed");
    t.same(
      found.map(({ verdict, isMonitored }) => [verdict, isMonitored]),
      isNoted
        ? [
            ["reject", false],
            ["reject", true],
          ]
        : [["reject", false]],
    );
  }
  t.end();
});
