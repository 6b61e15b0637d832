// The rules do-not-call and marketing, compiled from a policy: who is meant, hours by area and day, lists by industry, calls back.
import t from "tap";
import type { CallAttempt } from "../../src/domain/attempt.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { explainAttempt } from "../../src/screening/chain/explanation.ts";
import { possibleDecisions } from "../../src/screening/chain/possible-decisions.ts";
import { noteEmergencyCall } from "../../src/screening/emergency-parties.ts";
import { createCallBackListener } from "../../src/screening/rules/call-back-events.ts";
import { type AttemptSpec, makeAttempt, makeState } from "../support/attempt.ts";
import { compileText } from "../support/proxy.ts";
import { sayVerdict } from "../support/rule-table.ts";

const policyText = `version: 1
trunks:
  - { id: core, side: core, match: { addresses: [198.51.100.1] } }
  - { id: loans, side: lessee, match: { addresses: [203.0.113.10] }, lessee: loans, areaCode: "10", nextHops: ["sip:198.51.100.1:5060"] }
  - { id: flats, side: lessee, match: { addresses: [203.0.113.11] }, lessee: flats, areaCode: "10", nextHops: ["sip:198.51.100.1:5060"] }
  - { id: bank, side: lessee, match: { addresses: [203.0.113.12] }, lessee: bank, areaCode: "10", nextHops: ["sip:198.51.100.1:5060"] }
  - { id: school, side: lessee, match: { addresses: [203.0.113.13] }, lessee: school, areaCode: "10", nextHops: ["sip:198.51.100.1:5060"] }
  - { id: counted, side: lessee, match: { addresses: [203.0.113.14] }, lessee: loans, areaCode: "10", nextHops: ["sip:198.51.100.1:5060"], rules: { marketing: { mode: monitor }, do-not-call: { mode: "off" } } }
  - { id: other, side: national, match: { addresses: [203.0.113.20] }, nextHops: ["sip:198.51.100.1:5060"] }
lessees:
  - { id: loans, industry: Finance, marketing: true, numbers: loans.csv }
  - { id: flats, industry: real estate, numbers: flats.csv }
  - { id: bank, industry: finance, numbers: bank.csv }
  - { id: school, industry: real estate, marketing: false, numbers: school.csv }
marketing:
  industries: [Real Estate]
  calendar: days.csv
  workdays: ["12:00-14:00", "21:00-08:00"]
  restDays: ["00:00-10:00", "20:00-24:00"]
  areas:
    - { provinces: [广东], workdays: ["22:00-08:00"] }
    - { codes: ["755"], workdays: ["23:00-07:00"], restDays: [] }
lists:
  dnc: { file: dnc.csv, kind: do-not-call }
  no-loans: { file: no-loans.csv, kind: do-not-call, industry: ＦＩＮＡＮＣＥ }
rules:
  caller-authentication: { mode: enforce }
`;

const lists = {
  "loans.csv": "number\n95177\n96169\n+861087650000..+861087650099\n",
  "flats.csv": "number\n95188\n",
  "bank.csv": "number\n95588\n+861087654321\n",
  "school.csv": "number\n+861066660000\n",
  "days.csv": "date,kind,name\n2026-10-01,holiday,国庆节\n2026-10-10,workday,调休\n",
  "dnc.csv":
    "number,industry,valid_to\n+8613900003333,,\n+8613900004444,finance,\n+8613900004444,教育,\n+8613900005555,Real Estate,\n+8613900006666,,2026-10-08\n+8675522220000..+8675522220099,finance,\n+8675522220050,教育,\n12345,,\n",
  "no-loans.csv": "number\n+8613900007777\n",
};

const policy = compileText(policyText, lists);
const state = makeState();

function attemptOn(
  where: Policy,
  trunk: string,
  time: string,
  from: string,
  to: string,
  spec: AttemptSpec = {},
): CallAttempt {
  const found = where.trunkById(trunk);
  if (found === undefined) throw new Error(trunk);
  return makeAttempt(found.trunk, { calling: [`from ${from}`], called: to, at: Date.parse(time), ...spec });
}

function judge(
  trunk: string,
  time: string,
  from: string,
  to: string,
  where = policy,
  remembered = state,
): string {
  const attempt = attemptOn(where, trunk, time, from, to);
  return sayVerdict(where.trunkById(trunk)!.screen.judge(attempt, remembered));
}

/** A Friday with work. */
const day = "2026-10-09T15:00:00+08:00";
const listed = "accept listed";
const hours = "reject marketing-hours";
const number = "reject marketing-number";
const refused = "reject do-not-call";

/** The decisions of both rules that a trunk announces to counters. */
function announcedOf(id: string): readonly string[] {
  return possibleDecisions(policy.trunkById(id)!.screen)
    .filter(({ rule }) => rule === "marketing" || rule === "do-not-call")
    .map(({ reason, isMonitored }) => `${reason}${isMonitored ? ", monitored" : ""}`);
}

void t.test("who is meant: marketing: true, or an industry of marketing", (t) => {
  for (const [name, trunk, from, says] of [
    ["marketing: true", "loans", "+861087650000", number],
    ["by its industry", "flats", "95188", listed],
    ["an industry that is none of marketing", "bank", "+861087654321", listed],
    ["marketing: false says no to the industry", "school", "+861066660000", listed],
    ["another trunk of the lessee, in mode monitor", "counted", "+861087650000", listed],
    ["another network", "other", "+862166600123", "accept default"],
  ] as const)
    t.equal(judge(trunk, day, from, "02787654321"), says, name);
  t.same(announcedOf("loans"), ["do-not-call", "marketing-hours", "marketing-number"]);
  t.same(announcedOf("counted"), ["marketing-hours, monitored", "marketing-number, monitored"]);
  t.same(announcedOf("bank"), [], "no series of metrics");
  for (const id of ["core", "bank", "school", "other"])
    for (const step of policy.trunkById(id)?.screen.steps ?? [])
      if (step.id === "marketing" || step.id === "do-not-call")
        t.equal(step.check, undefined, `${step.id} costs ${id} nothing`);
  t.end();
});

void t.test("platform numbers only", (t) => {
  for (const [from, says] of [
    ["95177", listed],
    ["01095177", listed],
    ["+8695177", listed],
    ["96169", listed],
    ["02196169", listed],
    ["+861087650000", number],
    ["01087650099", number],
    ["95178", "reject cli-not-listed"],
  ] as const)
    t.equal(judge("loans", day, from, "02787654321"), says, from);
  const attempt = attemptOn(policy, "loans", day, "", "02787654321", {
    calling: ["pai 95177", "from +861087650000"],
  });
  t.equal(
    sayVerdict(policy.trunkById("loans")!.screen.judge(attempt, state)),
    number,
    "every asserted number counts",
  );
  const own = compileText(
    policyText.replace(
      "  calendar: days.csv",
      '  calendar: days.csv\n  platformNumbers: ["+861087650000..+861087650049", "95177"]',
    ),
    lists,
  );
  for (const [from, says] of [
    ["95177", listed],
    ["96169", number],
    ["+861087650049", listed],
    ["+861087650050", number],
  ] as const)
    t.equal(judge("loans", day, from, "02787654321", own), says, `${from} under own numbers`);
  t.end();
});

void t.test("rest hours: the minutes beside them, holidays, days of work on a Saturday", (t) => {
  for (const [time, to, says] of [
    ["2026-10-09T20:59:00+08:00", "02787654321", listed],
    ["2026-10-09T20:59:59.999+08:00", "02787654321", listed],
    ["2026-10-09T21:00:00+08:00", "02787654321", hours],
    ["2026-10-09T21:01:00+08:00", "02787654321", hours],
    ["2026-10-09T07:59:00+08:00", "02787654321", hours],
    ["2026-10-09T08:00:00+08:00", "02787654321", listed],
    ["2026-10-09T11:59:00+08:00", "02787654321", listed],
    ["2026-10-09T12:00:00+08:00", "02787654321", hours],
    ["2026-10-09T13:59:00+08:00", "02787654321", hours],
    ["2026-10-09T14:00:00+08:00", "02787654321", listed],
    ["2026-10-01T09:30:00+08:00", "02787654321", hours],
    ["2026-09-30T09:30:00+08:00", "02787654321", listed],
    ["2026-10-01T13:00:00+08:00", "02787654321", listed],
    ["2026-10-10T09:30:00+08:00", "02787654321", listed],
    ["2026-10-10T13:00:00+08:00", "02787654321", hours],
    ["2026-10-17T09:30:00+08:00", "02787654321", hours],
    ["2026-10-17T13:00:00+08:00", "02787654321", listed],
    // The province; what it does not say of rest days is as elsewhere.
    ["2026-10-09T21:30:00+08:00", "02087654321", listed],
    ["2026-10-09T22:00:00+08:00", "02087654321", hours],
    ["2026-10-09T12:30:00+08:00", "02087654321", listed],
    ["2026-10-01T09:30:00+08:00", "02087654321", hours],
    // The code goes before its province.
    ["2026-10-09T22:30:00+08:00", "075522223333", listed],
    ["2026-10-09T23:00:00+08:00", "075522223333", hours],
    ["2026-10-09T07:00:00+08:00", "075522223333", listed],
    ["2026-10-01T09:30:00+08:00", "075522223333", listed],
    // Without an area: as the policy says of all.
    ["2026-10-09T21:30:00+08:00", "13900000001", hours],
    ["2026-10-09T20:30:00+08:00", "13900000001", listed],
    ["2026-10-09T21:30:00+08:00", "008613900000001", hours],
    ["2026-10-09T21:30:00+08:00", "+862087654321", listed],
    ["2026-10-09T21:30:00+08:00", "00862087654321", listed],
    ["2026-10-09T21:30:00+08:00", "10010", hours],
    ["2026-10-09T21:30:00+08:00", "110", "accept emergency"],
  ] as const)
    t.equal(judge("loans", time, "95177", to), says, `${to} at ${time}`);
  const west = compileText(policyText.replace("version: 1", "version: 1\ntimeZone: Asia/Urumqi"), lists);
  t.equal(
    judge("loans", "2026-10-09T22:59:59+08:00", "95177", "02787654321", west),
    listed,
    "in another zone",
  );
  t.equal(judge("loans", "2026-10-09T23:00:00+08:00", "95177", "02787654321", west), hours);
  t.end();
});

void t.test("do-not-call: by number, industry and date", (t) => {
  for (const [name, trunk, from, to, says] of [
    ["no industry: all marketing", "loans", "95177", "13900003333", refused],
    ["of another lessee too", "flats", "95188", "13900003333", refused],
    ["a lessee whose calls are no marketing", "bank", "95588", "13900003333", listed],
    ["a neighbour", "loans", "95177", "13900003334", listed],
    ["its industry, the second row of another", "loans", "95177", "13900004444", refused],
    ["another industry", "flats", "95188", "13900004444", listed],
    ["the other way round", "flats", "95188", "13900005555", refused],
    ["and its near miss", "loans", "95177", "13900005555", listed],
    ["a row that has expired", "loans", "95177", "13900006666", listed],
    ["the first of a block", "loans", "95177", "075522220000", refused],
    ["the last of a block", "loans", "95177", "+8675522220099", refused],
    ["behind the block", "loans", "95177", "075522220100", listed],
    ["a row of another industry in the block of this one", "loans", "95177", "075522220050", refused],
    ["+86", "loans", "95177", "+8613900003333", refused],
    ["0086", "loans", "95177", "008613900003333", refused],
    ["0", "loans", "95177", "013900003333", refused],
    ["a code", "loans", "95177", "12345", refused],
    ["behind an area code", "loans", "95177", "02112345", refused],
    ["the list of an industry", "loans", "95177", "13900007777", refused],
    ["is for that industry only", "flats", "95188", "13900007777", listed],
    ["a number that hides behind a prefix of a line", "loans", "95177", "1795113900003333", refused],
    ["mode off", "counted", "95177", "13900003333", listed],
  ] as const)
    t.equal(judge(trunk, day, from, to), says, name);
  t.equal(
    judge("loans", "2026-10-08T15:00:00+08:00", "95177", "13900006666"),
    refused,
    "the last day of a row",
  );
  t.end();
});

void t.test("a number that called an emergency service is refused by nothing of marketing for a day", (t) => {
  const remembered = makeState();
  const night = Date.parse("2026-10-09T22:00:00+08:00");
  const call = attemptOn(policy, "other", "2026-10-09T22:00:00+08:00", "+8613900003333", "110");
  for (const [from, after, says] of [
    ["95177", -1, refused],
    ["95177", 0, listed],
    ["+861087650000", 0, listed],
    ["95177", 86_399_000, listed],
    ["+861087650000", 86_399_000, listed],
    ["95177", 86_402_000, refused],
  ] as const) {
    if (after === 0) noteEmergencyCall(call, remembered);
    const time = new Date(night + after).toISOString();
    t.equal(judge("loans", time, from, "13900003333", policy, remembered), says, `${from} after ${after} ms`);
  }
  t.equal(
    judge("loans", "2026-10-09T22:00:00+08:00", "95177", "13900003334", policy, remembered),
    hours,
    "nobody else is",
  );
  t.end();
});

void t.test(
  "an emergency call is refused by nothing of marketing, also where the rule emergency is off",
  (t) => {
    const off = compileText(policyText.replace("rules:\n", "rules:\n  emergency: { mode: off }\n"), {
      ...lists,
      "dnc.csv": `${lists["dnc.csv"]}110,,\n`,
    });
    for (const [from, to, says] of [
      ["95177", "110", listed],
      ["+861087650000", "110", listed],
      ["+861087650000", "02112395", listed],
      ["+861087650000", "12345", refused],
      ["95177", "12110", hours],
      ["+861087650000", "12110", number],
    ] as const)
      t.equal(
        judge("loans", "2026-10-09T22:00:00+08:00", from, to, off, makeState()),
        says,
        `${from} to ${to}`,
      );
    t.end();
  },
);

void t.test("a call back: who has called the lessee within 48 hours", (t) => {
  const remembered = makeState();
  const listen = createCallBackListener(remembered, () => policy.marketing);
  /** A call to a lessee, and whether it was sent on. */
  const call = (trunk: string, time: string, from: string, to: string, isForwarded = true): void => {
    const attempt = attemptOn(policy, trunk, time, from, to);
    const decision = policy.trunkById(trunk)!.screen.judge(attempt, remembered);
    listen({
      kind: "decided",
      call: { id: "c", trunk },
      at: attempt.at,
      decision,
      action: isForwarded ? { kind: "forwarded", hop: "x" } : { kind: "answered", status: 403 },
    });
  };
  const monday = "2026-10-12T15:00:00+08:00";
  const at = (ms: number): string => new Date(Date.parse(monday) + ms).toISOString();
  const said = (to: string, ms = 7 * 3_600_000): string =>
    judge("loans", at(ms), "95177", to, policy, remembered);
  call("core", monday, "13900003333", "95177");
  call("other", monday, "+8613900004444", "01096169");
  call("core", monday, "13900008888", "+861087650042");
  call("core", monday, "13900009999", "95188");
  call("core", monday, "13900001111", "95588");
  call("core", monday, "13900002222", "95177", false);
  call("loans", monday, "95177", "96169");
  for (const [name, to, says] of [
    ["called its platform number, from the core", "13900003333", listed],
    ["called from another network", "13900004444", listed],
    ["called another number of the lessee", "13900008888", listed],
    ["called another lessee", "13900009999", hours],
    ["called a lessee of another kind", "13900001111", hours],
    ["a call that was refused", "13900002222", hours],
    ["the lessee's own call", "95177", hours],
    ["never called", "13900003334", hours],
  ] as const)
    t.equal(said(to), says, name);
  t.equal(
    judge("loans", at(3_600_000), "+861087650000", "13900003333", policy, remembered),
    number,
    "platform numbers all the same",
  );
  t.equal(
    judge("flats", at(3_600_000), "95188", "13900003333", policy, remembered),
    refused,
    "not of another lessee",
  );
  const window = 48 * 3_600_000;
  t.equal(said("13900003333", window - 1000), listed, "just within 48 h");
  t.equal(said("13900003333", window + 3_600_000), refused, "beyond 48 h, at most 2 % late");
  const never = compileText(policyText.replace("  calendar:", "  callBack: 0h\n  calendar:"), lists);
  t.equal(judge("loans", at(1000), "95177", "13900003333", never, remembered), refused, "callBack: 0h");
  t.end();
});

void t.test("explain says lists, lines, area, day, hours and exemptions", (t) => {
  const remembered = makeState();
  remembered.callBacks.note(
    "loans",
    48 * 3_600_000,
    8_613_900_003_333,
    Date.parse("2026-10-01T09:00:00+08:00"),
  );
  const told = (time: string, from: string, to: string) => {
    const attempt = attemptOn(policy, "loans", time, from, to);
    const { rules } = explainAttempt(policy.trunkById("loans")!.screen, attempt, remembered);
    return ["do-not-call", "marketing"].map((id) => rules.find(({ rule }) => rule === id));
  };
  const holiday = "2026-10-01T09:30:00+08:00";
  t.match(told(holiday, "95177", "13900004444"), [
    {
      said: { reason: "do-not-call", facts: { list: "dnc", line: "dnc.csv:3" } },
      saw: "called +8613900004444 is on dnc",
      line: "dnc.csv:3",
      change: "remove +8613900004444 from dnc.csv:3",
    },
    {
      said: { reason: "marketing-hours", facts: { hours: "00:00-10:00", area: "none" } },
      saw: "called +8613900004444 of no area, 2026-10-01 09:30 on a rest day in Asia/Shanghai: rest hours 00:00-10:00",
      change: "call outside of 00:00-10:00, or set marketing: false on lessee loans if its calls are none",
    },
  ]);
  t.match(told(holiday, "95177", "13900003333"), [
    {
      said: undefined,
      saw: "called +8613900003333 is on dnc; it has called loans within 48 h, and may be called back",
      line: "dnc.csv:2",
    },
    {
      said: undefined,
      saw: "called +8613900003333 of no area, 2026-10-01 09:30 on a rest day in Asia/Shanghai: rest hours 00:00-10:00; it has called loans within 48 h, and may be called back",
    },
  ]);
  t.match(told("2026-10-10T09:30:00+08:00", "+861087650000", "02087654321"), [
    { said: undefined, saw: "called +862087654321 is on none of 2 do-not-call lists for this lessee" },
    {
      said: { reason: "marketing-number", facts: { field: "from" } },
      saw: "from +861087650000 (fixed) is none of 95*, 96*; called +862087654321 of area 20, 2026-10-10 09:30 on a day of work in Asia/Shanghai: no rest hours",
      change: "call from one of 95*, 96*, or set marketing: false on lessee loans if its calls are none",
    },
  ]);
  const attempt = attemptOn(policy, "bank", day, "95588", "13900003333");
  const { rules } = explainAttempt(policy.trunkById("bank")!.screen, attempt, remembered);
  t.same(
    rules.filter(({ rule }) => rule === "do-not-call" || rule === "marketing").map(({ part }) => part),
    ["idle", "idle"],
  );
  t.end();
});

void t.test(
  "in mode monitor a finding is only counted; a change within a call is no call of its own",
  (t) => {
    const night = attemptOn(policy, "counted", "2026-10-09T22:00:00+08:00", "95177", "02787654321");
    const counted = policy.trunkById("counted")!.screen.judge(night, state);
    t.equal(sayVerdict(counted), listed);
    t.same(
      counted.shadow.map(({ rule, verdict }) => [rule, verdict.reason]),
      [["marketing", "marketing-hours"]],
    );
    const { screen } = policy.trunkById("loans")!;
    const change = attemptOn(policy, "loans", "2026-10-09T22:00:00+08:00", "95177", "13900003333");
    t.equal(sayVerdict(screen.judge(change, makeState())), refused);
    t.equal(
      sayVerdict(screen.judgeChange(change, makeState())),
      listed,
      "it began before the rest hours, or was free of them",
    );
    t.end();
  },
);

void t.test(
  "other requests than calls disturb nobody: hours and do-not-call are asked for calls alone",
  (t) => {
    const { screen } = policy.trunkById("loans")!;
    for (const [time, to, says] of [
      ["2026-10-09T23:00:00+08:00", "02787654321", hours],
      ["2026-10-09T23:00:00+08:00", "somebody", hours],
      [day, "+8613900003333", refused],
    ] as const) {
      const attempt = attemptOn(policy, "loans", time, "95177", to);
      t.equal(sayVerdict(screen.judgeUnlimited(attempt, makeState())), says, `a call to ${to}`);
      t.equal(sayVerdict(screen.judgeRequest(attempt, makeState())), listed, `a MESSAGE to ${to}`);
    }
    const stranger = attemptOn(policy, "loans", day, "02066660000", "02787654321");
    t.equal(
      sayVerdict(screen.judgeRequest(stranger, makeState())),
      "reject cli-not-listed",
      "other rules hold",
    );
    t.end();
  },
);
