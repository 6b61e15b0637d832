import t from "tap";
import { explainCall, type ExplainOptions } from "../../src/cli/explain.ts";
import { createDialPlan } from "../../src/numbering/dial-plan.ts";
import { ruleIds } from "../../src/domain/rule-id.ts";
import { explainAttempt } from "../../src/screening/chain/explanation.ts";
import { rules } from "../../src/screening/chain/rule-order.ts";
import { compileScreen, type ChainConfig } from "../../src/screening/chain/screen.ts";
import type { DenyList, LesseeList } from "../../src/screening/rule.ts";
import type { Trunk } from "../../src/domain/trunk.ts";
import {
  type AttemptSpec,
  makeAttempt,
  makeChain,
  makeDenyList,
  makeList,
  makeSpecialUser,
  makeState,
  makeTables,
  makeTrunk,
  NOW,
} from "../support/attempt.ts";
import { sayVerdict } from "../support/rule-table.ts";

/** Mark 1 names two trunks, this one too; mark 2 another. */
const tied: LesseeList = {
  ...makeList("acme", [
    { number: "+861066660001", mark: 1 },
    { number: "+861066660002", mark: 2 },
  ]),
  onTrunk: Uint8Array.from([1, 1, 0]),
  trunkSets: ["gw-1 gw-2", "gw-2"],
};

interface ExplainRow extends AttemptSpec {
  readonly name: string;
  readonly trunk?: Partial<Trunk>;
  readonly chain?: Partial<ChainConfig>;
  readonly lesseeNumbers?: LesseeList;
  readonly denyLists?: readonly DenyList[];
  readonly verdict: string;
  /** Rule whose line is looked at, and what it saw. */
  readonly saw: readonly [rule: string, text: string, line?: string];
  readonly changes: readonly string[];
}

const rows: readonly ExplainRow[] = [
  {
    name: "listed",
    verdict: "accept listed",
    saw: ["caller-authentication", "+861087654321 is listed", "lists/acme.csv:2"],
    changes: ["split the range or prefix at lists/acme.csv:2, so that it leaves +861087654321 out"],
  },
  {
    name: "listed for this trunk and another",
    lesseeNumbers: tied,
    calling: ["from +861066660001"],
    verdict: "accept listed",
    saw: ["caller-authentication", "+861066660001 is listed for trunks gw-1, gw-2", "lists/acme.csv:2"],
    changes: ["remove +861066660001 from lists/acme.csv:2"],
  },
  {
    name: "listed for another trunk",
    lesseeNumbers: tied,
    calling: ["from +861066660002"],
    verdict: "reject cli-wrong-line",
    saw: ["caller-authentication", "+861066660002 is listed for trunk gw-2 only", "lists/acme.csv:3"],
    changes: ["set trunk at lists/acme.csv:3 so that it names trunk-1"],
  },
  {
    name: "not listed",
    calling: ["from +861087654400"],
    verdict: "reject cli-not-listed",
    saw: ["caller-authentication", "+861087654400 is not in lists/acme.csv"],
    changes: ["add +861087654400 to lists/acme.csv"],
  },
  {
    name: "the one of two that isn't listed",
    calling: ["pai +861087654321", "from +861087654400"],
    verdict: "reject cli-not-listed",
    saw: [
      "caller-authentication",
      "+861087654321 is listed, +861087654400 is not in lists/acme.csv",
      "lists/acme.csv:2",
    ],
    changes: ["add +861087654400 to lists/acme.csv"],
  },
  {
    name: "expired",
    calling: ["from +861055550001"],
    verdict: "reject cli-expired",
    saw: ["caller-authentication", "+861055550001 is expired", "lists/acme.csv:6"],
    changes: ["renew the dates of +861055550001 at lists/acme.csv:6"],
  },
  {
    name: "listed for a later day",
    calling: ["from +861055550002"],
    verdict: "reject cli-expired",
    saw: ["caller-authentication", "+861055550002 is not valid yet", "lists/acme.csv:7"],
    changes: ["renew the dates of +861055550002 at lists/acme.csv:7"],
  },
  {
    name: "hidden and not listed: both stand in the way",
    calling: ["from +861087654400"],
    privacy: ["id"],
    verdict: "reject cli-hidden",
    saw: ["hidden-caller", "Privacy: id"],
    changes: [
      "let the caller present its number, or add it to specialUsers of trunk-1 with allow: [hidden]",
      "add +861087654400 to lists/acme.csv",
    ],
  },
  {
    name: "a special user",
    calling: ["from +861087654300!"],
    verdict: "accept listed",
    saw: ["hidden-caller", "from +861087654300 (fixed) restricted; special user +861087654300 (approval 31)"],
    changes: ["split the range or prefix at lists/acme.csv:2, so that it leaves +861087654300 out"],
  },
  {
    name: "malformed",
    calling: ["from 8001"],
    verdict: "reject cli-malformed",
    saw: ["caller-form", 'from "8001" (invalid: no rule)'],
    changes: [
      'write "8001" in from as +, country code and number',
      "present a listed number in every calling field",
    ],
  },
  {
    name: "control characters of a peer are shown, not obeyed",
    calling: ["from a\u001b[2Jb"],
    verdict: "reject cli-malformed",
    saw: ["caller-form", 'from "a\\u001b[2Jb" (invalid: control character)'],
    changes: [
      'send a number that its plan allows in place of "a\\u001b[2Jb" in from',
      "present a listed number in every calling field",
    ],
  },
  {
    name: "malformed with its country code: no setting helps",
    trunk: { side: "national" },
    calling: ["from +861099990000"],
    verdict: "reject cli-malformed",
    saw: ["caller-form", 'from "+861099990000" (invalid: 86 + unallocated)'],
    changes: ['send a number that its plan allows in place of "+861099990000" in from'],
  },
  {
    name: "malformed without an area code",
    trunk: { side: "national", dialPlan: createDialPlan({}) },
    calling: ["from 87654321"],
    verdict: "reject cli-malformed",
    saw: ["caller-form", 'from "87654321" (invalid: no rule)'],
    changes: ['write "87654321" in from as +, country code and number, or give trunk-1 an areaCode'],
  },
  {
    name: "a foreign number without +: an area code does not help",
    trunk: { side: "national" },
    calling: ["from 442079460500"],
    verdict: "reject cli-malformed",
    saw: ["caller-form", 'from "442079460500" (invalid: no rule)'],
    changes: ['write "442079460500" in from as +, country code and number, or set bareForm: e164 on trunk-1'],
  },
  {
    name: "two numbers on a police list",
    calling: ["pai +85281234567", "from +442079460001"],
    trunk: { side: "international" },
    verdict: "reject police-listed",
    saw: [
      "deny-lists",
      "p-asserted-identity +85281234567 (foreign) is on police list police, from +442079460001 (foreign) is on police list police",
      "lists/police.csv:3, lists/police.csv:2",
    ],
    changes: [
      "remove +85281234567 from lists/police.csv:3 once its issuer has released it, and remove +442079460001 from lists/police.csv:2 once its issuer has released it",
    ],
  },
  {
    name: "a list with a file of releases",
    calling: ["from +85281234567"],
    trunk: { side: "international" },
    denyLists: [{ ...makeDenyList("police", "police", ["+85281234567"]), releases: "free.csv" }],
    verdict: "reject police-listed",
    saw: ["deny-lists", "from +85281234567 (foreign) is on police list police", "lists/police.csv:2"],
    changes: [
      "remove +85281234567 from lists/police.csv:2 once its issuer has released it, with a line in free.csv",
    ],
  },
  {
    name: "a list that releases nothing",
    calling: ["from +85281234567"],
    trunk: { side: "international" },
    denyLists: [{ ...makeDenyList("shutdown", "closed", ["+85281234567"]), noReturn: true }],
    verdict: "reject police-listed",
    saw: ["deny-lists", "from +85281234567 (foreign) is on shutdown list closed", "lists/closed.csv:2"],
    changes: ["nothing turns it around: list closed says noReturn, and +85281234567 is never released"],
  },
  {
    name: "two numbers that aren't listed",
    calling: ["pai +861087654400", "from +861087654401"],
    verdict: "reject cli-not-listed",
    saw: [
      "caller-authentication",
      "+861087654400 is not in lists/acme.csv, +861087654401 is not in lists/acme.csv",
    ],
    changes: ["add +861087654400 to lists/acme.csv, and add +861087654401 to lists/acme.csv"],
  },
  {
    name: "hidden behind two numbers: no special user",
    trunk: { side: "national" },
    calling: ["pai +861087654321!", "from +861087654322"],
    verdict: "reject cli-hidden",
    saw: ["hidden-caller", "p-asserted-identity +861087654321 (fixed) restricted"],
    changes: ["let the caller present its number"],
  },
  {
    name: "hidden without a number: no special user",
    trunk: { side: "national" },
    calling: ["from anonymous"],
    verdict: "reject cli-hidden",
    saw: ["hidden-caller", 'from "anonymous" (token: token) restricted'],
    changes: ["let the caller present its number", "send the calling number in From or P-Asserted-Identity"],
  },
  {
    name: "police-listed where the default is reject",
    trunk: { side: "national", fallback: "reject" },
    calling: ["from +85281234567"],
    verdict: "reject police-listed",
    saw: ["deny-lists", "from +85281234567 (foreign) is on police list police", "lists/police.csv:3"],
    changes: [
      "remove +85281234567 from lists/police.csv:3 once its issuer has released it",
      "set default: accept on trunk-1",
    ],
  },
  {
    name: "on a police list",
    calling: ["from +85281234567"],
    trunk: { side: "international" },
    verdict: "reject police-listed",
    saw: ["deny-lists", "from +85281234567 (foreign) is on police list police", "lists/police.csv:3"],
    changes: ["remove +85281234567 from lists/police.csv:3 once its issuer has released it"],
  },
  {
    name: "from abroad",
    calling: ["from +8613912345678"],
    trunk: { side: "international" },
    verdict: "reject home-cli-from-abroad",
    saw: ["home-cli-from-abroad", "from +8613912345678 (mobile) looks like a roaming mobile"],
    changes: ["set roamers to accept, label or withhold (now reject)"],
  },
  {
    name: "from abroad, bare",
    calling: ["from 14155550123"],
    trunk: { side: "international" },
    verdict: "reject home-cli-from-abroad",
    saw: [
      "home-cli-from-abroad",
      "from +14155550123 (foreign) looks domestic without its country code, and is one of another country with it",
    ],
    changes: [
      'have the peer send the true foreign number with its country code behind "+" or 00, or set bareAmbiguous to accept',
    ],
  },
  {
    name: "from abroad, bare and accepted",
    calling: ["from 14155550123"],
    trunk: { side: "international" },
    chain: { "home-cli-from-abroad": { mode: "enforce", options: { bareAmbiguous: "accept" } } },
    verdict: "accept default",
    saw: [
      "home-cli-from-abroad",
      "from +14155550123 (foreign) looks domestic without its country code, and is one of another country with it; bareAmbiguous: accept",
    ],
    changes: ["set bareAmbiguous to reject"],
  },
  {
    name: "the police's number from another carrier",
    calling: ["from 010110"],
    trunk: { side: "national" },
    verdict: "accept default",
    saw: ["number-class", "from +8610110 (emergency); a code of a public authority, only noted"],
    changes: ["name emergency in classes of number-class, beside those refused now"],
  },
  {
    name: "forwarded without a licence",
    diversion: ["div +861087654322"],
    verdict: "reject diversion-unlicensed",
    saw: ["diversion-licence", "last diverting party diversion +861087654322 (fixed)", "lists/acme.csv:2"],
    changes: [
      "add +861087654322 as a row of its own with may_forward yes, beside the range or prefix at lists/acme.csv:2",
    ],
  },
  {
    name: "emergency",
    called: "110",
    calling: ["from anonymous"],
    verdict: "accept emergency",
    saw: ["emergency", "called 110: an emergency service"],
    changes: ["the other rules apply only to another called number"],
  },
  {
    name: "a rule in monitor is what would refuse",
    chain: { "caller-authentication": { mode: "monitor", options: {} } },
    calling: ["from +861087654400"],
    verdict: "accept default",
    saw: ["caller-authentication", "+861087654400 is not in lists/acme.csv"],
    changes: ["set caller-authentication to enforce"],
  },
  {
    name: "no rule decides",
    trunk: { side: "national" },
    calling: ["from +442079460000"],
    verdict: "accept default",
    saw: ["caller-authentication", "nothing to do on this trunk"],
    changes: ["set default: reject on trunk-1"],
  },
  {
    name: "default: reject",
    trunk: { side: "national", fallback: "reject" },
    calling: ["from +442079460000"],
    verdict: "reject cli-not-listed",
    saw: ["number-class", "from +442079460000 (foreign)"],
    changes: ["set default: accept on trunk-1"],
  },
];

void t.test("explain: what a rule saw, which line decided, what would turn it around", (t) => {
  const denyLists = [makeDenyList("police", "police", ["+442079460001", "+85281234567"])];
  const specialUsers = [makeSpecialUser("+861087654300")];
  for (const row of rows) {
    const trunk = makeTrunk(row.trunk);
    const own = row.lesseeNumbers === undefined ? {} : { lesseeNumbers: row.lesseeNumbers };
    const tables = makeTables(trunk, { denyLists: row.denyLists ?? denyLists, specialUsers, ...own });
    const screen = compileScreen(makeChain(row.chain), tables, "r1");
    const explanation = explainAttempt(screen, makeAttempt(trunk, row), makeState());
    t.equal(sayVerdict(explanation.decision), row.verdict, row.name);
    t.same(
      explanation.rules.map(({ rule }) => rule),
      rules.map(({ id }) => id),
      `${row.name}: every rule in order`,
    );
    const [rule, saw, line] = row.saw;
    const told = explanation.rules.find((candidate) => candidate.rule === rule);
    t.match({ saw: told?.saw, line: told?.line }, { saw, line }, row.name);
    t.same(explanation.changes, row.changes, `${row.name}: changes`);
    const deciding = explanation.rules.filter(({ part }) => part === "decided").map(({ rule: id }) => id);
    t.same(
      deciding,
      ruleIds.filter((id) => id === explanation.decision.rule),
      `${row.name}: who decided`,
    );
  }
  t.end();
});

void t.test("explain: limits of the running state, without paying", (t) => {
  const trunk = makeTrunk({ limits: { callsPerSecond: 2, attemptsPerCallerPerMinute: 1 } });
  const screen = compileScreen(makeChain(), makeTables(trunk), "r1");
  const state = makeState();
  const first = makeAttempt(trunk);
  for (let i = 0; i < 3; i++) explainAttempt(screen, first, state);
  t.equal(sayVerdict(screen.judge(first, state)), "accept listed");
  const { decision, changes } = explainAttempt(
    screen,
    makeAttempt(trunk, { callId: "next", at: NOW + 1000 }),
    state,
  );
  t.equal(sayVerdict(decision), "reject frequency-exceeded");
  t.same(changes, ["wait 60000 ms, or raise attemptsPerCallerPerMinute or frequency"]);
  const repeated = explainAttempt(screen, first, state);
  t.equal(sayVerdict(repeated.decision), "accept listed", "a repeat of the call that has paid");
  t.match(
    repeated.rules.find(({ rule }) => rule === "call-frequency"),
    {
      rule: "call-frequency",
      part: "behind",
      said: { reason: "frequency-exceeded" },
    },
  );
  t.end();
});

void t.test("explain: core", (t) => {
  const trunk = makeTrunk({ side: "core" });
  const { rules: told, changes } = explainAttempt(
    compileScreen(makeChain(), makeTables(trunk), "r1"),
    makeAttempt(trunk),
    makeState(),
  );
  t.same(told, []);
  t.same(changes, ["screen trunk-1 by giving it another side than core"]);
  t.end();
});

const files: Readonly<Record<string, string>> = {
  "sigwall.yaml":
    "engine: embedded\nlisten: [udp:127.0.0.1:5060]\nadmin: 127.0.0.1:9464\npolicy: policy.yaml\n",
  "policy.yaml": `version: 1
trunks:
  - id: line
    side: lessee
    match: { addresses: [192.0.2.1] }
    lessee: acme
    areaCode: "10"
    nextHops: ["sip:192.0.2.9:5060"]
lessees:
  - { id: acme, numbers: acme.csv }
rules:
  hidden-caller: { mode: monitor }
  cli-conflict: { mode: off }
`,
  "acme.csv": "number\n+861087654321\n",
  "invite.sip": [
    "INVITE sip:02787654321@192.0.2.2 SIP/2.0",
    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
    "Max-Forwards: 70",
    "From: <sip:+861087654321@192.0.2.1>;tag=1",
    "To: <sip:02787654321@192.0.2.2>",
    "Call-ID: 1@192.0.2.1",
    "CSeq: 1 INVITE",
    "P-Asserted-Identity: <sip:+861087654400@192.0.2.1>",
    "Privacy: id",
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n"),
};

/** Runs the command over files in memory. */
function runExplain(given: Partial<ExplainOptions>, replaced: Readonly<Record<string, string>> = {}) {
  const all = { ...files, ...replaced };
  let stdout = "";
  let stderr = "";
  const code = explainCall(
    {
      config: "sigwall.yaml",
      trunk: "line",
      from: undefined,
      to: undefined,
      message: undefined,
      json: false,
      ...given,
    },
    {
      stdout: { write: (text) => (stdout += text) },
      stderr: { write: (text) => (stderr += text) },
      readFile: (path) => {
        const text = all[path];
        return text === undefined ? { error: "no such file" } : { bytes: Buffer.from(text) };
      },
      now: NOW,
    },
  );
  return { code, stdout, stderr };
}

void t.test("sigwall explain: an aligned table for people", (t) => {
  const { code, stdout, stderr } = runExplain({ from: "010-8765-4400", to: "110110" });
  t.equal(code, 0);
  t.equal(stderr, "");
  const lines = stdout.split("\n");
  t.match(lines[0], /^trunk line \(lessee\), policy revision [0-9a-f]+$/);
  t.match(stdout, /^ {2}hidden-caller +monitor +abstains +no sign of a hidden caller$/m);
  t.match(stdout, /^ {2}cli-conflict +off +\(abstains\)/m);
  t.match(
    stdout,
    /^▶ caller-authentication +enforce +reject cli-not-listed +\+861087654400 is not in acme\.csv$/m,
  );
  t.match(stdout, /^verdict: reject cli-not-listed, decided by caller-authentication$/m);
  t.match(stdout, /^to turn it around: add \+861087654400 to acme\.csv$/m);
  t.end();
});

/** The last line of the command: the verdict. */
function verdictOf(stdout: string): unknown {
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
}

void t.test("sigwall explain: doing what it says turns the verdict around", (t) => {
  const asked = { from: "+861087654400", to: "02787654321", json: true };
  t.match(verdictOf(runExplain(asked).stdout), {
    verdict: "reject",
    reason: "cli-not-listed",
    changes: ["add +861087654400 to acme.csv"],
  });
  const extended = { "acme.csv": `${files["acme.csv"]}+861087654400\n` };
  t.match(verdictOf(runExplain(asked, extended).stdout), {
    verdict: "accept",
    reason: "listed",
    changes: ["remove +861087654400 from acme.csv:3"],
  });
  t.end();
});

void t.test("sigwall explain --json: one object a rule, then the verdict, nothing else", (t) => {
  const { code, stdout } = runExplain({ message: "invite.sip", json: true });
  t.equal(code, 0);
  const objects = stdout
    .trimEnd()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
  t.equal(objects.length, rules.length + 1);
  t.match(objects[2], {
    rule: "hidden-caller",
    mode: "monitor",
    part: "ran",
    verdict: "reject",
    reason: "cli-hidden",
  });
  t.match(objects.at(-1), {
    trunk: "line",
    verdict: "reject",
    reason: "cli-not-listed",
    shadow: ["hidden-caller"],
  });
  t.end();
});

void t.test("sigwall explain: what can't be explained", (t) => {
  const numbers = { from: "+861087654321", to: "110" };
  t.match(runExplain({ ...numbers, trunk: "lime" }), {
    code: 2,
    stdout: "",
    stderr: /unknown trunk "lime"; did you mean "line"\?/,
  });
  t.match(runExplain({ from: "+861087654321" }), {
    code: 2,
    stdout: "",
    stderr: /--from and --to, or --message/,
  });
  t.match(runExplain({ message: "nosuch.sip" }), {
    code: 1,
    stdout: "",
    stderr: /nosuch\.sip: no such file/,
  });
  t.match(runExplain({ message: "junk" }, { junk: "INVITE sip:a@b SIP/2.0\r\nVia: x" }), {
    code: 1,
    stdout: "",
    stderr: /message-malformed/,
  });
  t.match(runExplain(numbers, { "acme.csv": "number\nnonsense\n" }), {
    code: 1,
    stdout: "",
    stderr: /acme\.csv:2:1/,
  });
  t.match(runExplain({ ...numbers, config: "nosuch.yaml" }), { code: 1, stdout: "", stderr: /nosuch\.yaml/ });
  t.end();
});
