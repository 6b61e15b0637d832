import t from "tap";
import type { Side, Trunk } from "../../src/domain/trunk.ts";
import { possibleDecisions } from "../../src/screening/chain/possible-decisions.ts";
import { compileScreen, type ChainConfig } from "../../src/screening/chain/screen.ts";
import type { NumberList } from "../../src/screening/rule.ts";
import {
  acmeNumbers,
  type AttemptSpec,
  makeAttempt,
  makeChain,
  makeDenyList,
  makeState,
  makeTables,
  makeTrunk,
} from "../support/attempt.ts";
import { sayVerdict } from "../support/rule-table.ts";

const authentication = (mode: "enforce" | "monitor" | "off"): Partial<ChainConfig> => ({
  "caller-authentication": { mode, options: {} },
});

interface ChainRow extends AttemptSpec {
  readonly name: string;
  readonly trunk?: Partial<Trunk>;
  readonly chain?: Partial<ChainConfig>;
  /** Verdict, reason, and who decided. */
  readonly says: string;
  /** Rules with a monitor finding. */
  readonly shadow?: readonly string[];
}

const rows: readonly ChainRow[] = [
  // The end of the chain.
  { name: "lessee, listed", says: "accept listed by default" },
  {
    name: "lessee, default: accept changes nothing for the unlisted",
    trunk: { fallback: "accept" },
    calling: ["from 95566"],
    says: "reject cli-not-listed by caller-authentication",
  },
  {
    name: "lessee, authentication in monitor",
    chain: authentication("monitor"),
    calling: ["from 95566"],
    says: "accept default by default",
    shadow: ["caller-authentication"],
  },
  {
    name: "lessee, authentication in monitor, listed",
    chain: authentication("monitor"),
    says: "accept default by default",
  },
  {
    name: "lessee, authentication off",
    chain: authentication("off"),
    calling: ["from 95566"],
    says: "accept default by default",
  },
  {
    name: "national, default accept",
    trunk: { side: "national" },
    calling: ["from +442079460000"],
    says: "accept default by default",
  },
  {
    name: "national, default reject",
    trunk: { side: "national", fallback: "reject" },
    says: "reject cli-not-listed by default",
  },
  {
    name: "international, default accept",
    trunk: { side: "international" },
    calling: ["from +442079460000"],
    says: "accept default by default",
  },
  {
    name: "international, default reject",
    trunk: { side: "international", fallback: "reject" },
    calling: ["from +442079460000"],
    says: "reject cli-not-listed by default",
  },
  {
    name: "core is not screened",
    trunk: { side: "core", fallback: "reject" },
    calling: ["from anonymous"],
    privacy: ["id"],
    says: "accept default by default",
  },
  // Order: the first refusal wins.
  {
    name: "hidden before malformed",
    calling: ["from 8001"],
    privacy: ["id"],
    says: "reject cli-hidden by hidden-caller",
  },
  {
    name: "malformed before conflict",
    calling: ["pai +861087654321", "rpid +861087654322", "from 8001"],
    says: "reject cli-malformed by caller-form",
  },
  {
    name: "conflict before class",
    calling: ["pai 4008208820", "rpid +861087654322"],
    says: "reject cli-conflict by cli-conflict",
  },
  {
    name: "from abroad before class",
    trunk: { side: "international" },
    calling: ["from 4008208820"],
    says: "reject home-cli-from-abroad by home-cli-from-abroad",
  },
  {
    name: "class before diversion",
    calling: ["from 4008208820"],
    diversion: ["div 95566"],
    says: "reject number-class by number-class",
  },
  {
    name: "a listed 400 number never calls",
    calling: ["from 4008208820"],
    says: "reject number-class by number-class",
  },
  {
    name: "diversion before lists",
    calling: ["from +85281234567"],
    diversion: ["div 95566"],
    says: "reject diversion-unlicensed by diversion-licence",
  },
  {
    name: "deny lists before authentication",
    calling: ["from +85281234567"],
    says: "reject police-listed by deny-lists",
  },
  // Emergency.
  {
    name: "an emergency call passes every rule",
    called: "110",
    calling: ["from anonymous"],
    privacy: ["id"],
    diversion: ["div 95566"],
    says: "accept emergency by emergency",
  },
  {
    name: "not from abroad",
    trunk: { side: "international" },
    called: "110",
    calling: ["from anonymous"],
    says: "reject cli-hidden by hidden-caller",
  },
  {
    name: "with the exemption off",
    chain: { emergency: { mode: "off", options: {} } },
    called: "110",
    calling: ["from anonymous"],
    says: "reject cli-hidden by hidden-caller",
  },
  {
    name: "in monitor an exemption exempts nobody",
    chain: { emergency: { mode: "monitor", options: {} } },
    called: "110",
    calling: ["from anonymous"],
    says: "reject cli-hidden by hidden-caller",
  },
  // Monitor.
  {
    name: "a monitor finding is counted and the chain goes on",
    chain: { "hidden-caller": { mode: "monitor", options: {} } },
    privacy: ["id"],
    says: "accept listed by default",
    shadow: ["hidden-caller"],
  },
  {
    name: "several of them, and a refusal",
    chain: {
      "hidden-caller": { mode: "monitor", options: {} },
      "cli-conflict": { mode: "monitor", options: {} },
    },
    calling: ["pai +861087654321!", "rpid 95566"],
    says: "reject cli-not-listed by caller-authentication",
    shadow: ["hidden-caller", "cli-conflict"],
  },
  {
    name: "off finds nothing",
    chain: { "hidden-caller": { mode: "off", options: {} } },
    privacy: ["id"],
    says: "accept listed by default",
  },
  // Marks.
  {
    name: "a label passes and is the verdict",
    trunk: { side: "international" },
    chain: { "home-cli-from-abroad": { mode: "enforce", options: { roamers: "label" } } },
    calling: ["from +8613912345678"],
    says: "label home-cli-from-abroad by home-cli-from-abroad",
  },
  {
    name: "a mark stops nothing: a later refusal wins",
    trunk: { side: "international" },
    chain: { "home-cli-from-abroad": { mode: "enforce", options: { roamers: "label" } } },
    calling: ["from +8613912345678", "pai +85281234567"],
    says: "reject police-listed by deny-lists",
  },
  {
    name: "nor does it outweigh default: reject",
    trunk: { side: "international", fallback: "reject" },
    chain: { "home-cli-from-abroad": { mode: "enforce", options: { roamers: "withhold" } } },
    calling: ["from +8613912345678"],
    says: "reject cli-not-listed by default",
  },
  {
    name: "a mark in monitor is a shadow",
    trunk: { side: "international" },
    chain: { "home-cli-from-abroad": { mode: "monitor", options: { roamers: "label" } } },
    calling: ["from +8613912345678"],
    says: "accept default by default",
    shadow: ["home-cli-from-abroad"],
  },
  {
    name: "a code of an authority from another carrier is a shadow",
    trunk: { side: "national" },
    calling: ["from 110"],
    says: "accept default by default",
    shadow: ["number-class"],
  },
  {
    name: "… a refusal where its class is named",
    trunk: { side: "national" },
    chain: { "number-class": { mode: "enforce", options: { classes: ["emergency"] } } },
    calling: ["from 110"],
    says: "reject number-class by number-class",
  },
  {
    name: "… and nothing where the rule is off",
    trunk: { side: "national" },
    chain: { "number-class": { mode: "off", options: {} } },
    calling: ["from 110"],
    says: "accept default by default",
  },
  {
    name: "on a leased line it must be listed",
    calling: ["from 110"],
    says: "reject cli-not-listed by caller-authentication",
  },
  {
    name: "from abroad it looks domestic",
    trunk: { side: "international" },
    calling: ["from +86110"],
    says: "reject home-cli-from-abroad by home-cli-from-abroad",
  },
  {
    name: "an accepted bare number from abroad is a shadow",
    trunk: { side: "international" },
    chain: { "home-cli-from-abroad": { mode: "enforce", options: { bareAmbiguous: "accept" } } },
    calling: ["from 14155550123"],
    says: "accept default by default",
    shadow: ["home-cli-from-abroad"],
  },
  {
    name: "silence",
    trunk: { side: "international" },
    chain: { "home-cli-from-abroad": { mode: "enforce", options: { roamers: "drop" } } },
    calling: ["from +8613912345678"],
    says: "drop home-cli-from-abroad by home-cli-from-abroad",
  },
];

const denyLists = [makeDenyList("police", "police", ["+85281234567"])];

void t.test("the chain", (t) => {
  for (const row of rows) {
    const trunk = makeTrunk(row.trunk);
    const screen = compileScreen(makeChain(row.chain), makeTables(trunk, { denyLists }), "r1");
    const attempt = makeAttempt(trunk, row);
    const decision = screen.judge(attempt, makeState());
    t.equal(`${sayVerdict(decision)} by ${decision.rule}`, row.says, row.name);
    t.same(
      decision.shadow.map((hit) => hit.rule),
      row.shadow ?? [],
      `${row.name}: shadow`,
    );
    t.equal(decision.revision, "r1");
    t.equal(decision.attempt, attempt);
    if (decision.verdict.kind === "accept" || decision.verdict.kind === "reject")
      t.ok(
        possibleDecisions(screen).some(
          ({ reason, rule, isMonitored }) =>
            reason === decision.verdict.reason && rule === decision.rule && !isMonitored,
        ),
        `${row.name}: its series is there before`,
      );
  }
  t.end();
});

void t.test("marks stand in the decision, also beside a refusal", (t) => {
  const trunk = makeTrunk({ side: "international" });
  const chain = makeChain({ "home-cli-from-abroad": { mode: "enforce", options: { roamers: "withhold" } } });
  const screen = compileScreen(chain, makeTables(trunk, { denyLists }), "r1");
  const passed = screen.judge(makeAttempt(trunk, { calling: ["from +8613912345678"] }), makeState());
  t.equal(passed.marks.length, 1);
  t.equal(passed.marks[0], passed.verdict);
  const refused = screen.judge(
    makeAttempt(trunk, { calling: ["from +8613912345678", "pai +85281234567"] }),
    makeState(),
  );
  t.equal(refused.verdict.kind, "reject");
  t.equal(refused.marks.length, 1);
  t.end();
});

void t.test("where nothing fires, verdict and lists are shared", (t) => {
  const trunk = makeTrunk();
  const screen = compileScreen(makeChain(), makeTables(trunk), "r1");
  const [one, two] = [1, 2].map(() => screen.judge(makeAttempt(trunk), makeState()));
  t.equal(one?.verdict, two?.verdict);
  t.equal(one?.marks, two?.marks);
  t.equal(one?.shadow, two?.shadow);
  t.end();
});

void t.test("an accepted call names the row of the lessee's list, the one of its first identity", (t) => {
  const trunk = makeTrunk();
  const rowOf = (calling: readonly string[], chain = makeChain(), state = makeState()): string => {
    const { verdict } = compileScreen(chain, makeTables(trunk), "r1").judge(
      makeAttempt(trunk, { calling }),
      state,
    );
    return `${verdict.kind} ${String(verdict.facts?.["line"])}`;
  };
  t.equal(rowOf(["from +861087654321"]), "accept lists/acme.csv:2");
  t.equal(rowOf(["from +861088881234"]), "accept lists/acme.csv:3");
  t.equal(rowOf(["pai +861087654321", "from +861088881234"]), "accept lists/acme.csv:2");
  t.equal(rowOf(["pai +861088881234", "from +861087654321"]), "accept lists/acme.csv:3");
  t.equal(rowOf(["pai +861088881234", "from +861087654400"]), "reject undefined", "the second is not listed");
  const monitored = makeChain({ "caller-authentication": { mode: "monitor", options: {} } });
  t.equal(rowOf(["from +861087654321"], monitored), "accept undefined", "nothing was authenticated");
  const screen = compileScreen(makeChain(), makeTables(trunk), "r1");
  const state = makeState();
  const lines = ["+861087654321", "+861088881234", "+861087654400", "+861088881234", "+861087654322"].map(
    (number) =>
      screen.judge(makeAttempt(trunk, { calling: [`from ${number}`] }), state).verdict.facts?.["line"],
  );
  t.same(
    lines,
    [2, 3, undefined, 3, 2].map((line) => line && `lists/acme.csv:${line}`),
  );
  const emergency = screen.judge(makeAttempt(trunk, { called: "110" }), state).verdict;
  t.match(emergency, { kind: "accept", reason: "emergency" });
  t.notOk("line" in (emergency.facts ?? {}), "the row of the call before is not that of this one");
  t.end();
});

/** A list whose look-up fails: our own fault, whatever the cause. */
const broken: NumberList = {
  ...acmeNumbers,
  numbers: {
    ...acmeNumbers.numbers,
    find: () => {
      throw new Error("broken");
    },
  },
};

void t.test("a rule that throws: the trunk's exception policy, counted and kept for the log", (t) => {
  const table = [
    ["reject", "reject rule-fault"],
    ["drop", "drop rule-fault"],
    ["accept", "accept rule-fault"],
  ] as const;
  for (const [exception, says] of table) {
    const trunk = makeTrunk({ exception });
    const screen = compileScreen(makeChain(), makeTables(trunk, { lesseeNumbers: broken }), "r1");
    const state = makeState();
    const decision = screen.judge(makeAttempt(trunk), state);
    t.equal(`${sayVerdict(decision)} by ${decision.rule}`, `${says} by exception`);
    t.equal(state.ruleFaults["caller-authentication"], 1);
    t.match(state.lastFault, { rule: "caller-authentication", error: { message: "broken" } });
  }
  const trunk = makeTrunk();
  const screen = compileScreen(
    makeChain(authentication("monitor")),
    makeTables(trunk, { lesseeNumbers: broken }),
    "r1",
  );
  const state = makeState();
  t.equal(
    sayVerdict(screen.judge(makeAttempt(trunk), state)),
    "accept default",
    "in monitor it decides nothing",
  );
  t.equal(state.ruleFaults["caller-authentication"], 1, "but counts");
  t.end();
});

void t.test("an emergency call is not held up by a rule behind it that throws", (t) => {
  const trunk = makeTrunk();
  const screen = compileScreen(makeChain(), makeTables(trunk, { lesseeNumbers: broken }), "r1");
  t.equal(sayVerdict(screen.judge(makeAttempt(trunk, { called: "110" }), makeState())), "accept emergency");
  t.end();
});

void t.test("options that the schema refuses never compile", (t) => {
  const chain = makeChain({ "home-cli-from-abroad": { mode: "enforce", options: { roamers: "maybe" } } });
  for (const side of ["lessee", "international"] satisfies Side[]) {
    const trunk = makeTrunk({ side });
    t.throws(() => compileScreen(chain, makeTables(trunk), "r1"), side);
  }
  t.end();
});
