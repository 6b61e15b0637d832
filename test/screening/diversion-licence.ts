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
import { sayVerdict, testRule } from "../support/rule-table.ts";

const refused = "reject diversion-unlicensed";
const licensed = "+861088881234";

testRule("diversion-licence", [
  { name: "no forwarding", says: "abstains" },
  { name: "a licensed number", diversion: [`div ${licensed}`], says: "abstains" },
  { name: "another spelling of it", diversion: ["div 010-8888-1234"], says: "abstains" },
  { name: "listed, without the licence", diversion: ["div +861087654321"], says: refused },
  { name: "its neighbour", diversion: ["div +861088881235"], says: refused },
  {
    name: "the last diverting party counts: licensed before unlicensed",
    diversion: ["div +861087654321", `div ${licensed}`],
    says: refused,
  },
  {
    name: "and unlicensed before licensed",
    diversion: [`div ${licensed}`, "div +8613912345678"],
    says: "abstains",
  },
  { name: "no number", diversion: ["div alice"], says: refused },
  { name: "something like a number", diversion: ["div 8001"], says: refused },
  { name: "a licence to its last moment", at: NOW - 1, diversion: ["div +861055550004"], says: "abstains" },
  { name: "a licence that has ended", diversion: ["div +861055550004"], says: refused },
  {
    name: "no list, no licence",
    diversion: [`div ${licensed}`],
    tables: { lesseeNumbers: undefined },
    says: refused,
  },
  {
    name: "forwarding is usual between networks",
    trunk: { side: "national" },
    diversion: ["div +8613912345678"],
    says: "abstains",
  },
  {
    name: "and from abroad another rule looks at it",
    trunk: { side: "international" },
    diversion: ["div +8613912345678"],
    says: "abstains",
  },
]);

void t.test("a licensed diverting number stands for the caller", (t) => {
  const trunk = makeTrunk();
  const deny = makeDenyList("police", "police", ["+8613800000001"]);
  const screen = compileScreen(makeChain(), makeTables(trunk, { denyLists: [deny] }), "r1");
  const rows: readonly (readonly [name: string, caller: string, diversion: string, says: string])[] = [
    ["a caller who isn't listed", "+8613912345678", licensed, "accept listed"],
    ["a foreign caller", "+442079460000", licensed, "accept listed"],
    ["must be well-formed", "8001", licensed, "reject cli-malformed"],
    ["must be there", "alice", licensed, "reject cli-absent"],
    ["must not be hidden", "anonymous", licensed, "reject cli-hidden"],
    ["must be on no deny list", "+8613800000001", licensed, "reject police-listed"],
    ["must be of a class that calls", "4008208820", licensed, "reject number-class"],
    ["must show no code of an authority", "110", licensed, "reject cli-not-listed"],
    ["… behind an area code", "01096110", licensed, "reject cli-not-listed"],
    ["… of a government line", "12345", licensed, "reject cli-not-listed"],
    ["near miss: a listed code of a company", "95588", licensed, "accept listed"],
    ["near miss: one that isn't listed", "95566", licensed, "accept listed"],
    ["forwarding without a licence helps nobody", "+8613912345678", "+861087654321", refused],
    ["not even a listed caller", "+861087654321", "+861087654322", refused],
    ["a licence that has ended", "+8613912345678", "+861055550004", refused],
  ];
  for (const [name, caller, diversion, says] of rows) {
    const attempt = makeAttempt(trunk, { calling: [`from ${caller}`], diversion: [`div ${diversion}`] });
    t.equal(sayVerdict(screen.judge(attempt, makeState())), says, name);
  }
  t.end();
});

void t.test("with diversion-licence in monitor, an unlicensed diverting number gives nobody leave", (t) => {
  const trunk = makeTrunk();
  const chain = makeChain({ "diversion-licence": { mode: "monitor", options: {} } });
  const screen = compileScreen(chain, makeTables(trunk), "r1");
  const judge = (caller: string): string =>
    sayVerdict(
      screen.judge(
        makeAttempt(trunk, { calling: [`from ${caller}`], diversion: ["div +861087654322"] }),
        makeState(),
      ),
    );
  t.equal(judge("+8613912345678"), "reject cli-not-listed");
  t.equal(judge("+861087654321"), "accept listed");
  t.end();
});
