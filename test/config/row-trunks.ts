// The column trunk of lessees' lists: which trunks a row names, what is wrong with it, and what a trunk's rules get.
import tap from "tap";
import { loadPolicy, partsOf, readPolicy } from "../../src/config/load-policy.ts";
import { packPolicy, unpackPolicy } from "../../src/config/policy/policy-transfer.ts";
import type { ReadList } from "../../src/config/lists/number-list.ts";
import { readListNumber } from "../../src/numbering/e164.ts";
import { findListed, isOnTrunk } from "../../src/screening/listed-row.ts";
import type { LesseeList } from "../../src/screening/rule.ts";
import { brokenPolicy, filesOf, printed, soundLists } from "./files.ts";

/** Two trunks of the lessee, lease and lease-2, beside intl, which is of nobody. */
const policy = brokenPolicy([
  "lessees:",
  `  - id: lease-2
    side: lessee
    match: { addresses: [127.0.0.1], ports: [5063] }
    lessee: acme-bj
    nextHops: ["sip:127.0.0.1:5090"]
lessees:`,
]);

function read(text: string) {
  return readPolicy(filesOf({ ...soundLists, "acme.csv": text, "policy.yaml": policy }), "policy.yaml");
}

void tap.test("mistakes in the column say line and column", async (t) => {
  const rows: readonly (readonly [text: string, ...issues: readonly string[]])[] = [
    ["number,trunk\n+861087654321,lease\n"],
    ["number,trunk\n+861087654321,lease lease-2\n"],
    ["number,Trunk\n+861087654321,lease;lease-2\n"],
    ["number,trunk\n+861087654321, lease ；lease-2 ;\n"],
    ["number,trunk\n+861087654321,\n+861087654322\n"],
    [
      "number,trunk\n+861087654321,lease\n+861087654322,lese\n",
      'acme.csv:3:15 trunk: unknown trunk "lese"; did you mean "lease"?',
    ],
    [
      'number,note,trunk\n"+861087654321","a, b",lease lease-3\n',
      'acme.csv:2:24 trunk: unknown trunk "lease-3"; did you mean "lease"?',
    ],
    [
      "number,trunk\n+861087654322,intl\n+861087654323,intl\n",
      'acme.csv:2:15 trunk: trunk "intl" is not one of lessee "acme-bj": no call comes there from this number',
    ],
    [
      "number,trunk_id\n+861087654321,lease\n",
      'acme.csv:1:8 trunk_id: unknown column "trunk_id"; did you mean "trunk"?',
    ],
    ["number,中继\n+861087654321,lease\n", 'acme.csv:1:8 中继: unknown column "中继"; did you mean "trunk"?'],
    [
      "number,trunk,trunk\n+861087654321,lease,\n",
      'acme.csv:1:14 trunk: the header has the column "trunk" twice',
    ],
  ];
  for (const [text, ...expected] of rows) t.strictSame(printed(read(text).issues), expected, text);
});

void tap.test("in lists of other kinds the column is a warning", async (t) => {
  const files = { ...soundLists, "police.csv": "number,trunk\n+85281234567,lease\n", "policy.yaml": policy };
  const { issues, policy: loaded } = loadPolicy(filesOf(files), "policy.yaml");
  t.strictSame(printed(issues), [
    "police.csv:1:8 trunk: warning: only lists of lessees have a column trunk; here every row holds for every trunk",
  ]);
  t.ok(loaded);
});

function listsOf(text: string): Readonly<Record<string, readonly (LesseeList | undefined)[]>> {
  const { material, issues } = read(text);
  if (material === undefined) throw new Error(printed(issues).join("\n"));
  const posted = new Map(
    [...unpackPolicy(structuredClone(packPolicy(partsOf(material)))).plans].map(({ trunk, tables }) => [
      trunk.id,
      tables.lesseeNumbers,
    ]),
  );
  return Object.fromEntries(
    material.plans.map(({ trunk, tables }) => [trunk.id, [tables.lesseeNumbers, posted.get(trunk.id)]]),
  );
}

void tap.test("each trunk gets the list as it sees it, also out of another thread", async (t) => {
  const lists = listsOf(
    "number,trunk\n+861087654321,lease\n+861087654322,lease-2 lease\n+861087654323,lease;lease-2\n+861087654324,\n+861087654325,lease-2\n+861087654325,lease\n",
  );
  const seen = (trunk: string): readonly string[] =>
    (lists[trunk] ?? []).map((list) =>
      ["1", "2", "3", "4", "5"]
        .filter((end) => {
          const number = readListNumber(`+86108765432${end}`);
          if (list === undefined || typeof number === "string") return false;
          const row = findListed(list, number.key, 0);
          return row >= 0 && isOnTrunk(list, row);
        })
        .join(""),
    );
  t.strictSame(seen("lease"), ["12345", "12345"]);
  t.strictSame(seen("lease-2"), ["2345", "2345"]);
  t.strictSame(
    lists["lease"]?.[0]?.trunkSets,
    ["lease", "lease lease-2", "lease-2"],
    "one set in two spellings",
  );
  t.equal(lists["lease"]?.[1]?.trunkSets, undefined, "texts do not travel");
});

function setOf(text: string): ReadList["numbers"] | undefined {
  return read(text).material?.lists[0]?.read.numbers;
}

void tap.test("a list without trunks costs nothing: no marks, and every row is good", async (t) => {
  const rows = "+861087654321,2026-01-01\n+861087654322..+861087654399,\n";
  const plain = setOf(`number,valid_from\n${rows}`);
  const empty = setOf(`number,valid_from,trunk\n${rows.replaceAll("\n", ",\n")}`);
  t.equal(plain?.columns.rowMark.length, 0);
  t.equal(empty?.memory.byteLength, plain?.memory.byteLength, "a column that says nothing");
  const [list] = listsOf(`number,valid_from\n${rows}`)["lease"] ?? [];
  t.equal(list?.onTrunk, undefined);
});

void tap.test("the first row with a trunk may come late, as a single number or a range", async (t) => {
  for (const late of ["+861087654330", "+861087654340..+861087654349"]) {
    const { material } = read(`number,trunk\n+861087654321,\n+861087654325..+861087654327,\n${late},lease\n`);
    const numbers = material?.lists[0]?.read.numbers;
    const marks = [...(numbers?.columns.rowMark ?? [])].map((mark, row) => `${numbers?.line(row)}:${mark}`);
    t.strictSame(marks.toSorted(), ["2:0", "3:0", "4:1"], late);
  }
});

void tap.test("one number on two lines is no duplicate when the trunks differ", async (t) => {
  const { material } = read("number,trunk\n+861087654321,lease\n+861087654321,lease-2\n");
  t.equal(material?.lists[0]?.read.counts.rows, 2);
});
