import t from "tap";
import type { DenyList } from "../../src/screening/rule.ts";
import { compileScreen } from "../../src/screening/chain/screen.ts";
import {
  type AttemptSpec,
  makeAttempt,
  makeChain,
  makeDenyList,
  makeState,
  makeTables,
  makeTrunk,
  NOW,
  setEveryRule,
} from "../support/attempt.ts";
import { testRule } from "../support/rule-table.ts";

const police = makeDenyList("police", "police", [
  "+85281234567",
  "+442079460000..+442079460099",
  "95588",
  { number: "+85281234568", validFrom: NOW + 1 },
  { number: "+85281234569", validTo: NOW },
]);
const scores = makeDenyList("deny", "scores", ["+85281234567", "+85281234570"]);
const tables = { denyLists: [scores, police] };

testRule("deny-lists", [
  { name: "no lists", tables: { denyLists: [] }, calling: ["from +85281234567"], says: "abstains" },
  { name: "on no list", tables, says: "abstains" },
  {
    name: "on both: the police notice is told",
    tables,
    calling: ["from +85281234567"],
    says: "reject police-listed",
  },
  { name: "on the other list", tables, calling: ["from +85281234570"], says: "reject denylisted" },
  { name: "another spelling", tables, calling: ["from 00852-8123-4567"], says: "reject police-listed" },
  { name: "a neighbour", tables, calling: ["from +85281234566"], says: "abstains" },
  { name: "first of a range", tables, calling: ["from +442079460000"], says: "reject police-listed" },
  { name: "last of a range", tables, calling: ["from +442079460099"], says: "reject police-listed" },
  { name: "behind a range", tables, calling: ["from +442079460100"], says: "abstains" },
  { name: "a short code", tables, calling: ["from 95588"], says: "reject police-listed" },
  {
    name: "a neighbour of the code behind an area code",
    tables,
    calling: ["from 01095589"],
    says: "abstains",
  },
  {
    name: "a subscriber number that begins like the code",
    tables,
    calling: ["from 09552345588"],
    says: "abstains",
  },
  { name: "not yet in force", tables, calling: ["from +85281234568"], says: "abstains" },
  {
    name: "in force a moment later",
    at: NOW + 1,
    tables,
    calling: ["from +85281234568"],
    says: "reject police-listed",
  },
  { name: "no longer in force", tables, calling: ["from +85281234569"], says: "abstains" },
  {
    name: "any field",
    tables,
    calling: ["pai +861087654321", "rpid +85281234567"],
    says: "reject police-listed",
  },
  {
    name: "also a field that doesn't count",
    trunk: { identity: "presented" },
    tables,
    calling: ["pai +85281234567", "from +861087654321"],
    says: "reject police-listed",
  },
  { name: "also a diverting party", tables, diversion: ["div +85281234567"], says: "reject police-listed" },
  { name: "no number", tables, calling: ["from alice"], says: "abstains" },
]);

/** Lists with notices, and an order whose rows have none but the second. */
const police2026: DenyList = {
  ...makeDenyList("police", "police", [
    { number: "+85281234567", mark: 1 },
    { number: "+85281234568", mark: 2 },
    { number: "+85281234569", mark: 0 },
    { number: "+85281234500..+85281234509", mark: 2 },
  ]),
  notices: ["公刑通2026-114", "公刑通2026-131"],
};
const closed: DenyList = {
  ...makeDenyList("shutdown", "closed", [
    { number: "+85281234567", mark: 0 },
    { number: "+85281234570", mark: 0 },
    { number: "+85281234571", mark: 1 },
  ]),
  order: "GT-2026-7",
  notices: ["GT-2026-8"],
};

void t.test("the notice of the row that decided, or the order of its list", async (t) => {
  const trunk = makeTrunk();
  const chain = { ...setEveryRule("off"), "deny-lists": { mode: "enforce" as const, options: {} } };
  const screen = compileScreen(chain, makeTables(trunk, { denyLists: [closed, police2026] }), "r1");
  for (const [caller, reason, list, notice] of [
    ["+85281234567", "police-listed", "police", "公刑通2026-114"],
    ["+85281234568", "police-listed", "police", "公刑通2026-131"],
    ["+85281234505", "police-listed", "police", "公刑通2026-131"],
    ["+85281234569", "police-listed", "police", undefined],
    ["+85281234570", "police-listed", "closed", "GT-2026-7"],
    ["+85281234571", "police-listed", "closed", "GT-2026-8"],
  ] as const) {
    const { verdict } = screen.judge(makeAttempt(trunk, { calling: [`from ${caller}`] }), makeState());
    t.equal(verdict.reason, reason, caller);
    t.equal(verdict.facts?.["list"], list, caller);
    t.equal(verdict.facts?.["notice"], notice, caller);
  }
});

/** A code, and every way to write it. Each must be found under each, and no neighbour under any. */
const spellings: readonly (readonly [
  code: string,
  spellings: readonly string[],
  neighbours: readonly string[],
])[] = [
  [
    "95599",
    [
      "95599",
      "+8695599",
      "008695599",
      "8695599",
      "01095599",
      "010-95599",
      "+861095599",
      "+86(10)95599",
      "021.95599",
      "0086755-95599",
      "95599;phone-context=+86",
      "95599;phone-context=+8610",
    ],
    ["95598", "955991", "9559", "01095598", "010955991", "+8695598", "+869552345599"],
  ],
  ["96169", ["96169", "+8696169", "01096169", "+862096169"], ["96168", "961690", "01096168"]],
  ["96110", ["96110", "+8696110", "01096110", "+862796110"], ["96111", "961100"]],
  ["12345", ["12345", "+8612345", "01012345", "027-12345", "+862712345"], ["12346", "12344", "01012346"]],
  ["10086", ["10086", "+8610086", "008610086", "02710086", "+8675510086"], ["10085", "02710085"]],
  ["110", ["110", "+86110", "010110", "+8610110", "027110", "755110"], ["119", "10110", "010119", "1100"]],
  ["114", ["114", "+86114", "010114", "027114"], ["10114", "118114"]],
  ["118114", ["118114", "+86118114", "010118114"], ["118115", "11811"]],
  [
    "4008208820",
    ["4008208820", "+864008208820", "00864008208820", "864008208820", "400-820-8820"],
    ["4008208821"],
  ],
  ["10101234", ["10101234", "+8610101234"], ["10101235"]],
];

void t.test("deny lists: a code is found however list and caller write it", (t) => {
  const trunk = makeTrunk({ side: "national" });
  const judge = (listed: string, user: string): string => {
    const denyLists = [makeDenyList("police", "police", [listed])];
    const chain = { ...setEveryRule("off"), "deny-lists": { mode: "enforce", options: {} } } as const;
    const screen = compileScreen(chain, makeTables(trunk, { denyLists }), "r1");
    return screen.judge(makeAttempt(trunk, { calling: [`from ${user}`] }), makeState()).verdict.reason;
  };
  for (const [code, users, neighbours] of spellings) {
    for (const listed of users.filter((user) => !user.includes(";"))) {
      for (const user of users)
        t.equal(judge(listed, user), "police-listed", `${code}: ${listed} finds ${user}`);
      for (const user of neighbours)
        t.equal(judge(listed, user), "default", `${code}: ${listed} is not ${user}`);
    }
  }
  t.end();
});

/** Spellings that no plan allows, and in which an element may find 95599 or +8613900001111. */
const unreadable: readonly string[] = [
  "+86(0)95599",
  "+86(0)1095599",
  "+86001095599",
  "0095599",
  "+95599",
  "95599#",
  "95599F",
  "*95599",
  "95599*1",
  "95599%20",
  "9%205599",
  "95599:1",
  "95599%40h",
  "95599bank",
  "%EF%BC%99%EF%BC%95%EF%BC%95%EF%BC%99%EF%BC%99",
  "\xd9\xa9\xd9\xa5\xd9\xa5\xd9\xa9\xd9\xa9",
  "9SS99",
  "l3900001111",
  "+86139OOOO1111",
  "95599;phone-context=+1",
  "95599;phone-context=other.example",
  "000861095599",
  "+86(0)13900001111",
  "0013900001111#",
  "013900001111x",
  "008601390000-1111",
  "*31*95599",
  "#31#013900001111",
  "1795195599",
  "17951095599",
  "+8617951013900001111",
  "12593-13900001111",
  "1019301095599",
];

/** Near misses: nobody's number, a neighbour's, a name. */
const unlisted: readonly string[] = [
  "+86(0)95598",
  "9SS98",
  "%EF%BC%99%EF%BC%95%EF%BC%95%EF%BC%99%EF%BC%98",
  "95598#",
  "+86(0)13900001112",
  "8001",
  "4321#",
  "9559",
  "x9559",
  "alice",
  "pbx01",
  "195599",
  "+44(0)95598",
  "*31*95598",
  "1795195598",
  "1785195599",
  "1259495599",
];

void t.test("deny lists: a number that can't be read is found by its digits, in every field", (t) => {
  const trunk = makeTrunk({ side: "national" });
  const denyLists = [makeDenyList("police", "police", ["95599", "+8613900001111"])];
  const chain = { ...setEveryRule("off"), "deny-lists": { mode: "enforce", options: {} } } as const;
  const screen = compileScreen(chain, makeTables(trunk, { denyLists }), "r1");
  const judge = (spec: AttemptSpec): string =>
    screen.judge(makeAttempt(trunk, spec), makeState()).verdict.reason;
  for (const [users, says] of [
    [unreadable, "police-listed"],
    [unlisted, "default"],
  ] as const)
    for (const user of users) {
      t.equal(judge({ calling: [`from ${user}`] }), says, `caller ${user}`);
      t.equal(judge({ diversion: [`div ${user}`] }), says, `diverting party ${user}`);
      t.equal(judge({ diversion: ["div +8613812345678", `div ${user}`] }), says, `an earlier one ${user}`);
    }
  t.end();
});

void t.test("a deny list comes before the lessee's list", (t) => {
  const trunk = makeTrunk();
  const denyLists = [makeDenyList("deny", "scores", ["+861087654321"])];
  const screen = compileScreen(makeChain(), makeTables(trunk, { denyLists }), "r1");
  const { verdict, rule } = screen.judge(makeAttempt(trunk), makeState());
  t.match({ verdict, rule }, { verdict: { kind: "reject", reason: "denylisted" }, rule: "deny-lists" });
  t.end();
});
