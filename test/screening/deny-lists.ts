import t from "tap";
import { compileScreen } from "../../src/screening/chain/screen.ts";
import {
  makeAttempt,
  makeChain,
  makeDenyList,
  makeState,
  makeTables,
  makeTrunk,
  NOW,
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
  { name: "the same digits behind an area code", tables, calling: ["from 01095588"], says: "abstains" },
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

void t.test("a deny list comes before the lessee's list", (t) => {
  const trunk = makeTrunk();
  const denyLists = [makeDenyList("deny", "scores", ["+861087654321"])];
  const screen = compileScreen(makeChain(), makeTables(trunk, { denyLists }), "r1");
  const { verdict, rule } = screen.judge(makeAttempt(trunk), makeState());
  t.match({ verdict, rule }, { verdict: { kind: "reject", reason: "denylisted" }, rule: "deny-lists" });
  t.end();
});
