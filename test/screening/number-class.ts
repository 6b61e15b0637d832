import { testRule, type Row } from "../support/rule-table.ts";

const refused = "reject number-class";

const never: readonly string[] = [
  "4008208820",
  "400-820-8820",
  "+864008208820",
  "8008208820",
  "16012345",
  "17951",
  "106575550001",
  "+86106575550001",
  "+861440012345678",
  "12110",
  "112",
];

/** Codes that only a public authority may show. */
const authorities: readonly string[] = [
  "110",
  "119",
  "120",
  "122",
  "114",
  "12395",
  "95110",
  "96110",
  "12381",
  "12345",
  "+86110",
  "010110",
  "+8610110",
  "02712381",
  "010-96110",
];

const mayCall: readonly string[] = [
  "+861087654321",
  "13912345678",
  "+8617012345678",
  "95588",
  "96110",
  "10086",
  "12345",
  "110",
  "10101234",
  "01095588",
  "+861066123456",
  "+442079460000",
  "alice",
  "8001",
];

testRule("number-class", [
  ...never.map((user): Row => ({ name: user, calling: [`from ${user}`], says: refused })),
  ...mayCall.map((user): Row => ({ name: user, calling: [`from ${user}`], says: "abstains" })),
  { name: "an operator on a leased line", privilege: "operator", says: refused },
  { name: "the police from abroad", trunk: { side: "international" }, privilege: "police", says: refused },
  {
    name: "near miss: of another network of the country",
    trunk: { side: "national" },
    privilege: "operator",
    says: "abstains",
  },
  {
    name: "allowed there",
    options: { categories: ["Operator", "test"] },
    privilege: "operator",
    says: "abstains",
  },
  { name: "near miss: another one", options: { categories: ["test"] }, privilege: "operator", says: refused },
  { name: "any field", calling: ["pai +861087654321", "from 4008208820"], says: refused },
  { name: "on a national trunk", trunk: { side: "national" }, calling: ["from 4008208820"], says: refused },
  { name: "from abroad", trunk: { side: "international" }, calling: ["from +864008208820"], says: refused },
  {
    name: "not in a field that doesn't count",
    trunk: { identity: "pai-first" },
    calling: ["pai +861087654321", "from 4008208820"],
    says: "abstains",
  },
  {
    name: "a class by option",
    calling: ["from 13912345678"],
    options: { classes: ["mobile"] },
    says: refused,
  },
  {
    name: "a class by option, behind an area code",
    calling: ["from 01095588"],
    options: { classes: ["enterprise_95"] },
    says: refused,
  },
  {
    name: "another class behind an area code",
    calling: ["from 01096123"],
    options: { classes: ["enterprise_95"] },
    says: "abstains",
  },
  ...authorities.flatMap((user): readonly Row[] => [
    {
      name: `${user} on a trunk of another carrier`,
      trunk: { side: "national" },
      calling: [`from ${user}`],
      says: "note number-class",
    },
    { name: `${user} on a leased line`, calling: [`from ${user}`], says: "abstains" },
    {
      name: `${user} from abroad`,
      trunk: { side: "international" },
      calling: [`from ${user}`],
      says: "abstains",
    },
    {
      name: `${user}, its class refused`,
      trunk: { side: "national" },
      calling: [`from ${user}`],
      options: { classes: ["emergency", "directory", "anti_fraud", "public_service"] },
      says: refused,
    },
    {
      name: `${user}, another class refused`,
      trunk: { side: "national" },
      calling: [`from ${user}`],
      options: { classes: ["mobile"] },
      says: "note number-class",
    },
  ]),
  ...["95588", "01095588", "10086", "96123", "118114", "+8613912345678", "02787654110", "1100", "alice"].map(
    (user): Row => ({
      name: `${user} on a trunk of another carrier`,
      trunk: { side: "national" },
      calling: [`from ${user}`],
      says: "abstains",
    }),
  ),
  {
    name: "a refused class beside the code of an authority",
    trunk: { side: "national" },
    calling: ["pai 110", "from 4008208820"],
    says: refused,
  },
  {
    name: "options replace the defaults",
    calling: ["from 4008208820"],
    options: { classes: ["mobile"] },
    says: "abstains",
  },
]);
