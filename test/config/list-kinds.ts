// The kinds of lists: what policy.yaml may say of them, which columns they read, and what rules get.
import tap from "tap";
import type { DoNotCallList, ScoreList } from "../../src/screening/rule.ts";
import { readListNumber } from "../../src/numbering/e164.ts";
import { loadPolicy, partsOf, readPolicy } from "../../src/config/load-policy.ts";
import { packPolicy, unpackPolicy } from "../../src/config/policy/policy-transfer.ts";
import { brokenPolicy, filesOf, printed, soundLists } from "./files.ts";

/** The sound policy with this for its police list; the key stands on line 21. */
function policyWith(list: string): string {
  return brokenPolicy(["  police: { file: police.csv, kind: police }", `  x: ${list}`]);
}

const csv = {
  "trusted.csv": "number\n95588\n",
  "score.csv": "number,score,risk,industry\n+861087654321,0.75,0.2,\n+861087650000..+861087650099,0.5,1,\n",
  "dnc.csv": "number,industry\n+8613912345678,Finance\n+8613912345678,教育\n+8613912345679,\n",
  "police.csv": "number\n+85281234567\n",
};

void tap.test("mistakes in the kinds of lists say what and where", async (t) => {
  const rows: readonly (readonly [list: string, ...issues: readonly string[]])[] = [
    ["{ file: trusted.csv, kind: trusted }"],
    ["{ file: score.csv, kind: score, threshold: 0.75 }"],
    ["{ file: score.csv, kind: score, bands: [{ from: 0.5, do: label }] }"],
    [
      "{ file: score.csv, kind: score, threshold: 0.75, bands: [{ from: 0.1, do: monitor }, { from: 0.5, do: withhold }, { from: 0.2, do: label }] }",
    ],
    ["{ file: dnc.csv, kind: do-not-call }"],
    ["{ file: dnc.csv, kind: do-not-call, industry: finance }"],
    [
      "{ file: trusted.csv, kind: trusty }",
      'policy.yaml:21:27 lists.x.kind: expected police | deny | shutdown | trusted | score | do-not-call, got "trusty"; did you mean "trusted"?',
    ],
    [
      "{ file: trusted.csv, kind: trusted, threshold: 0.5 }",
      "policy.yaml:21:42 lists.x.threshold: belongs to lists of kind score",
    ],
    [
      "{ file: police.csv, kind: deny, industry: finance, bands: [{ from: 0.5, do: label }] }",
      "policy.yaml:21:38 lists.x.industry: belongs to lists of kind do-not-call",
      "policy.yaml:21:57 lists.x.bands: belongs to lists of kind score",
    ],
    [
      "{ file: score.csv, kind: score }",
      "policy.yaml:21:3 lists.x: a list of kind score needs `threshold` or `bands`",
    ],
    [
      "{ file: score.csv, kind: score, threshold: 0.75, bands: [{ from: 0.75, do: label }] }",
      "policy.yaml:21:63 lists.x.bands[0]: never applies: calls are refused from threshold 0.75 on",
    ],
    [
      "{ file: score.csv, kind: score, threshold: 0.75, bands: [{ from: 0.5, do: reject }] }",
      "policy.yaml:21:63 lists.x.bands[0]: refuses below threshold 0.75; give one of the two",
    ],
    [
      "{ file: score.csv, kind: score, bands: [{ from: 0.5, do: label }, { from: 0.5, do: reject }] }",
      "policy.yaml:21:72 lists.x.bands[1]: another band begins at 0.5 too",
    ],
    [
      "{ file: score.csv, kind: score, bands: [{ from: 0.9, do: label }, { from: 0.5, do: reject }] }",
      "policy.yaml:21:46 lists.x.bands[0]: does no more than the band from 0.5 (reject); a higher score must lead to more",
    ],
    [
      "{ file: score.csv, kind: score, threshold: 0 }",
      "policy.yaml:21:38 lists.x.threshold: must be more than 0",
    ],
    [
      "{ file: score.csv, kind: score, threshold: 75 }",
      "policy.yaml:21:38 lists.x.threshold: must be at most 1",
    ],
    [
      "{ file: score.csv, kind: score, threshold: 0.75005 }",
      "policy.yaml:21:38 lists.x.threshold: expected at most four decimals",
    ],
    [
      "{ file: score.csv, kind: score, threshold: 0.5, column: note }",
      "policy.yaml:21:54 lists.x.column: the column note holds no score",
    ],
    [
      "{ file: police.csv, kind: score, threshold: 0.5 }",
      'police.csv:1:1: the header has no column "score", and a list of kind score needs it',
    ],
    [
      "{ file: score.csv, kind: score, threshold: 0.5, column: Risiko }",
      'score.csv:1:1: the header has no column "Risiko", and a list of kind score needs it',
    ],
    ["{ file: police.csv, kind: shutdown, order: GT-7, due: 2026-12-31, authority: MIIT, noReturn: true }"],
    [
      "{ file: police.csv, kind: shutdown }",
      "policy.yaml:21:3 lists.x: a list of kind shutdown needs `order`",
    ],
    [
      "{ file: police.csv, kind: shutdown, order: GT-7, due: tomorrow }",
      "policy.yaml:21:55 lists.x.due: expected a date like 2026-12-31",
    ],
    [
      "{ file: police.csv, kind: police, order: GT-7, noReturn: true }",
      "policy.yaml:21:40 lists.x.order: belongs to lists of kind shutdown",
      "policy.yaml:21:53 lists.x.noReturn: belongs to lists of kind shutdown",
    ],
    ["{ file: none.csv, kind: trusted }", "policy.yaml:21:8 lists.x.file: can't read none.csv: no such file"],
  ];
  for (const [list, ...expected] of rows) {
    const { issues } = loadPolicy(
      filesOf({ ...soundLists, ...csv, "policy.yaml": policyWith(list) }),
      "policy.yaml",
    );
    t.strictSame(printed(issues.filter(({ severity }) => severity === "error")), expected, list);
  }
});

void tap.test("mistakes in scores say line and column", async (t) => {
  const rows: readonly (readonly [text: string, ...issues: readonly string[]])[] = [
    ["number,score\n95588,1\n"],
    ['number,score\n95588,"0.5"\n'],
    ["number,score\n95588,\n", "s.csv:2:7 score: the score is missing"],
    ["number,score\n95588\n", "s.csv:2:1 score: the score is missing"],
    ["number,score\n+861087654321\n", "s.csv:2:1 score: the score is missing"],
    ["number,score\n+861087654321,75\n", 's.csv:2:15 score: "75" is not a score from 0 to 1 like 0.75'],
    [
      "number,score\n95588,0.5\n95589,1.5\n95590x,-1\n",
      's.csv:3:7 score: "1.5" is not a score from 0 to 1 like 0.75',
      's.csv:4:1 number: not a number: "95590x"',
      's.csv:4:8 score: "-1" is not a score from 0 to 1 like 0.75',
    ],
    ["number,score,Score\n95588,1,1\n", 's.csv:1:14 Score: the header has the column "Score" twice'],
  ];
  const policy = policyWith("{ file: s.csv, kind: score, threshold: 0.5 }");
  for (const [text, ...expected] of rows) {
    const files = filesOf({ ...soundLists, "s.csv": text, "policy.yaml": policy });
    const issues = printed(loadPolicy(files, "policy.yaml").issues);
    t.equal(issues.length, expected.length, `${JSON.stringify(text)}: ${issues.join("; ")}`);
    expected.forEach((issue, index) =>
      t.ok(issues[index]?.startsWith(issue), `${issues[index]} for ${issue}`),
    );
  }
});

/** The lists as rules get them, read here or posted by another thread. */
function tablesOf(lists: string) {
  const policy = brokenPolicy(["  police: { file: police.csv, kind: police }", lists]);
  const { material } = readPolicy(filesOf({ ...soundLists, ...csv, "policy.yaml": policy }), "policy.yaml");
  if (material === undefined) throw new Error("the test's own policy is wrong");
  const [here] = material.plans;
  const [posted] = [...unpackPolicy(structuredClone(packPolicy(partsOf(material)))).plans];
  if (here === undefined || posted === undefined) throw new Error("no trunk");
  return [here.tables, posted.tables];
}

function markOf({ numbers }: ScoreList | DoNotCallList, number: string): number {
  const read = readListNumber(number);
  return typeof read === "string" ? Number.NaN : numbers.mark(numbers.find(read.key, 0));
}

void tap.test("rules get each kind for itself, also from another thread", async (t) => {
  const lists = `  police: { file: police.csv, kind: police }
  bank: { file: trusted.csv, kind: trusted }
  abuse: { file: score.csv, kind: score, threshold: 0.75, bands: [{ from: 0.29, do: label }] }
  risk: { file: score.csv, kind: score, column: RISK, bands: [{ from: 1, do: monitor }] }
  dnc: { file: dnc.csv, kind: do-not-call }
  loans: { file: dnc.csv, kind: do-not-call, industry: " FINANCE" }`;
  for (const tables of tablesOf(lists)) {
    t.same(
      tables.denyLists.map(({ id, kind }) => [id, kind]),
      [["police", "police"]],
    );
    t.same(
      tables.trustedLists.map(({ id }) => id),
      ["bank"],
    );
    t.same(
      tables.scoreLists.map(({ id, bands }) => [id, bands]),
      [
        [
          "abuse",
          [
            { from: 7500, do: "reject" },
            { from: 2900, do: "label" },
          ],
        ],
        ["risk", [{ from: 10_000, do: "monitor" }]],
      ],
      "the highest band first",
    );
    const [abuse, risk] = tables.scoreLists;
    if (abuse === undefined || risk === undefined) throw new Error("no score lists");
    t.same(
      [markOf(abuse, "+861087654321"), markOf(risk, "+861087654321")],
      [7500, 2000],
      "one file, two columns",
    );
    t.same(
      [markOf(abuse, "+861087650050"), markOf(risk, "+861087650050")],
      [5000, 10_000],
      "a range has one score",
    );
    t.same(
      tables.doNotCallLists.map(({ id, industry, industries }) => [id, industry, industries]),
      [
        ["dnc", undefined, ["finance", "教育"]],
        ["loans", "finance", ["finance", "教育"]],
      ],
    );
    const [dnc] = tables.doNotCallLists;
    t.equal(dnc && markOf(dnc, "+8613912345678"), 1);
    t.equal(dnc && markOf(dnc, "+8613912345679"), 0);
  }
});

void tap.test("columns that a kind does not ask for are unknown, as before", async (t) => {
  const files = filesOf({
    ...soundLists,
    ...csv,
    "policy.yaml": policyWith("{ file: score.csv, kind: deny }"),
  });
  t.strictSame(
    printed(loadPolicy(files, "policy.yaml").issues).map((issue) => issue.split(";")[0]),
    [
      'score.csv:1:8 score: warning: unknown column "score"',
      'score.csv:1:14 risk: warning: unknown column "risk"',
      'score.csv:1:19 industry: warning: unknown column "industry"',
    ],
  );
});
