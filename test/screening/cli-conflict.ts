import { testRule } from "../support/rule-table.ts";

const a = "+861087654321";
const b = "+861087654322";
const conflict = "reject cli-conflict";

testRule("cli-conflict", [
  { name: "one field", calling: [`pai ${a}`], says: "abstains" },
  {
    name: "two spellings of one number",
    calling: [`pai ${a}`, "rpid 010-8765-4321", "isup 1087654321"],
    says: "abstains",
  },
  { name: "PAI and RPID", calling: [`pai ${a}`, `rpid ${b}`], says: conflict },
  { name: "PAI and ISUP", calling: [`pai ${a}`, `isup ${b}`], says: conflict },
  { name: "RPID and ISUP", calling: [`rpid ${a}`, `isup ${b}`], says: conflict },
  { name: "two PAI values", calling: [`pai ${a}`, `pai ${b}`], says: conflict },
  { name: "the third of three", calling: [`pai ${a}`, `pai ${a}`, `pai ${b}`], says: conflict },
  { name: "From may differ", calling: [`pai ${a}`, `from ${b}`], says: "abstains" },
  { name: "the generic number may differ", calling: [`isup ${a}`, `generic ${b}`], says: "abstains" },
  { name: "P-Preferred-Identity may differ", calling: [`pai ${a}`, `ppi ${b}`], says: "abstains" },
  {
    name: "a field without a number disagrees with nobody",
    calling: ["pai alice", `rpid ${a}`],
    says: "abstains",
  },
  {
    name: "a code in its spellings",
    calling: ["pai 95588", "rpid +8695588", "pai 010-95588"],
    says: "abstains",
  },
  { name: "two codes behind one area code", calling: ["pai 01095588", "rpid 01095599"], says: conflict },
  {
    name: "a code and the subscriber of its digits",
    calling: ["pai 95588", "rpid 09552345588"],
    says: conflict,
  },
  {
    name: "only what mustAgree names",
    trunk: { mustAgree: ["pai", "isup"] },
    calling: [`pai ${a}`, `rpid ${b}`],
    says: "abstains",
  },
  {
    name: "the others still must",
    trunk: { mustAgree: ["pai", "isup"] },
    calling: [`pai ${a}`, `rpid ${b}`, `isup ${b}`],
    says: conflict,
  },
  {
    name: "nothing must",
    trunk: { mustAgree: [] },
    calling: [`pai ${a}`, `pai ${b}`, `rpid ${b}`],
    says: "abstains",
  },
  {
    name: "on a national trunk too",
    trunk: { side: "national" },
    calling: [`pai ${a}`, `rpid ${b}`],
    says: conflict,
  },
  {
    name: "whatever the trunk's identity",
    trunk: { identity: "presented" },
    calling: [`pai ${a}`, `rpid ${b}`],
    says: conflict,
  },
]);
