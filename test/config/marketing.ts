// The key marketing and the calendar of holidays: every mistake with its place, what is meant by mistake, and what a reload sees.
import tap from "tap";
import { reviewPolicy } from "../../src/config/review/review.ts";
import { loadPolicy, partsOf, readPolicy } from "../../src/config/load-policy.ts";
import { packPolicy, unpackPolicy } from "../../src/config/policy/policy-transfer.ts";
import { brokenPolicy, filesOf, printed, soundLists } from "./files.ts";

const days = "date,kind,name\n2026-10-01,holiday,国庆节\n2026-10-10,workday,\n";
const files = {
  ...soundLists,
  "acme.csv":
    "number,valid_from,valid_to,verified_on\n+861087654300..+861087654399,2026-01-01,2027-12-31,2026-09-30\n95177,2026-01-01,2027-12-31,2026-09-30\n",
  "days.csv": days,
  "dnc.csv": "number,industry\n+8613900003333,\n",
};

/** The sound policy with a marketing lessee, and this behind `marketing:` on line 2. */
function policyWith(marketing: string, lessee = "marketing: true", list?: string): string {
  const text = brokenPolicy(
    ["version: 1", `version: 1\nmarketing: ${marketing}`],
    ["    numbers: acme.csv", `    numbers: acme.csv\n    ${lessee}`],
  );
  return list === undefined ? text : text.replace("lists:\n", `lists:\n  dnc: ${list}\n`);
}

function errorsOf(
  policy: string,
  given: Readonly<Record<string, string | Uint8Array>> = {},
): readonly string[] {
  const { issues } = loadPolicy(filesOf({ ...files, ...given, "policy.yaml": policy }), "policy.yaml");
  return printed(issues);
}

void tap.test("mistakes in marketing say what and where", async (t) => {
  const rows: readonly (readonly [marketing: string, ...issues: readonly string[]])[] = [
    ["{}"],
    ["{ workdays: [], restDays: [] }"],
    ['{ workdays: ["00:00-24:00"], callBack: 720h, platformNumbers: ["95*", "+861087654300"] }'],
    ['{ areas: [{ codes: ["10"], provinces: [西藏], workdays: [] }], calendar: days.csv }'],
    ["{ hours: [] }", 'policy.yaml:2:14 marketing.hours: unknown key "hours"'],
    [
      "{ calender: days.csv }",
      'policy.yaml:2:14 marketing.calender: unknown key "calender"; did you mean "calendar"?',
    ],
    [
      '{ workdays: ["9pm-8am"] }',
      'policy.yaml:2:25 marketing.workdays[0]: expected a time of day like "21:00-08:00", in quotes',
    ],
    [
      '{ restDays: ["12:00-14:00", "24:00-08:00"] }',
      'policy.yaml:2:40 marketing.restDays[1]: expected a time of day like "21:00-08:00", in quotes',
    ],
    [
      "{ callBack: 48 }",
      "policy.yaml:2:14 marketing.callBack: expected text, got the number 48; write it in quotes",
    ],
    ["{ callBack: 2d }", "policy.yaml:2:14 marketing.callBack: expected hours up to 720, like 48h"],
    ["{ callBack: 721h }", "policy.yaml:2:14 marketing.callBack: expected hours up to 720, like 48h"],
    ["{ callBack: -1h }", "policy.yaml:2:14 marketing.callBack: expected hours up to 720, like 48h"],
    [
      '{ platformNumbers: ["95*", "0000"] }',
      'policy.yaml:2:39 marketing.platformNumbers[1]: "0000" is not a valid number (000 prefix)',
    ],
    [
      '{ areas: [{ codes: ["010"], workdays: [] }] }',
      'policy.yaml:2:32 marketing.areas[0].codes[0]: not an area code of the numbering plan; write it without trunk prefix, like "10" or "755"',
    ],
    [
      "{ areas: [{ provinces: [Tibet], workdays: [] }] }",
      "policy.yaml:2:36 marketing.areas[0].provinces[0]: not a province of the numbering plan, like 广东省",
    ],
    ["{ areas: [{ workdays: [] }] }", "policy.yaml:2:22 marketing.areas[0]: needs `codes` or `provinces`"],
    ['{ areas: [{ codes: ["10"] }] }', "policy.yaml:2:22 marketing.areas[0]: needs `workdays` or `restDays`"],
    [
      '{ areas: [{ codes: ["10"], workdays: [] }, { codes: ["10"], restDays: [] }] }',
      "policy.yaml:2:55 marketing.areas[1]: 10 is in an entry before this one too",
    ],
    [
      "{ areas: [{ provinces: [广东], workdays: [] }, { provinces: [广东省], restDays: [] }] }",
      "policy.yaml:2:57 marketing.areas[1]: 广东省 is in an entry before this one too",
    ],
    ["{ calendar: none.csv }", "policy.yaml:2:14 marketing.calendar: can't read none.csv: no such file"],
    ["[]", "policy.yaml:2:1 marketing: expected a map, got a list"],
  ];
  for (const [marketing, ...expected] of rows)
    t.strictSame(errorsOf(policyWith(marketing)), expected, marketing);
  t.strictSame(errorsOf(policyWith("{}", "marketing: yes")), [
    'policy.yaml:21:5 lessees[0].marketing: expected true or false, got "yes"',
  ]);
});

void tap.test("mistakes in the calendar say the line", async (t) => {
  const rows: readonly (readonly [text: string | Uint8Array, ...issues: readonly string[]])[] = [
    [days],
    ["\ufeffDate , KIND\r\n2026-10-01,holiday\r\n\r\n"],
    ["date\n2026-10-01\n", 'days.csv:1:1: the header has no column "kind"'],
    ["day,kind\n2026-10-01,holiday\n", 'days.csv:1:1: the header has no column "date"'],
    [
      "date,kind\n2026-02-29,holiday\n2026/10/01,holiday\n2026-10-01,closed\n2026-10-02,\n2026-10-03,holiday\n2026-10-03,workday\n",
      'days.csv:2:1 date: "2026-02-29" is not a date like 2026-10-01',
      'days.csv:3:1 date: "2026/10/01" is not a date like 2026-10-01; did you mean 2026-10-01?',
      'days.csv:4:12 kind: expected holiday or workday, got "closed"',
      'days.csv:5:12 kind: expected holiday or workday, got ""',
      "days.csv:7:1 date: 2026-10-03 is in the calendar twice",
    ],
    [
      "date,kind\n",
      "days.csv:1:1: the calendar is empty; leave `calendar` out when only Saturdays and Sundays are rest days",
    ],
    [Uint8Array.of(0xff, 0xfe, 0x64, 0x00), "days.csv:1:1: this is UTF-16 text; save the file as CSV UTF-8"],
  ];
  for (const [text, ...expected] of rows) {
    const issues = errorsOf(policyWith("{ calendar: days.csv }"), { "days.csv": text });
    t.strictSame(issues, expected, String(text));
  }
});

function revisionWith(text: string): string | undefined {
  return loadPolicy(
    filesOf({ ...files, "days.csv": text, "policy.yaml": policyWith("{ calendar: days.csv }") }),
    "policy.yaml",
  ).policy?.revision;
}

void tap.test("a calendar is a part of the policy: another one is another revision", async (t) => {
  const first = revisionWith(days);
  t.type(first, "string");
  t.equal(revisionWith(`${days}\n`), first, "a blank line makes no difference");
  t.not(revisionWith(days.replace("workday", "holiday")), first);
});

void tap.test("what the rules know survives the way to another thread, once for all trunks", async (t) => {
  const { material } = readPolicy(
    filesOf({ ...files, "policy.yaml": policyWith("{ calendar: days.csv }", "industry: 电话营销") }),
    "policy.yaml",
  );
  if (material === undefined) throw new Error("the test's own policy is wrong");
  const parcel = packPolicy(partsOf(material));
  const plans = [...unpackPolicy(structuredClone(parcel)).plans];
  const lease = plans.find(({ trunk }) => trunk.id === "lease")?.tables.marketing;
  t.equal(lease?.lessee, "acme-bj");
  t.equal(lease?.industry, "电话营销");
  t.equal(lease?.policy.callBack, 48 * 3_600_000);
  t.same(
    [...(lease?.policy.rest.days ?? [])],
    [
      ["2026-10-01", "holiday"],
      ["2026-10-10", "workday"],
    ],
  );
  t.ok((lease?.policy.ownNumbers.find(-95_177, Date.parse("2026-10-01")) ?? -1) >= 0);
  t.equal(lease?.policy.ownNumbers.find(-95_177, Date.parse("2025-10-01")), -2, "inside its dates only");
  t.equal(plans.filter(({ tables }) => tables.marketing !== undefined).length, 1);
});

void tap.test("what is legal and probably not meant", async (t) => {
  const listeners = ["udp:127.0.0.1:5060", "udp:127.0.0.1:5070"];
  const at = Date.parse("2026-09-01T00:00:00Z");
  const review = (
    policyText: string,
    now = at,
    given: Readonly<Record<string, string>> = {},
  ): readonly string[] => {
    const { policy, material } = loadPolicy(
      filesOf({ ...files, ...given, "policy.yaml": policyText }),
      "policy.yaml",
      listeners,
    );
    if (policy === undefined || material === undefined) throw new Error("the test's own policy is wrong");
    return printed(reviewPolicy(policy, material, listeners, now)).filter((issue) =>
      /marketing|industry|dnc/u.test(issue),
    );
  };
  const calendar = policyWith("{ calendar: days.csv }");
  t.strictSame(review(calendar), []);
  t.strictSame(review(calendar, Date.parse("2026-09-20T00:00:00+08:00")), [
    "policy.yaml:2:14 marketing.calendar: warning: ends on 2026-10-10: after that day no holiday is known; add those of the next year",
  ]);
  t.strictSame(review(policyWith("{}", "industry: bank", "{ file: dnc.csv, kind: do-not-call }")), [
    "policy.yaml:2:1 marketing: warning: has no effect: no trunk has a lessee whose calls are marketing",
    "policy.yaml:23:3 lists.dnc: warning: has no effect: no trunk has a lessee whose calls are marketing",
  ]);
  t.strictSame(
    review(policyWith("{}", "marketing: true", "{ file: dnc.csv, kind: do-not-call, industry: loans }")),
    [
      "policy.yaml:23:44 lists.dnc.industry: warning: no lessee whose calls are marketing has the industry loans",
    ],
  );
  t.strictSame(review(policyWith("{}"), at, { "acme.csv": soundLists["acme.csv"] }), [
    "policy.yaml:20:5 lessees[0].numbers: warning: rule marketing refuses every call: no number of acme.csv is one of 95*, 96*",
  ]);
  t.strictSame(
    review(
      policyWith("{}", "industry: bank").replace("rules:\n", "rules:\n  marketing: { mode: monitor }\n"),
    ).slice(1),
    ["policy.yaml:31:3 rules.marketing: warning: can never fire: no lessee's calls are marketing"],
  );
});
