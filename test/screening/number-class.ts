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
    name: "options replace the defaults",
    calling: ["from 4008208820"],
    options: { classes: ["mobile"] },
    says: "abstains",
  },
]);
