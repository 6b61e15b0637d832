import tap, { type Test } from "tap";
import { joinCircuits, readCircuits } from "../../src/config/policy/keys/match-schema.ts";
import { readPointCode } from "../../src/config/policy/keys/point-code.ts";
import { parseNetwork } from "../../src/net/address.ts";
import { describeEntry, findTies } from "../../src/policy/match-ties.ts";
import { createMatcher, type MatchEntry, type RoutingLabel } from "../../src/policy/trunk-match.ts";

type Keys = Partial<
  Record<"opc" | "dpc" | "ni" | "networkAppearance", readonly number[]> &
    Record<"cic", readonly (string | number)[]>
>;

/** An entry of one peer, told apart by these keys of the label. */
function entry(target: string, { cic, ...keys }: Keys = {}, address = "192.0.2.7"): MatchEntry<string> {
  const network = parseNetwork(address);
  if (typeof network === "string") throw new Error(network);
  return {
    target,
    network,
    ports: undefined,
    listener: undefined,
    ...keys,
    ...(cic === undefined ? {} : { cic: joinCircuits(cic) }),
  };
}

const isup: RoutingLabel = { opc: 1, dpc: 9, cic: 14, ni: 2, networkAppearance: -1 };

/** Tests what messages each of the entries gets, whatever their order. */
function matches(
  t: Test,
  entries: readonly MatchEntry<string>[],
  rows: readonly (readonly [label: Partial<RoutingLabel>, target: string | undefined])[],
): void {
  for (const order of [entries, entries.toReversed()]) {
    const match = createMatcher(order, 10);
    for (const [label, target] of rows)
      t.equal(
        match("", "192.0.2.7", 2905, undefined, { ...isup, ...label }),
        target,
        JSON.stringify({ ...isup, ...label }),
      );
  }
}

void tap.test("point codes tell trunks on one association apart; SIP has none", async (t) => {
  const entries = [
    entry("any"),
    entry("to-9", { dpc: [9] }),
    entry("from-1", { opc: [1] }),
    entry("1-to-9", { opc: [1, 2], dpc: [9] }),
  ];
  matches(t, entries, [
    [{ opc: 1, dpc: 9 }, "1-to-9"],
    [{ opc: 2, dpc: 9 }, "1-to-9"],
    [{ opc: 1, dpc: 8 }, "from-1"],
    [{ opc: 2, dpc: 8 }, "any"],
    [{ opc: 3, dpc: 9 }, "to-9"],
    [{ opc: 9, dpc: 1 }, "any"],
  ]);
  t.equal(createMatcher(entries, 10)("", "192.0.2.7", 2905), "any", "a message without label");
  t.equal(createMatcher(entries.slice(1), 10)("", "192.0.2.7", 2905), undefined);
});

void tap.test("circuits tell trunk groups of one pair of exchanges apart", async (t) => {
  const entries = [
    entry("bank", { opc: [1], cic: ["1-30", 64] }),
    entry("shop", { opc: [1], cic: ["33-62"] }),
    entry("desk", { opc: [1], cic: ["5-6"] }),
    entry("rest", { opc: [1] }),
  ];
  matches(t, entries, [
    [{ cic: 0 }, "rest"],
    [{ cic: 1 }, "bank"],
    [{ cic: 4 }, "bank"],
    [{ cic: 5 }, "desk"],
    [{ cic: 6 }, "desk"],
    [{ cic: 7 }, "bank"],
    [{ cic: 30 }, "bank"],
    [{ cic: 31 }, "rest"],
    [{ cic: 32 }, "rest"],
    [{ cic: 33 }, "shop"],
    [{ cic: 62 }, "shop"],
    [{ cic: 63 }, "rest"],
    [{ cic: 64 }, "bank"],
    [{ cic: 65 }, "rest"],
    [{ opc: 2, cic: 1 }, undefined],
    // SCCP and network management have no circuit: the narrowest entry is as good as any.
    [{ cic: -1 }, "desk"],
  ]);
});

void tap.test("network indicator and network appearance", async (t) => {
  const entries = [
    entry("national", { ni: [2, 3] }),
    entry("international", { ni: [0] }),
    entry("seven", { networkAppearance: [7, 8] }),
    entry("seven-abroad", { networkAppearance: [7], ni: [0] }),
  ];
  matches(t, entries, [
    [{ ni: 0 }, "international"],
    [{ ni: 1 }, undefined],
    [{ ni: 2 }, "national"],
    [{ ni: 3 }, "national"],
    [{ ni: 2, networkAppearance: 7 }, "seven"],
    [{ ni: 1, networkAppearance: 8 }, "seven"],
    [{ ni: 0, networkAppearance: 8 }, "seven"],
    [{ ni: 0, networkAppearance: 7 }, "seven-abroad"],
    // A message without an appearance, and one with another.
    [{ ni: 1, networkAppearance: -1 }, undefined],
    [{ ni: 0, networkAppearance: 9 }, "international"],
    [{ ni: 0, networkAppearance: 0 }, "international"],
  ]);
});

void tap.test("the more specific key wins: opc, dpc, circuits, appearance, indicator", async (t) => {
  const keys: readonly Keys[] = [
    { opc: [1] },
    { dpc: [9] },
    { cic: ["14"] },
    { cic: ["10-20"] },
    { networkAppearance: [7] },
    { ni: [2] },
  ];
  for (const [index, winner] of keys.entries())
    for (const loser of keys.slice(index + 1))
      matches(t, [entry("winner", winner), entry("loser", loser)], [[{ networkAppearance: 7 }, "winner"]]);
});

void tap.test("ties of labels", async (t) => {
  const rows: readonly (readonly [name: string, one: Keys, other: Keys, claim: string | undefined])[] = [
    [
      "one point code in common",
      { opc: [1, 2], dpc: [9] },
      { opc: [2], dpc: [8, 9] },
      " from point code 2 to point code 9",
    ],
    ["other point codes", { opc: [1], dpc: [9] }, { opc: [1], dpc: [8] }, undefined],
    ["the same circuits", { cic: ["1-30"] }, { cic: ["1-30"] }, ", circuit 1-30"],
    ["the same circuits in other words", { cic: ["1-30"] }, { cic: ["16-30", "1-15"] }, ", circuit 1-30"],
    ["circuits that overlap", { cic: ["1-30"] }, { cic: ["30-60"] }, ", circuit 30"],
    ["circuits that overlap twice", { cic: ["1-30", 64] }, { cic: ["29-40", "64-70"] }, ", circuit 29-30 64"],
    ["circuits side by side", { cic: ["1-30"] }, { cic: ["31-60"] }, undefined],
    // The smaller range is the more specific one.
    ["circuits within others", { cic: ["1-30"] }, { cic: ["30"] }, undefined],
    ["circuits within others, in parts", { cic: ["1-30"] }, { cic: ["2-4", "6-8"] }, undefined],
    [
      "a range of all calls of BICC",
      { cic: ["0-4294967295"] },
      { cic: ["4294967295-4294967295"] },
      undefined,
    ],
    ["circuits against none", { cic: ["1-30"] }, {}, undefined],
    ["circuits, other point codes", { opc: [1], cic: ["1-30"] }, { opc: [2], cic: ["1-30"] }, undefined],
    ["circuits, other indicators", { ni: [0], cic: ["1-30"] }, { ni: [2], cic: ["1-30"] }, undefined],
    ["an indicator in common", { ni: [0, 2] }, { ni: [2, 3] }, ", network indicator 2"],
    ["other indicators", { ni: [0] }, { ni: [2] }, undefined],
    ["an indicator against none", { ni: [0] }, {}, undefined],
    [
      "an appearance in common",
      { networkAppearance: [7, 8] },
      { networkAppearance: [8, 7] },
      ", network appearance 7 8",
    ],
    ["other appearances", { networkAppearance: [7] }, { networkAppearance: [8] }, undefined],
    // Both match a message with appearance 7 and indicator 2, and the appearance decides.
    ["an appearance against an indicator", { networkAppearance: [7] }, { ni: [2] }, undefined],
    [
      "everything in common",
      { opc: [1], cic: ["1-30"], networkAppearance: [7], ni: [2] },
      { opc: [1], cic: ["20-60"], networkAppearance: [7], ni: [2, 3] },
      " from point code 1, circuit 20-30, network appearance 7, network indicator 2",
    ],
  ];
  for (const [name, one, other, claim] of rows) {
    const ties = findTies([entry("x", one), entry("y", other)]);
    t.strictSame(
      ties.map((tie) => `${tie.first} ${tie.second} ${tie.claim}`),
      claim === undefined ? [] : [`x y 192.0.2.7${claim}`],
      name,
    );
    t.equal(findTies([entry("y", other), entry("x", one)]).length, ties.length, `${name}, turned`);
  }
  t.strictSame(
    findTies([
      entry("a", { cic: ["1-10"] }),
      entry("b", { cic: ["10-19"] }),
      entry("c", { cic: ["19-28"] }),
      entry("d", { cic: ["28-37"] }, "192.0.2.8"),
    ]).map(({ first, second }) => first + second),
    ["ab", "bc"],
    "each pair that overlaps",
  );
});

void tap.test("4,000 trunks of one peer are compared in no time, sound and broken", async (t) => {
  const before = process.cpuUsage().user;
  const each = Array.from({ length: 4000 }, (_, index) => index);
  t.equal(findTies(each.map((index) => entry(`t${index}`, { cic: [index] }))).length, 0);
  t.equal(findTies(each.map((index) => entry(`t${index}`, { cic: ["0-4000"] }))).length, 3999);
  t.ok(process.cpuUsage().user - before < 10_000_000);
});

void tap.test("an entry in words", async (t) => {
  t.equal(describeEntry(entry("x")), "192.0.2.7");
  t.equal(
    describeEntry(
      entry("x", { opc: [1, 2], dpc: [9], cic: ["1-30", "64"], networkAppearance: [7], ni: [2] }),
    ),
    "192.0.2.7 from point code 1 2 to point code 9, circuit 1-30 64, network appearance 7, network indicator 2",
  );
});

void tap.test("circuits as they are written", async (t) => {
  for (const [written, first, last] of [
    [64, 64, 64],
    ["64", 64, 64],
    ["1-30", 1, 30],
    ["0-0", 0, 0],
    ["0-4294967295", 0, 0xffff_ffff],
  ] as const)
    t.strictSame(readCircuits(written), [{ first, last }], String(written));
  for (const written of [
    "",
    "-",
    "1-",
    "-1",
    "30-1",
    "1-2-3",
    "01-30",
    "1 - 30",
    "1..30",
    "0x10",
    "4294967296",
    "1-4294967296",
    "1e3",
    "a",
  ])
    t.strictSame(readCircuits(written), [], written);
  t.strictSame(
    joinCircuits(["31-60", 64, "1-30", "20-25", 66]),
    [
      { first: 1, last: 60 },
      { first: 64, last: 64 },
      { first: 66, last: 66 },
    ],
    "ranges that overlap or touch become one",
  );
});

void tap.test("point codes as they are written", async (t) => {
  for (const [written, code] of [
    [2055, 2055],
    [0, 0],
    [0xff_ffff, 0xff_ffff],
    ["24:10-11-1", 0x0a_0b01],
    ["14:3-146-2", 3 * 2048 + 146 * 8 + 2],
    ["14:7-255-7", 16_383],
    [-1, undefined],
    [1.5, undefined],
    [0x100_0000, undefined],
    ["10-11-1", undefined],
    ["24:10-11", undefined],
    ["24:10-11-1-1", undefined],
    ["24:256-0-0", undefined],
    ["24:01-0-0", undefined],
    ["14:8-0-0", undefined],
    ["14:0-0-8", undefined],
    ["24:a-b-c", undefined],
  ] as const)
    t.same(readPointCode(written), code === undefined ? [] : [code], String(written));
});
