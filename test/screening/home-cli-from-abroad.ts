import t from "tap";
import { createDialPlan } from "../../src/numbering/dial-plan.ts";
import { lookOf } from "../../src/screening/home-looking.ts";
import { testRule, type Row } from "../support/rule-table.ts";

const refused = "reject home-cli-from-abroad";
const trunk = { side: "international" } as const;

/** Protocol reference, sections 3.2 and 4.2: every spelling that a subscriber at home would take for a domestic caller. */
const homeSpellings: readonly string[] = [
  "+861087654321",
  "00861087654321",
  "861087654321",
  "+0861087654321",
  "+00861087654321",
  "1087654321",
  "01087654321",
  "075583765432",
  "13912345678",
  "013912345678",
  "95588",
  "+95588",
  "0095588",
  "+8695588",
  "10086",
  "+8610086",
  "+10086",
  "110",
  "+86110",
  "+110",
  "96110",
  "+96110",
  "12345",
  "+12345",
  "4008208820",
  "+864008208820",
  "+4008208",
  "8008208820",
  "+8675595588",
  "+86075595588",
  "+86106575550001",
  "+861440012345678",
  "+8614012345678",
  "+86",
  "01087654321;phone-context=+86",
  "13912345678;phone-context=+86",
  "%2B861087654321",
  "%2b95588",
  "%395588",
  "+86(10)8765.4321",
  "010-8765-4321",
  "(0)95588",
  "13912345678%40h2",
  "95588%402",
  "%EF%BC%91%EF%BC%93%EF%BC%99%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96%EF%BC%97%EF%BC%98",
  "%D9%A9%D9%A5%D9%A5%D9%A8%D9%A8",
  "\xef\xbc\x99\xef\xbc\x95\xef\xbc\x95\xef\xbc\x98\xef\xbc\x98",
  "139I2345678",
  "9SS88",
];

/** What a mobile subscriber who roams abroad may look like. */
const roamerSpellings: readonly string[] = [
  "+8613912345678",
  "008613912345678",
  "8613912345678",
  "+86-139-1234-5678",
  "%2B8613912345678",
  "+8617012345678",
  "+8616512345678",
  "+8613492345678",
];

/** Bare digits that are shown as a home number, and that another country's plan allows. */
const ambiguousSpellings: readonly string[] = [
  // Eleven digits that begin like a mobile number.
  "13912345678",
  "14155550123",
  "14055550123",
  "16505550123",
  "18005550123",
  "19995550123",
  // Seven or eight digits that may be a subscriber number.
  "2901234",
  "24712345",
  "50012345",
  "4989123",
  "49891234",
  "3521234",
  "85212345",
  "63123456",
  // A protected code with anything behind it.
  "12125550123",
  "959123456789",
  "9613123456",
  "96170123456",
  "95912345",
  "955889999",
  "80012345678",
  "40012345678",
  // An area code and a subscriber number, without the 0.
  "2087654321",
  "31187654321",
];

/** Near them: not bare, or of another shape. */
const notAmbiguous: readonly string[] = [
  "+14155550123",
  "0014155550123",
  "+13912345678",
  "+12125550123",
  "+26912345",
  "+4989123",
  "+959123456789",
  "00959123456789",
  "442079460000",
  "33142685300",
  "491701234567",
  "85221234567",
  "79991234567",
  "5511987654321",
  "27821234567",
  "498912345",
  "5712345678",
];

/** Bare digits that look domestic and belong to no other country. */
const onlyHome: readonly string[] = [
  "87654321",
  "7654321",
  "2345678",
  "95588",
  "100869",
  "1101",
  "12345678",
  "4008208820",
  "11012345678",
  "2125551234",
  "14051550123",
  "1087654321",
  "01087654321",
  "0991234567",
  "8612345",
  "8695588",
];

const bareForms = ["auto", "national", "local", "e164", "reject"] as const;

const foreignSpellings: readonly string[] = [
  "+14155550123",
  "0014155550123",
  "442079460000",
  "+442079460000",
  "+85221234567",
  "+85366123456",
  "+886223456789",
  "+959123456789",
  "+9613123456",
  "+40212345678",
  "+9991234567",
  "alice",
  "",
];

testRule("home-cli-from-abroad", [
  ...homeSpellings.map((user): Row => ({
    name: `home: ${user}`,
    trunk,
    calling: [`from ${user}`],
    says: refused,
  })),
  ...homeSpellings.map((user): Row => ({
    name: `home, roamers accepted: ${user}`,
    trunk,
    calling: [`from ${user}`],
    options: { roamers: "accept" },
    says: refused,
  })),
  ...roamerSpellings.map((user): Row => ({
    name: `roamer: ${user}`,
    trunk,
    calling: [`from ${user}`],
    says: refused,
  })),
  ...roamerSpellings.map((user): Row => ({
    name: `roamer accepted: ${user}`,
    trunk,
    calling: [`from ${user}`],
    options: { roamers: "accept" },
    says: "abstains",
  })),
  ...foreignSpellings.map((user): Row => ({
    name: `foreign: ${user}`,
    trunk,
    calling: [`from ${user}`],
    says: "abstains",
  })),
  ...bareForms.flatMap((bareForm): readonly Row[] => {
    const dialPlan = createDialPlan({ international: true, bareForm });
    const plan = { ...trunk, dialPlan };
    const reads = bareForm === "auto" || bareForm === "e164";
    return [
      ...[...ambiguousSpellings, ...onlyHome].map((user): Row => ({
        name: `bare, bareForm ${bareForm}: ${user}`,
        trunk: plan,
        calling: [`from ${user}`],
        says: refused,
      })),
      ...ambiguousSpellings.map((user): Row => ({
        name: `bare and accepted, bareForm ${bareForm}: ${user}`,
        trunk: plan,
        calling: [`from ${user}`],
        options: { bareAmbiguous: "accept" },
        says: reads ? "note home-cli-from-abroad" : refused,
      })),
      ...onlyHome.map((user): Row => ({
        name: `accepted only where another country has it, bareForm ${bareForm}: ${user}`,
        trunk: plan,
        calling: [`from ${user}`],
        options: { bareAmbiguous: "accept", roamers: "accept" },
        says: refused,
      })),
      ...notAmbiguous.map((user): Row => ({
        name: `not bare, or foreign to the eye, bareForm ${bareForm}: ${user}`,
        trunk: plan,
        calling: [`from ${user}`],
        says: "abstains",
      })),
    ];
  }),
  {
    name: "an accepted bare number beside a home number",
    trunk,
    calling: ["pai 14155550123", "from +861087654321"],
    options: { bareAmbiguous: "accept" },
    says: refused,
  },
  {
    name: "a diverting party that is bare",
    trunk,
    calling: ["from +442079460000"],
    diversion: ["div 14155550123"],
    says: refused,
  },
  {
    name: "… and accepted",
    trunk,
    calling: ["from +442079460000"],
    diversion: ["div 14155550123"],
    options: { bareAmbiguous: "accept" },
    says: "note home-cli-from-abroad",
  },
  ...(["drop", "label", "withhold"] as const).map((roamers): Row => ({
    name: `roamers: ${roamers}`,
    trunk,
    calling: ["from +8613912345678"],
    options: { roamers },
    says: `${roamers} home-cli-from-abroad`,
  })),
  { name: "any field", trunk, calling: ["pai +442079460000", "from +861087654321"], says: refused },
  {
    name: "the worst of several: a fixed number beside a roamer",
    trunk,
    calling: ["pai +8613912345678", "from +861087654321"],
    options: { roamers: "label" },
    says: refused,
  },
  {
    name: "a field that doesn't count is not looked at",
    trunk: { ...trunk, identity: "presented" },
    calling: ["pai +861087654321", "from +442079460000"],
    says: "abstains",
  },
  {
    name: "a domestic trunk",
    trunk: { side: "national" },
    calling: ["from +861087654321"],
    says: "abstains",
  },
  { name: "a leased line", calling: ["from +861087654321"], says: "abstains" },
  // Late forwarding back home (section 4.3).
  {
    name: "a diverting party that looks domestic",
    trunk,
    calling: ["from +442079460000"],
    diversion: ["div +861087654321"],
    options: { roamers: "accept" },
    says: refused,
  },
  {
    name: "a foreign caller forwarded back by a roamer: refused by default, whatever roamers are",
    trunk,
    calling: ["from +442079460000"],
    diversion: ["div +8613912345678"],
    options: { roamers: "accept" },
    says: refused,
  },
  {
    name: "forwarded back by a roamer: refused by default",
    trunk,
    calling: ["from +861087654321"],
    diversion: ["div +8613912345678"],
    options: { roamers: "accept" },
    says: refused,
  },
  {
    name: "by option it is what roamers are",
    trunk,
    calling: ["from +861087654321"],
    diversion: ["div +8613912345678"],
    options: { roamers: "label", allowForwardedBack: true },
    says: "label home-cli-from-abroad",
  },
  {
    name: "a foreign caller forwarded back by a roamer",
    trunk,
    calling: ["from +442079460000"],
    diversion: ["div +8613912345678"],
    options: { roamers: "accept", allowForwardedBack: true },
    says: "abstains",
  },
  {
    name: "which roamers that are refused don't get",
    trunk,
    calling: ["from +861087654321"],
    diversion: ["div +8613912345678"],
    options: { allowForwardedBack: true },
    says: refused,
  },
  {
    name: "not by a fixed number",
    trunk,
    calling: ["from +861087654321"],
    diversion: ["div +861087654322"],
    options: { roamers: "accept", allowForwardedBack: true },
    says: refused,
  },
  {
    name: "not by a mobile in domestic form",
    trunk,
    calling: ["from +861087654321"],
    diversion: ["div 13912345678"],
    options: { roamers: "accept", allowForwardedBack: true },
    says: refused,
  },
  {
    name: "not a caller in domestic form",
    trunk,
    calling: ["from 01087654321"],
    diversion: ["div +8613912345678"],
    options: { roamers: "accept", allowForwardedBack: true },
    says: refused,
  },
  {
    name: "not a short code",
    trunk,
    calling: ["from +8695588"],
    diversion: ["div +8613912345678"],
    options: { roamers: "accept", allowForwardedBack: true },
    says: refused,
  },
]);

void t.test("home-cli-from-abroad: digits behind an indicator are not read as a number", (t) => {
  const raw = "959123456789";
  t.equal(lookOf({ kind: "unusable", why: "restricted", detail: "APRI=1", raw }), "foreign");
  t.equal(lookOf({ kind: "unusable", why: "invalid", detail: "NPI", raw }), "home");
  t.end();
});
