import t from "tap";
import type { IdentityMode, Side } from "../../src/domain/trunk.ts";
import { rules } from "../../src/screening/chain/rule-order.ts";
import { compileScreen } from "../../src/screening/chain/screen.ts";
import { isPlainCall } from "../../src/screening/plain-call.ts";
import {
  type AttemptSpec,
  makeAttempt,
  makeChain,
  makeSpecialUser,
  makeState,
  makeTables,
  makeTrunk,
} from "../support/attempt.ts";

const sides: readonly Side[] = ["lessee", "national", "international"];
const modes: readonly IdentityMode[] = ["all", "presented", "pai-first"];

void t.test("plain calls and near misses", (t) => {
  const table: readonly (readonly [name: string, call: AttemptSpec, isPlain: boolean])[] = [
    ["From alone", {}, true],
    ["one number in four fields", { calling: four("+861087654321") }, true],
    ["one number in two spellings", { calling: ["pai 01087654321", "from +861087654321"] }, true],
    ["a code", { calling: ["from 95588"] }, true],
    ["a privilege is a matter of its rule", { privilege: "operator" }, true],
    ["no identity", { calling: [] }, false],
    ["no From", { calling: ["pai +861087654321"] }, false],
    ["another number in From", { calling: ["pai +861087654321", "from +861087654322"] }, false],
    ["a hidden PAI", { calling: ["pai +861087654321!", "from +861087654321"] }, false],
    ["a number that is not there", { calling: ["isup ?", "from +861087654321"] }, false],
    ["an anonymous From", { calling: ["pai +861087654321", "from anonymous"] }, false],
    ["a name in From", { calling: ["pai +861087654321", "from alice"] }, false],
    ["a number of no plan", { calling: ["from +86108765432109"] }, false],
    ["a display name", { calling: ['from "Bank" +861087654321'] }, false],
    [
      "a Remote-Party-ID of the called party",
      { calling: ["rpid-called +861087654321", "from +861087654321"] },
      false,
    ],
    ["a diverting party", { diversion: ["div +861088881234"] }, false],
    ["Privacy: id", { privacy: ["id"] }, false],
    ["Privacy: none", { privacy: ["none"] }, false],
    ["an IAM", { isIam: true }, false],
  ];
  const trunk = makeTrunk();
  for (const [name, call, isPlain] of table) t.equal(isPlainCall(makeAttempt(trunk, call)), isPlain, name);
  t.notOk(isPlainCall({ ...makeAttempt(trunk), unreadBody: "application/qsig" }), "a body that nobody reads");
  t.end();
});

void t.test("rules that are not asked about plain calls find nothing in them", (t) => {
  const options: Readonly<Record<string, readonly object[]>> = {
    "hidden-caller": [{ privacy: ["header", "session", "history"] }, { paiCuresAnonymousFrom: true }],
    "display-name": [{ action: "reject" }],
  };
  const numbers = ["+861087654321", "95588", "110", "+14155550123", "4008208820", "+8613912345678"];
  let asked = 0;
  for (const { id, silentWhenPlain } of rules) {
    if (silentWhenPlain !== true) continue;
    for (const setting of [{}, ...(options[id] ?? [])])
      for (const side of sides)
        for (const identity of modes) {
          const trunk = makeTrunk({ side, identity });
          const chain = makeChain({ [id]: { mode: "enforce", options: setting } });
          const tables = makeTables(trunk, { specialUsers: [makeSpecialUser("+861087654321")] });
          const step = compileScreen(chain, tables, "r1").steps.find((each) => each.id === id);
          for (const number of numbers)
            for (const calling of [[`from ${number}`], four(number)]) {
              const attempt = makeAttempt(trunk, { calling });
              t.ok(isPlainCall(attempt), `${number} on ${side}`);
              t.equal(step?.explain(attempt, makeState())?.said, undefined, `${id} on ${side}, ${identity}`);
              asked++;
            }
        }
  }
  t.ok(asked > 500, `${asked} calls`);
  t.end();
});

/** The same number in each field. */
function four(number: string): readonly string[] {
  return ["pai", "ppi", "rpid", "from"].map((field) => `${field} ${number}`);
}
