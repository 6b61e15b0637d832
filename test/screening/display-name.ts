import t from "tap";
import { compileScreen } from "../../src/screening/chain/screen.ts";
import {
  makeAttempt,
  makeChain,
  makeState,
  makeTables,
  makeTrunk,
  type AttemptSpec,
} from "../support/attempt.ts";
import { testRule, type Row } from "../support/rule-table.ts";
import type { Trunk } from "../../src/domain/trunk.ts";
import type { Decision } from "../../src/domain/decision.ts";

const own = "+861087654321";
const misleads = "reject display-name-misleading";

/** A call of the listed number with this display name. */
function named(display: string, says: string, rest: Partial<Row> = {}): Row {
  return {
    name: display,
    calling: [`from "${display}" ${own}`],
    options: { action: "reject" },
    says,
    ...rest,
  };
}

testRule("display-name", [
  { name: "no display name", options: { action: "reject" }, says: "abstains" },
  named("", "abstains", { name: "an empty one" }),
  named("Jinghua Bank", "abstains"),
  named("京华银行", "abstains"),

  // The caller's own number, in whatever spelling.
  named("+861087654321", "abstains"),
  named("+86 10 8765 4321", "abstains"),
  named("Bank (010) 8765-4321", "abstains"),
  named("87654321", "abstains"),
  named("1087654321", "abstains"),
  named("１０８７６５４３２１", "abstains"),

  // Another number.
  named("+861087654322", misleads),
  named("010-8765-4322", misleads),
  named("Bank 01087654322", misleads),
  named("0 1 0 8 7 6 5 4 3 2 2", misleads),
  named("13912345678", misleads),
  named("+442079460000", misleads),
  named("442079460000", misleads, { name: "442079460000: read behind a plus that isn't there" }),
  named("+86 10 8765\\4322", misleads, { name: "a quoted pair is the character behind its backslash" }),
  named("٠١٠٨٧٦٥٤٣٢٢", misleads, { name: "Arabic-Indic digits" }),
  named("０１０８７６５４３２２", misleads, { name: "fullwidth digits" }),
  named("010\u20138765\u20134322", misleads, { name: "with dashes of Unicode" }),
  named("Bank 2024", "abstains", { name: "four digits that are no code" }),
  named("Order 123456", "abstains", { name: "six digits that are no code" }),
  named("ref 99999999999999999999999", "abstains", { name: "more digits than any number has" }),

  // Short codes.
  named("95588", misleads),
  named("ICBC 95588", misleads),
  named("9-5-5-8-8", misleads),
  named("9x5x5x8x8", misleads, { name: "all digits together" }),
  named("110", misleads),
  named("Police110", misleads),
  named("+8610 110", misleads),
  named("９５５８８", misleads, { name: "95588, fullwidth" }),
  named("9558", "abstains", { name: "9558 is no code" }),
  named("Room 301", "abstains"),
  named("24/7", "abstains"),
  named("95588", "abstains", {
    name: "95588 calls itself 95588",
    calling: ['from "95588" 95588'],
  }),
  named("95588", misleads, {
    name: "95599 calls itself 95588",
    calling: ['from "95588" 95599'],
  }),
  named("4008208820", misleads),

  // Words for a hidden caller.
  named("Private", misleads),
  named("PRIVATE NUMBER", misleads),
  named("<unknown>", misleads),
  named("Unknown Caller", misleads),
  named("No Caller ID", misleads),
  named("Ｐｒｉｖａｔｅ", misleads, { name: "fullwidth letters" }),
  named("未知号码", misleads),
  named("匿名", misleads),
  named("Private Bank", "abstains"),
  named("Hidden Valley Ltd", "abstains"),
  named("Caller", "abstains"),
  named("未知科技", "abstains"),
  named("Blocked Drains 24", "abstains"),

  named(`A${"a".repeat(256)}`, misleads, { name: "too long to be read" }),
  named(`A${"a".repeat(250)}`, "abstains", { name: "long" }),

  // Every field is shown somewhere.
  ...(["pai", "ppi", "rpid"] as const).map((field) =>
    named("95588", misleads, { name: `in ${field}`, calling: [`${field} "95588" ${own}`, `from ${own}`] }),
  ),
  named("87654321", misleads, {
    name: "a bare number on a trunk without area code is some other area's, or nobody's",
    trunk: { side: "international" },
    calling: ['from "01087654321" +442079460000'],
  }),
  named("442079460000", "abstains", {
    name: "a foreign caller's own number without plus",
    trunk: { side: "international" },
    calling: ['from "442079460000" +442079460000'],
  }),
]);

/** The decision about a call on a trunk with every rule on, and this one in `mode`. */
function judge(given: Partial<Trunk>, spec: AttemptSpec, mode: "enforce" | "monitor" = "enforce"): Decision {
  const trunk = makeTrunk(given);
  const chain = makeChain({ "display-name": { mode, options: {} } });
  return compileScreen(chain, makeTables(trunk), "r1").judge(makeAttempt(trunk, spec), makeState());
}

void t.test("display-name: by default the name goes and the call goes on", (t) => {
  const spoofed: AttemptSpec = { calling: [`from "95588" ${own}`] };
  const stripped = judge({}, spoofed);
  t.match(stripped, {
    verdict: { kind: "accept", reason: "listed" },
    marks: [
      { kind: "strip", reason: "display-name-misleading", facts: { field: "from", shows: "short-code" } },
    ],
  });
  t.match(judge({}, { calling: [`from "Bank" ${own}`] }).marks, []);
  t.match(
    judge({}, { calling: ['from "95588" +861087654400'] }).verdict,
    { kind: "reject", reason: "cli-not-listed" },
    "a stripped name cures nothing",
  );
  t.match(judge({}, spoofed, "monitor"), {
    verdict: { kind: "accept" },
    marks: [],
    shadow: [{ rule: "display-name", verdict: { kind: "strip" } }],
  });
  t.match(
    judge({ mode: "redirect" }, spoofed),
    { verdict: { kind: "reject", reason: "display-name-misleading" }, rule: "display-name" },
    "who is redirected sends the name itself",
  );
  t.end();
});
