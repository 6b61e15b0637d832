// Numbers leave police and shutdown lists by a release only: files of releases, and what a new policy takes out.
import tap from "tap";
import { custodyOf, findTakenOut } from "../../src/config/change/custody.ts";
import { type PolicyMaterial, readPolicy } from "../../src/config/load-policy.ts";
import { brokenPolicy, filesOf, printed, soundLists } from "./files.ts";

const NOW = Date.UTC(2026, 10, 30, 4);
const police = "number\n+85281234500..+85281234509\n+85281234567\n95588\n";
const head = "number,date,by,reason,order\n";

/** The sound policy with these for its lists. */
function policyOf(lists: readonly string[]): string {
  const text = lists.length === 0 ? "" : `lists:\n${lists.map((list) => `  ${list}\n`).join("")}`;
  return brokenPolicy(["lists:\n  police: { file: police.csv, kind: police }\n", text]);
}

function load(lists: readonly string[], files: Readonly<Record<string, string>>): PolicyMaterial {
  const all = { ...soundLists, ...files, "policy.yaml": policyOf(lists) };
  const { material, issues } = readPolicy(filesOf(all), "policy.yaml");
  if (material === undefined) throw new Error(printed(issues).join("\n"));
  return material;
}

void tap.test("mistakes in a file of releases say line and column", async (t) => {
  const row = "+85281234567,2026-11-01,GAB,mistaken identity,GT-9\n";
  const rows: readonly (readonly [text: string, ...issues: readonly string[]])[] = [
    [head],
    [head + row],
    [`order,authority,number,reason,date\nGT-9,GAB,+85281234567,mistake,2026-11-01\n`],
    [
      `${head}+85281234500..+85281234509,2026-11-01,GAB,"moved, by order",GT-9\n\n+8621666*,2026-11-01,GAB,x,GT-9\n`,
    ],
    ["", "releases.csv:1:1: the file has no header: number,date,by,reason,order"],
    ["number,date\n95588,2026-11-01\n", 'releases.csv:1:1: the header has no column "by"'],
    [`${head}95588,2026-11-01,GAB,,GT-9\n`, "releases.csv:2:22 reason: the reason is missing"],
    [`${head}95588,2026-11-01,GAB\n`, "releases.csv:2:1 reason: the reason is missing"],
    [`${head}95588x,2026-02-31,GAB,x,GT-9\n`, 'releases.csv:2:1 number: not a number: "95588x"'],
    [
      `${head}95588,30/11/2026,GAB,x,GT-9\n`,
      'releases.csv:2:7 date: "30/11/2026" is not a date like 2026-12-31',
    ],
  ];
  for (const [text, first] of rows) {
    const files = {
      ...soundLists,
      "releases.csv": text,
      "policy.yaml": policyOf(["police: { file: police.csv, kind: police, releases: releases.csv }"]),
    };
    const { issues } = readPolicy(filesOf(files), "policy.yaml");
    t.equal(issues.length > 0, first !== undefined, JSON.stringify(text));
    if (first !== undefined)
      t.ok(printed(issues)[0]?.startsWith(first), `${printed(issues)[0]} for ${first}`);
  }
  for (const [list, issue] of [
    [
      "deny: { file: police.csv, kind: deny, releases: releases.csv }",
      "policy.yaml:21:41 lists.deny.releases: belongs to lists of kind police, shutdown",
    ],
    [
      "police: { file: police.csv, kind: police, releases: none.csv }",
      "policy.yaml:21:45 lists.police.releases: can't read none.csv: no such file",
    ],
  ] as const) {
    const files = { ...soundLists, "releases.csv": head, "policy.yaml": policyOf([list]) };
    t.strictSame(printed(readPolicy(filesOf(files), "policy.yaml").issues), [issue]);
  }
});

const usual = "police: { file: police.csv, kind: police, releases: releases.csv }";
const closed =
  "closed: { file: closed.csv, kind: shutdown, order: GT-7, noReturn: true, releases: releases.csv }";

interface Row {
  readonly name: string;
  readonly before?: readonly string[];
  readonly was?: Readonly<Record<string, string>>;
  readonly after?: readonly string[];
  readonly is: Readonly<Record<string, string>>;
  readonly issues?: readonly string[];
  readonly notes?: readonly string[];
}

const release = (number: string, date = "2026-11-01"): string => `${number},${date},GAB,mistake,GT-9\n`;
const without567 = "number\n+85281234500..+85281234509\n95588\n";
const refusal = (numbers: string, line: number): string =>
  `police.csv:${line}:1 number: ${numbers} taken out of list "police"; put them back, or add a line for each to releases.csv: number,date,by,reason,order; the date is that of the release, not before the listing and not in the future`;

const rows: readonly Row[] = [
  { name: "nothing changed", is: {} },
  { name: "numbers more", is: { "police.csv": `${police}+85281234599\n` } },
  {
    name: "the range written as two",
    is: {
      "police.csv": police.replace("500..+85281234509", "500..+85281234504\n+85281234505..+85281234509"),
    },
  },
  {
    name: "a number taken out",
    is: { "police.csv": without567 },
    issues: [refusal("+85281234567 is", 3)],
    notes: ["refused release +85281234567"],
  },
  {
    name: "the middle of a range, and a code",
    is: { "police.csv": "number\n+85281234500..+85281234503\n+85281234506..+85281234509\n+85281234567\n" },
    issues: [refusal("95588, +85281234504..+85281234505 are", 4)],
    notes: ["refused release 95588", "refused release +85281234504..+85281234505"],
  },
  {
    name: "released",
    is: { "police.csv": without567, "releases.csv": head + release("+85281234567") },
    notes: ["released +85281234567 by GAB GT-9 releases.csv:2"],
  },
  {
    name: "released as a part of a range",
    is: { "police.csv": without567, "releases.csv": head + release("+85281234560..+85281234569") },
    notes: ["released +85281234567 by GAB GT-9 releases.csv:2"],
  },
  {
    name: "released today",
    is: { "police.csv": without567, "releases.csv": head + release("+85281234567", "2026-11-30") },
    notes: ["released +85281234567 by GAB GT-9 releases.csv:2"],
  },
  {
    name: "near miss: released tomorrow",
    is: { "police.csv": without567, "releases.csv": head + release("+85281234567", "2026-12-01") },
    issues: [refusal("+85281234567 is", 3)],
    notes: ["refused release +85281234567"],
  },
  {
    name: "near miss: its neighbour is released",
    is: { "police.csv": without567, "releases.csv": head + release("+85281234568") },
    issues: [refusal("+85281234567 is", 3)],
    notes: ["refused release +85281234567"],
  },
  {
    name: "one of two is released: nothing is",
    is: { "police.csv": "number\n+85281234500..+85281234509\n", "releases.csv": head + release("95588") },
    issues: [refusal("+85281234567 is", 3)],
    notes: ["refused release +85281234567"],
  },
  {
    name: "an old release does not hold for a later listing",
    was: { "police.csv": "number,valid_from\n+85281234567,2026-11-15\n95588,\n" },
    is: { "police.csv": "number\n95588\n", "releases.csv": head + release("+85281234567") },
    issues: [refusal("+85281234567 is", 2)],
    notes: ["refused release +85281234567"],
  },
  {
    name: "its own last day was over",
    was: { "police.csv": "number,valid_to\n+85281234567,2026-11-29\n95588,\n" },
    is: { "police.csv": "number\n95588\n" },
  },
  {
    name: "its last day is today",
    was: { "police.csv": "number,valid_to\n+85281234567,2026-11-30\n95588,\n" },
    is: { "police.csv": "number\n95588\n" },
    issues: [refusal("+85281234567 is", 2)],
    notes: ["refused release +85281234567"],
  },
  {
    name: "a last day that was not there takes a number out too",
    is: { "police.csv": "number,valid_to\n+85281234500..+85281234509,\n+85281234567,2027-01-31\n95588,\n" },
    issues: [refusal("+85281234567 is", 3)],
    notes: ["refused release +85281234567"],
  },
  {
    name: "… and an earlier last day",
    was: { "police.csv": "number,valid_to\n+85281234567,2028-01-31\n95588,\n" },
    is: { "police.csv": "number,valid_to\n+85281234567,2027-01-31\n95588,\n" },
    issues: [refusal("+85281234567 is", 2)],
    notes: ["refused release +85281234567"],
  },
  {
    name: "it moves to another police list",
    after: [usual, "second: { file: second.csv, kind: police }"],
    is: { "police.csv": without567, "second.csv": "number\n+85281234567\n" },
  },
  {
    name: "near miss: to a deny list",
    after: [usual, "second: { file: second.csv, kind: deny }"],
    is: { "police.csv": without567, "second.csv": "number\n+85281234567\n" },
    issues: [refusal("+85281234567 is", 3)],
    notes: ["refused release +85281234567"],
  },
  {
    name: "the file has another name",
    after: [usual.replace("police.csv", "p.csv")],
    is: { "p.csv": police },
  },
  {
    name: "the list has no releases",
    after: ["police: { file: police.csv, kind: police }"],
    is: { "police.csv": without567 },
    issues: [
      'police.csv:3:1 number: +85281234567 is taken out of list "police"; put them back, or name a file in lists.police.releases with a line for each: number,date,by,reason,order',
    ],
    notes: ["refused release +85281234567"],
  },
  {
    name: "the list is gone",
    after: [],
    is: {},
    issues: [
      'police.csv:4:1 number: 95588, +85281234500..+85281234509, +85281234567 are taken out of list "police"; the list is gone: put it back into policy.yaml as a police or shutdown list, and release its numbers first',
    ],
    notes: [
      "refused release 95588",
      "refused release +85281234500..+85281234509",
      "refused release +85281234567",
    ],
  },
  {
    name: "noReturn: a release is none",
    before: [closed],
    was: { "closed.csv": "number\n+85281239901\n+85281239902\n" },
    after: [closed],
    is: { "closed.csv": "number\n+85281239902\n", "releases.csv": head + release("+85281239901") },
    issues: [
      'closed.csv:2:1 number: +85281239901 is taken out of list "closed"; the list in force says noReturn: put them back',
    ],
    notes: ["refused release +85281239901"],
  },
  {
    name: "noReturn can't be taken back",
    before: [closed],
    was: { "closed.csv": "number\n+85281239901\n" },
    after: [closed.replace("noReturn: true, ", "")],
    is: {},
    issues: ["policy.yaml:21:3 lists.closed: noReturn can't be taken back: the list in force has it"],
    notes: ["refused release +85281239901"],
  },
  {
    name: "noReturn: the list is gone",
    before: [closed],
    was: { "closed.csv": "number\n+85281239901\n" },
    after: [],
    is: {},
    issues: [
      'closed.csv:2:1 number: +85281239901 is taken out of list "closed"; the list is gone, and it says noReturn: put it back into policy.yaml with its numbers',
    ],
    notes: ["refused release +85281239901"],
  },
  {
    name: "noReturn: a list that releases takes the number over",
    before: [usual, closed],
    was: { "closed.csv": "number\n+85281239901\n+85281239902\n" },
    after: [usual, closed],
    is: { "closed.csv": "number\n+85281239902\n", "police.csv": `${police}+85281239901\n` },
    issues: [
      'closed.csv:2:1 number: +85281239901 is taken out of list "closed"; the list in force says noReturn: put them back',
    ],
    notes: ["refused release +85281239901"],
  },
  {
    name: "noReturn: the list has another name and no noReturn",
    before: [closed],
    was: { "closed.csv": "number\n+85281239901\n" },
    after: [closed.replace("closed:", "shut:").replace("noReturn: true, ", "")],
    is: {},
    issues: [
      'closed.csv:2:1 number: +85281239901 is taken out of list "closed"; the list is gone, and it says noReturn: put it back into policy.yaml with its numbers',
    ],
    notes: ["refused release +85281239901"],
  },
  {
    name: "near miss: another name with noReturn",
    before: [closed],
    was: { "closed.csv": "number\n+85281239901\n" },
    after: [closed.replace("closed:", "shut:")],
    is: {},
  },
];

void tap.test("what a new policy takes out of lists in custody", async (t) => {
  for (const { name, before = [usual], was = {}, after = [usual], is, issues = [], notes = [] } of rows) {
    const files = { "police.csv": police, "releases.csv": head, ...was };
    const inForce = custodyOf(load(before, files));
    const change = findTakenOut(inForce, load(after, { ...files, ...is }), NOW);
    t.strictSame(printed(change.issues), issues, name);
    const told = change.notes.map(({ what, number, by, order, listLine }) =>
      [what, number, ...(by === undefined ? [] : ["by", by, order, listLine])].join(" "),
    );
    t.strictSame(told, notes, `${name}: records`);
  }
});

void tap.test("a thousand numbers have lines, the rest is counted", async (t) => {
  const numbers = Array.from(
    { length: 1500 },
    (_, index) => `+8528123${String(index * 2).padStart(4, "0")}\n`,
  );
  const inForce = custodyOf(
    load([usual], { "police.csv": `number\n${numbers.join("")}95588\n`, "releases.csv": head }),
  );
  const { issues, notes } = findTakenOut(
    inForce,
    load([usual], { "police.csv": "number\n95588\n", "releases.csv": head }),
    NOW,
  );
  t.match(issues[0]?.message, /^\+85281230000, .* and 1495 more are taken out/);
  t.equal(notes.length, 1000);
  t.equal(notes.at(-1)?.more, 500);
});

void tap.test("a file of releases is a part of the policy: another one, another revision", async (t) => {
  const one = load([usual], { "releases.csv": head });
  const other = load([usual], { "releases.csv": head + release("95588") });
  t.not(one.revision, other.revision);
});
