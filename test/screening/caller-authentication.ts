import { makeList, NOW } from "../support/attempt.ts";
import { testRule, type Row } from "../support/rule-table.ts";

const notListed = "reject cli-not-listed";
const expired = "reject cli-expired";
/** Mark 1 is for the trunk of these tests, mark 2 for another. */
const tied = {
  ...makeList("acme", [
    { number: "+861066660001", mark: 1 },
    { number: "+861066660002", mark: 2 },
    "+861066660003",
    { number: "+861066660004", mark: 2 },
    { number: "+861066660004", mark: 1 },
    { number: "+861066661005", mark: 2 },
    "+861066661000..+861066661099",
    { number: "+861066662000..+861066662099", mark: 2 },
    { number: "+861066660006", mark: 2, validTo: NOW },
    { number: "+861066660007", mark: 1, validTo: NOW },
    { number: "+861066660007", mark: 2 },
    { number: "+861066660008", mark: 2, mayForward: true },
  ]),
  onTrunk: Uint8Array.from([1, 1, 0]),
  trunkSets: ["gw-1", "gw-2 gw-3"],
};
const DAY = 86_400_000;
const verifiedWithin30 = { verifiedWithinDays: 30 };

testRule("caller-authentication", [
  { name: "in a range", calling: ["from +861087654321"], says: "abstains" },
  { name: "first of a range", calling: ["from +861087654300"], says: "abstains" },
  { name: "before a range", calling: ["from +861087654299"], says: notListed },
  { name: "last of a range", calling: ["from +861087654399"], says: "abstains" },
  { name: "behind a range", calling: ["from +861087654400"], says: notListed },
  { name: "exact", calling: ["from +861088881234"], says: "abstains" },
  { name: "one digit off", calling: ["from +861088881235"], says: notListed },
  { name: "under a prefix", calling: ["from +861069990012"], says: "abstains" },
  { name: "beside a prefix", calling: ["from +861069990112"], says: notListed },
  { name: "a code", calling: ["from 95588"], says: "abstains" },
  { name: "another code", calling: ["from 95589"], says: notListed },
  ...["+8695588", "008695588", "8695588", "01095588", "010-95588", "+861095588", "+86 (755) 95588"].map(
    (user): Row => ({
      name: `the code as ${user}`,
      calling: [`from ${user.replaceAll(" ", "")}`],
      says: "abstains",
    }),
  ),
  { name: "another code behind the area code", calling: ["from 01095589"], says: notListed },
  { name: "the code and a digit", calling: ["from 010955881"], says: notListed },
  { name: "the code of an emergency service", calling: ["from 110"], says: notListed },
  { name: "… behind an area code", calling: ["from 010110"], says: notListed },
  { name: "the code against fraud", calling: ["from 96110"], says: notListed },
  { name: "in national form", calling: ["from 01087654321"], says: "abstains" },
  { name: "in local form", calling: ["from 87654321"], says: "abstains" },
  { name: "with separators", calling: ["from +86(10)8765-4321"], says: "abstains" },
  { name: "a foreign number", calling: ["from +442079460000"], says: notListed },
  // Every asserted identity.
  { name: "both listed", calling: ["pai +861087654321", "from +861088881234"], says: "abstains" },
  { name: "From forged", calling: ["pai +861087654321", "from +861012345678"], says: notListed },
  { name: "PAI forged", calling: ["pai +8613912345678", "from +861087654321"], says: notListed },
  {
    name: "the second PAI forged",
    calling: ["pai +861087654321", "pai +8613912345678", "from +861087654321"],
    says: notListed,
  },
  { name: "RPID forged", calling: ["rpid 95566", "from +861087654321"], says: notListed },
  { name: "P-Preferred-Identity forged", calling: ["ppi 95566", "from +861087654321"], says: notListed },
  { name: "generic number forged", calling: ["isup +861087654321", "generic 95566"], says: notListed },
  // No number satisfies nothing.
  {
    name: "From is a name beside a listed PAI",
    calling: ["pai +861087654321", "from alice"],
    says: "abstains",
  },
  {
    name: "From is anonymous beside a listed PAI, where hidden-caller is off",
    calling: ["pai +861087654321", "from anonymous"],
    says: "abstains",
  },
  {
    name: "From is something like a number, where caller-form is off",
    calling: ["pai +861087654321", "from 8001"],
    says: notListed,
  },
  { name: "From alone is a name", calling: ["from alice"], says: notListed },
  {
    name: "PAI is a name beside a listed From",
    calling: ["pai alice", "from +861087654321"],
    says: "abstains",
  },
  { name: "and beside a forged one", calling: ["pai alice", "from +8613912345678"], says: notListed },
  {
    name: "sip and tel of one PAI (RFC 3325 section 9.1)",
    calling: ["pai cullen.jennings", "pai +861087654321", "from anonymous2"],
    says: "abstains",
  },
  {
    name: "the tel of the pair is judged",
    calling: ["pai cullen.jennings", "pai +8613912345678", "from +861087654321"],
    says: notListed,
  },
  {
    name: "near miss: a PAI that hides, where hidden-caller is off",
    calling: ["pai anonymous", "from +861087654321"],
    says: notListed,
  },
  { name: "PAI without a user part", calling: ["pai ", "from +861087654321"], says: "abstains" },
  {
    name: "near miss: a PAI with something like a number",
    calling: ["pai 8001", "from +861087654321"],
    says: notListed,
  },
  { name: "ISUP says nothing", calling: ["from +861087654321", "isup ?"], says: notListed },
  { name: "nobody", calling: [], says: notListed },
  // Which identities count.
  {
    name: "presented: From",
    trunk: { identity: "presented" },
    calling: ["pai +8613912345678", "from +861087654321"],
    says: "abstains",
  },
  {
    name: "presented: From forged",
    trunk: { identity: "presented" },
    calling: ["pai +861087654321", "from +8613912345678"],
    says: notListed,
  },
  {
    name: "presented: From is a name",
    trunk: { identity: "presented" },
    calling: ["pai +861087654321", "from alice"],
    says: notListed,
  },
  {
    name: "pai-first: PAI",
    trunk: { identity: "pai-first" },
    calling: ["pai +861087654321", "from +8613912345678"],
    says: "abstains",
  },
  {
    name: "pai-first: every PAI",
    trunk: { identity: "pai-first" },
    calling: ["pai +861087654321", "pai +8613912345678"],
    says: notListed,
  },
  {
    name: "pai-first: the tel of a pair",
    trunk: { identity: "pai-first" },
    calling: ["pai alice", "pai +861087654321", "from 8001"],
    says: "abstains",
  },
  {
    name: "pai-first: From where PAI is a name",
    trunk: { identity: "pai-first" },
    calling: ["pai alice", "from +861087654321"],
    says: "abstains",
  },
  {
    name: "pai-first: a forged From where PAI is a name",
    trunk: { identity: "pai-first" },
    calling: ["pai alice", "from +8613912345678"],
    says: notListed,
  },
  {
    name: "pai-first: a listed Remote-Party-ID of the called party speaks for nobody",
    trunk: { identity: "pai-first" },
    calling: ["rpid-called +861087654321", "from +8613912345678"],
    says: notListed,
  },
  {
    name: "pai-first: near miss: of the calling party",
    trunk: { identity: "pai-first" },
    calling: ["rpid +861087654321", "from +8613912345678"],
    says: "abstains",
  },
  {
    name: "a listed Remote-Party-ID of the called party alone",
    calling: ["rpid-called +861087654321", "from alice"],
    says: notListed,
  },
  {
    name: "one that is not listed is shown by some elements",
    calling: ["rpid-called +8613912345678", "from +861087654321"],
    says: notListed,
  },
  {
    name: "also under pai-first",
    trunk: { identity: "pai-first" },
    calling: ["rpid-called +8613912345678", "from +861087654321"],
    says: notListed,
  },
  {
    name: "but not behind a PAI",
    trunk: { identity: "pai-first" },
    calling: ["pai +861087654321", "rpid-called +8613912345678", "from 8001"],
    says: "abstains",
  },
  {
    name: "pai-first: RPID before PPI",
    trunk: { identity: "pai-first" },
    calling: ["ppi 95566", "rpid +861087654321", "from 95566"],
    says: "abstains",
  },
  {
    name: "pai-first: From when alone",
    trunk: { identity: "pai-first" },
    calling: ["from 95566"],
    says: notListed,
  },
  {
    name: "pai-first: ISUP counts too",
    trunk: { identity: "pai-first" },
    calling: ["pai +861087654321", "isup 95566"],
    says: notListed,
  },
  // Dates.
  { name: "to its last moment", at: NOW - 1, calling: ["from +861055550001"], says: "abstains" },
  { name: "ended", calling: ["from +861055550001"], says: expired },
  { name: "not begun", calling: ["from +861055550002"], says: expired },
  { name: "from its first moment", at: NOW + 1, calling: ["from +861055550002"], says: "abstains" },
  // Verification.
  { name: "never verified, nobody asks", says: "abstains" },
  { name: "never verified", options: verifiedWithin30, says: expired },
  { name: "verified 30 days ago, nobody asks", calling: ["from +861055550003"], says: "abstains" },
  {
    name: "verified 30 days ago, 30 allowed",
    options: verifiedWithin30,
    calling: ["from +861055550003"],
    says: "abstains",
  },
  {
    name: "to the end of that day",
    at: NOW + DAY - 1,
    options: verifiedWithin30,
    calling: ["from +861055550003"],
    says: "abstains",
  },
  {
    name: "not into the next",
    at: NOW + DAY,
    options: verifiedWithin30,
    calling: ["from +861055550003"],
    says: expired,
  },
  { name: "29 allowed", options: { verifiedWithinDays: 29 }, calling: ["from +861055550003"], says: expired },
  // Rows that name their trunks: mark 1 is for this trunk, mark 2 for others.
  ...[
    ["a row of this trunk", "from +861066660001", "abstains"],
    ["a row of another trunk", "from +861066660002", "reject cli-wrong-line"],
    ["a row without trunk", "from +861066660003", "abstains"],
    ["two rows, one for each of two trunks", "from +861066660004", "abstains"],
    ["a row of another trunk inside a range without trunk", "from +861066661005", "abstains"],
    ["a range of another trunk", "from +861066662000", "reject cli-wrong-line"],
    ["near miss: behind that range", "from +861066662100", notListed],
    ["a row of another trunk, ended", "from +861066660006", expired],
    ["a row of this trunk, ended, beside one of another", "from +861066660007", "reject cli-wrong-line"],
  ].map(([name = "", caller = "", says = ""]): Row => ({
    name,
    calling: [caller],
    says,
    tables: { lesseeNumbers: tied },
  })),
  {
    name: "both identities of this trunk, the second of another",
    calling: ["pai +861066660001", "from +861066660002"],
    tables: { lesseeNumbers: tied },
    says: "reject cli-wrong-line",
  },
  {
    name: "a forwarder of another trunk",
    calling: ["from +8613912345678"],
    diversion: ["div +861066660008"],
    tables: { lesseeNumbers: tied },
    says: "reject cli-wrong-line",
  },
  // No list is never a list of everything.
  { name: "no list", tables: { lesseeNumbers: undefined }, says: notListed },
  { name: "an empty list", tables: { lesseeNumbers: makeList("acme", []) }, says: notListed },
  {
    name: "a national trunk has no list",
    trunk: { side: "national" },
    calling: ["from +442079460000"],
    says: "abstains",
  },
]);
