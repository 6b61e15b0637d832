import t from "tap";
import { compileScreen } from "../../src/screening/chain/screen.ts";
import {
  makeAttempt,
  makeChain,
  makeSpecialUser,
  makeState,
  makeTables,
  makeTrunk,
  NOW,
} from "../support/attempt.ts";
import { sayVerdict, testRule, type Row } from "../support/rule-table.ts";

const listed = "+861087654321";
const hidden = "reject cli-hidden";
const special = { specialUsers: [makeSpecialUser(listed)] };

testRule("hidden-caller", [
  { name: "a number shown", calling: [`pai ${listed}`, `from ${listed}`], says: "abstains" },
  { name: "Privacy: id", privacy: ["id"], says: hidden },
  { name: "Privacy: user", privacy: ["user"], says: hidden },
  { name: "Privacy: id;critical", privacy: ["id", "critical"], says: hidden },
  { name: "Privacy: none asks for nothing", privacy: ["none"], says: "abstains" },
  { name: "none beside id: the stricter one wins", privacy: ["none", "id"], says: hidden },
  { name: "critical alone only strengthens", privacy: ["critical"], says: "abstains" },
  ...(["header", "session", "history"] as const).flatMap((value): Row[] => [
    { name: `Privacy: ${value}, default`, privacy: [value], says: "abstains" },
    { name: `Privacy: ${value}, by option`, privacy: [value], options: { privacy: [value] }, says: hidden },
  ]),
  {
    name: "session by option says nothing of history",
    privacy: ["history"],
    options: { privacy: ["session"] },
    says: "abstains",
  },
  {
    name: "a field of any kind that is restricted",
    calling: [`from ${listed}`, `ppi ${listed}!`],
    says: hidden,
  },
  {
    name: "also a field that doesn't count on the trunk",
    trunk: { identity: "presented" },
    calling: [`pai ${listed}!`, `from ${listed}`],
    says: hidden,
  },
  { name: "unavailable is absent, not hidden", calling: [`from ${listed}`, "isup ?"], says: "abstains" },
  { name: "no number is absent, not hidden", calling: ["from alice"], says: "abstains" },
  { name: "no identity at all is absent", calling: [], says: "abstains" },
  // paiCuresAnonymousFrom
  { name: "a clean PAI cures nothing", calling: [`pai ${listed}`, "from anonymous"], says: hidden },
  {
    name: "by option it does",
    calling: [`pai ${listed}`, "from anonymous"],
    options: { paiCuresAnonymousFrom: true },
    says: "abstains",
  },
  {
    name: "but not one that is restricted itself",
    calling: [`pai ${listed}!`, "from anonymous"],
    options: { paiCuresAnonymousFrom: true },
    says: hidden,
  },
  {
    name: "nor one without a number",
    calling: ["pai alice", "from anonymous"],
    options: { paiCuresAnonymousFrom: true },
    says: hidden,
  },
  {
    name: "nor a number in another field",
    calling: [`rpid ${listed}`, "from anonymous"],
    options: { paiCuresAnonymousFrom: true },
    says: hidden,
  },
  {
    name: "nor does it cure Privacy: id",
    calling: [`pai ${listed}`, "from anonymous"],
    privacy: ["id"],
    options: { paiCuresAnonymousFrom: true },
    says: hidden,
  },
  // special users
  { name: "a special user may hide", privacy: ["id"], tables: special, says: "abstains" },
  {
    name: "in every field",
    calling: [`pai ${listed}!`, `from 010-8765-4321!`],
    tables: special,
    says: "abstains",
  },
  {
    name: "with an anonymous From beside its PAI",
    calling: [`pai ${listed}!`, "from anonymous"],
    tables: special,
    says: "abstains",
  },
  {
    name: "not when From is another number",
    calling: [`pai ${listed}!`, "from +861087654322"],
    tables: special,
    says: hidden,
  },
  {
    name: "not when From is the special user and PAI another number",
    calling: ["pai +861087654322!", `from ${listed}`],
    tables: special,
    says: hidden,
  },
  {
    name: "not when a second PAI is another number",
    calling: [`pai ${listed}!`, "pai +861087654322"],
    tables: special,
    says: hidden,
  },
  {
    name: "not when From is something like a number",
    calling: [`pai ${listed}!`, "from 12345678901234567"],
    tables: special,
    says: hidden,
  },
  {
    name: "not when a PAI has no number",
    calling: [`pai anonymous`, `from ${listed}!`],
    tables: special,
    says: hidden,
  },
  { name: "not for its neighbour", calling: ["from +861087654322!"], tables: special, says: hidden },
  { name: "not when nobody says a number", calling: ["from anonymous"], tables: special, says: hidden },
  { name: "to the last moment", at: NOW + 86_399_999, privacy: ["id"], tables: special, says: "abstains" },
  { name: "and not beyond", at: NOW + 86_400_000, privacy: ["id"], tables: special, says: hidden },
]);

void t.test(
  "hidden-caller: a word or an indicator that hides is enough, whatever the field's presentation says",
  (t) => {
    const trunk = makeTrunk();
    const screen = compileScreen(makeChain(), makeTables(trunk), "r1");
    for (const why of ["token", "restricted", "unavailable"] as const) {
      const attempt = makeAttempt(trunk, { calling: [`pai ${listed}`] });
      const number = { kind: "unusable", why, detail: why, raw: "" } as const;
      const calling = [...attempt.calling, { source: "from", number, presentation: "allowed" } as const];
      const decision = screen.judge({ ...attempt, calling }, makeState());
      t.equal(sayVerdict(decision), why === "unavailable" ? "accept listed" : hidden, why);
    }
    t.end();
  },
);

/** Protocol reference, section 2: every form of a hidden or empty caller, through the whole chain. */
void t.test("hidden and empty callers, H1 to H18", (t) => {
  const absent = "reject cli-absent";
  const malformed = "reject cli-malformed";
  const rows: readonly (readonly [
    form: string,
    calling: readonly string[],
    says: string,
    more?: Partial<Row>,
  ])[] = [
    ["H1 anonymous From", ["from anonymous"], hidden],
    ["H1 with a clean PAI", [`pai ${listed}`, "from Anonymous"], hidden],
    ["H1 by host or display name, number shown", [`from ${listed}!`], hidden],
    ["H2 unavailable", ["from unavailable"], hidden],
    ["H2 restricted", ["from restricted"], hidden],
    ["H2 unknown", ["from unknown"], hidden],
    ["H2 near miss: unknowns", ["from unknowns"], absent],
    ["H3 Privacy: id", [`pai ${listed}!`, `from ${listed}!`], hidden, { privacy: ["id"] }],
    ["H4 Privacy: user", [`from ${listed}`], hidden, { privacy: ["user"] }],
    ["H4 Privacy: header;session", [`from ${listed}`], "accept listed", { privacy: ["header", "session"] }],
    ["H5 Privacy: history", [`from ${listed}`], "accept listed", { privacy: ["history"] }],
    ["H6 RPID privacy=full", [`rpid ${listed}!`, `from ${listed}`], hidden],
    ["H7 no user part", ["from "], absent],
    ["H7 with a PAI", [`pai ${listed}`, "from "], "accept listed"],
    ["H8 tel:+", ["from +"], absent],
    ["H8 tel:;phone-context=+86", ["from ;phone-context=+86"], absent],
    ["H9 a name", ["from alice"], absent],
    ["H9 with a PAI", [`pai ${listed}`, "from alice"], "accept listed"],
    ["H10 no user=phone", [`from ${listed}`], "accept listed"],
    ["H11 number only in the display name", ["from anonymous"], hidden],
    ["H12 dummy digits", ["from 0000000000"], malformed],
    ["H12 +86", ["from +86"], malformed],
    ["H12 beside a clean PAI", [`pai ${listed}`, "from 0000000000"], malformed],
    ["H13 no parameter", [], absent],
    ["H14 APRI 1", ["isup !"], hidden],
    ["H15 APRI 2", ["isup ?"], absent],
    [
      "H15 APRI 2 beside SIP headers: the ISUP part is not listed",
      [`from ${listed}`, "isup ?"],
      "reject cli-not-listed",
    ],
    ["H16 incomplete", ["isup 108765"], malformed],
    ["H16 zero digits", ["isup "], absent],
    ["H17 restricted line identity", [`isup ${listed}!`], hidden],
    ["H18 PAI shown, ISUP restricted", [`pai ${listed}`, `from ${listed}`, "isup !"], hidden],
    ["H18 the reverse", [`pai ${listed}!`, `from ${listed}`, `isup ${listed}`], hidden],
  ];
  const trunk = makeTrunk();
  const screen = compileScreen(makeChain(), makeTables(trunk), "r1");
  for (const [form, calling, says, more] of rows) {
    t.equal(sayVerdict(screen.judge(makeAttempt(trunk, { ...more, calling }), makeState())), says, form);
  }
  t.end();
});
