import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { readFromDisk } from "../../src/app/read-file.ts";
import { rehearse, type RehearseOptions } from "../../src/cli/change/rehearse.ts";
import {
  compareJudgements,
  type Difference,
  type Judgement,
  sayJudgement,
} from "../../src/replay/rehearsing/change-tally.ts";
import { loadPolicy } from "../../src/config/load-policy.ts";
import { keepPolicy } from "../../src/records/policies/policy-keeping.ts";
import { decided, ended, gather, HOUR, openRecords, type Ran, seal } from "../support/records-folder.ts";

const policyText = `
version: 1
trunks:
  - { id: lease, side: lessee, lessee: bank, areaCode: "10", match: { addresses: [203.0.113.10] } }
  - { id: peer, side: national, match: { addresses: [203.0.113.20] } }
lessees: [{ id: bank, numbers: bank.csv }]
lists: { police: { kind: police, file: police.csv } }
rules: { bodies: { mode: enforce } }
`;
const listText = "number\n+861087654300..+861087654399\n";
const policeText = "number\n+861066660000\n";

const at = (minute: number): string => new Date(HOUR + minute * 60_000).toISOString();
const from = (number: string, source = "from"): object => ({
  calling: [{ source, raw: number, number, presentation: "allowed" }],
});
const accepted = {
  verdict: "accept",
  reason: "listed",
  rule: "default",
  action: "forwarded",
  status: undefined,
};

interface Place {
  readonly folder: string;
  readonly records: string;
  readonly run: (options?: Partial<RehearseOptions>) => Promise<Ran>;
  readonly edit: (file: string, from: string, to: string) => void;
}

/** Records of one hour, the policy that they were judged by, and the same policy to edit. */
function open(t: Test): Place {
  const { folder, records, write } = openRecords(t);
  const put = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  put("policy.yaml", policyText);
  put("bank.csv", listText);
  put("police.csv", policeText);
  put("sigwall.yaml", "listen: [udp:127.0.0.1:5060]\npolicy: policy.yaml\nrecords: { folder: records }\n");
  const { material } = loadPolicy(readFromDisk, join(folder, "policy.yaml"));
  if (material === undefined) throw new Error("the example is wrong");
  mkdirSync(join(folder, "policies"));
  keepPolicy(
    { folder: join(folder, "policies"), node: "gw-a" },
    material,
    { engine: "embedded", listeners: [] },
    readFromDisk,
    HOUR,
  );
  const { revision } = material;
  const line = (id: string, minute: number, given: object): object =>
    decided({ id, time: at(minute), revision, ...given });
  write("2026-10-03/08-gw-a.ndjson", [
    line("listed-1", 1, { ...accepted, ...from("+861087654321") }),
    line("listed-2", 2, { ...accepted, ...from("+861087654322") }),
    ended({ id: "listed-1", time: at(3) }),
    line("unlisted", 4, from("+861087654400")),
    line("hidden", 5, {
      calling: [{ source: "from", raw: "anonymous", why: "token", presentation: "restricted" }],
      reason: "cli-hidden",
      rule: "hidden-caller",
      status: 433,
      privacy: ["id"],
    }),
    line("frequent", 6, {
      ...from("+861087654321"),
      reason: "call-rate-exceeded",
      rule: "call-rate",
      status: 503,
    }),
    line("overload", 7, { ...from("+861087654321"), reason: "overload", rule: "protocol", status: 503 }),
    line("body", 8, {
      ...from("+861087654321"),
      reason: "body-names-caller",
      rule: "bodies",
      bodies: ["application/sdp", "application/x-own"],
    }),
    line("peer", 9, {
      ...accepted,
      ...from("+861066660001"),
      reason: "default",
      trunk: "peer",
      lessee: undefined,
      source: "203.0.113.20:5060",
    }),
    line("elsewhere", 10, {
      ...accepted,
      ...from("+861087654321"),
      trunk: "gone",
      source: "198.51.100.1:5060",
    }),
  ]);
  const base: RehearseOptions = {
    config: join(folder, "sigwall.yaml"),
    records: [],
    since: "2026-10-03",
    until: "2026-10-04",
    maxChanges: undefined,
    counts: false,
    json: true,
  };
  return {
    folder,
    records,
    run: (options = {}) => gather((output) => rehearse({ ...base, ...options }, { ...output, now: HOUR })),
    edit(file, before, after) {
      const text = { "policy.yaml": policyText, "bank.csv": listText, "police.csv": policeText }[file] ?? "";
      if (!text.includes(before)) throw new Error(`${file} has no ${before}`);
      put(file, text.replace(before, after));
    },
  };
}

const notAnew = [
  [1, /how many calls there were is not in the record/],
  [1, /before the rules were asked/],
  [1, /does not give back its own verdict/],
  [1, /its trunk is not in the new policy/],
] as const;

void t.test("the same policy: nothing changes, and what can't be judged anew is counted", async (t) => {
  const { run } = open(t);
  const ran = await run();
  t.equal(ran.code, 0, ran.err);
  const { attempts, same, changed, unjudged, unheld, held } = JSON.parse(ran.out);
  t.same({ attempts, same, changed }, { attempts: 9, same: 5, changed: 0 });
  t.match(
    unjudged.map(({ count, why }: { count: number; why: string }) => [count, why]),
    notAnew,
  );
  t.same(unheld, [
    { rule: "bodies", what: "what stood in bodies other than SDP", count: 1 },
    { rule: "number-class", what: "the category of the caller (operator, police, test)", count: 6 },
  ]);
  t.same(
    held.join(" "),
    "emergency line-state hidden-caller caller-form cli-conflict display-name diversion-licence deny-lists caller-authentication",
  );
});

/** An edit of the policy, and the changes that it makes. */
const rows: readonly (readonly [
  name: string,
  file: string,
  from: string,
  to: string,
  changes: readonly string[],
])[] = [
  [
    "a number less",
    "bank.csv",
    "654399",
    "654321",
    ["lease bank accept listed → reject cli-not-listed 1 listed-2"],
  ],
  [
    "a number more",
    "bank.csv",
    "654399",
    "654400",
    ["lease bank reject cli-not-listed → accept listed 1 unlisted"],
  ],
  [
    "a rule in monitor mode",
    "policy.yaml",
    "rules: {",
    "rules: { hidden-caller: { mode: monitor }, caller-form: { mode: monitor },",
    [],
  ],
  [
    "a number on the police list",
    "police.csv",
    "66660000",
    "66660001",
    ["peer  accept default → reject police-listed 1 peer"],
  ],
  [
    "a trunk of another name: its source finds it",
    "policy.yaml",
    "id: lease, side: lessee, lessee: bank",
    "id: lease, side: lessee, lessee: bank, default: accept",
    [],
  ],
  [
    "the trunk becomes another side",
    "policy.yaml",
    "id: peer, side: national",
    "id: peer, side: international",
    ["peer  accept default → reject home-cli-from-abroad 1 peer"],
  ],
];

void t.test("what an edit would change", async (t) => {
  for (const [name, file, before, after, wanted] of rows) {
    const { run, edit } = open(t);
    edit(file, before, after);
    const ran = await run();
    t.equal(ran.code, 0, `${name} ${ran.err}`);
    const { changes, changed } = JSON.parse(ran.out);
    t.same(
      changes.map((change: Record<string, unknown>) =>
        [
          change["trunk"],
          change["lessee"],
          change["before"],
          "→",
          change["after"],
          change["count"],
          change["ids"],
        ].join(" "),
      ),
      wanted,
      name,
    );
    t.equal(changed, wanted.length, name);
  }
});

function waysOf(ways: readonly Record<string, unknown>[]): readonly string[] {
  return ways.map(({ before, after, count }) => `${String(before)} → ${String(after)} ${String(count)}`);
}

function judged(text: string): Judgement {
  const [kind = "", reason = "", ...marks] = text.split(" ");
  return { kind, reason, marks };
}

void t.test(
  "the same outcome for another reason is no change, and the bound does not count it",
  async (t) => {
    const { run, edit } = open(t);
    edit(
      "policy.yaml",
      "rules: {",
      "rules: { caller-authentication: { mode: monitor }, hidden-caller: { mode: monitor }, caller-form: { mode: monitor },",
    );
    const ran = await run({ maxChanges: 2 });
    const { same, otherReason, changed, changes, otherReasons } = JSON.parse(ran.out);
    t.same(waysOf(otherReasons), ["accept listed → accept default 2"]);
    t.same(waysOf(changes), [
      "reject cli-not-listed → accept default 1",
      "reject cli-hidden → accept default 1",
    ]);
    t.same([same, otherReason, changed], [1, 2, 2]);
    t.equal(ran.code, 0, ran.err);
    t.equal((await run({ maxChanges: 1 })).code, 1);
    const { out } = await run({ json: false });
    t.match(
      out,
      /2 with the same outcome for another reason, which is no change:\n {2}2 × lease \(bank\): accept listed → accept default/,
    );
  },
);

void t.test("what becomes of a call: its verdict, and marks that change the message", (t) => {
  const cases: readonly (readonly [before: string, after: string, difference: Difference])[] = [
    ["accept listed", "accept listed", "none"],
    ["accept listed", "accept default", "reason"],
    ["accept listed", "accept listed observe", "none"],
    ["accept listed", "accept listed strip", "outcome"],
    ["accept listed", "label cli-not-listed label", "outcome"],
    ["label a label", "label b label", "reason"],
    ["label a label", "label a", "none"],
    ["label a label", "label a label strip", "outcome"],
    ["label a label", "withhold a withhold", "outcome"],
    ["label a label withhold", "withhold a withhold label", "reason"],
    ["reject a", "reject b", "reason"],
    ["reject a", "reject a strip", "none"],
    ["reject a", "drop a", "outcome"],
    ["reject a", "accept listed", "outcome"],
  ];
  for (const [before, after, difference] of cases)
    t.equal(compareJudgements(judged(before), judged(after)), difference, `${before} → ${after}`);
  t.equal(sayJudgement(judged("accept listed strip observe")), "accept listed + strip");
  t.end();
});

void t.test("a bound over nothing that was judged is no gate", async (t) => {
  const { run } = open(t);
  const none = await run({ since: "2026-10-05", until: "2026-10-06", maxChanges: 0 });
  t.equal(none.code, 2);
  t.match(none.err, /no attempt was found, so that --max-changes says nothing/);
  t.equal(
    (await run({ since: "2026-10-05", until: "2026-10-06" })).code,
    0,
    "without a bound nothing is promised",
  );
});

void t.test("with counts: limits and detectors of the new policy run over the recorded calls", async (t) => {
  const { run, edit } = open(t);
  edit(
    "policy.yaml",
    "lessees: [{ id: bank, numbers: bank.csv }]",
    "lessees: [{ id: bank, numbers: bank.csv, limits: { frequency: [{ per: lessee, calls: 2, within: 1h }] } }]\ndetectors: { one-ring: {} }",
  );
  const without = JSON.parse((await run()).out);
  t.equal(without.changed, 0, "without them nothing changes");
  t.match(
    without.unheld.find(({ rule }: { rule: string }) => rule === "call-frequency"),
    { count: 4, what: /how many calls there were/ },
    "and the limit is named with the calls that it would have counted",
  );
  const { otherReasons, unjudged, findings } = JSON.parse((await run({ counts: true })).out);
  t.same(
    otherReasons.map((change: Record<string, unknown>) => [change["before"], change["after"], change["ids"]]),
    [["reject call-rate-exceeded", "reject frequency-exceeded", ["frequent"]]],
    "the third call within the hour; the policy has no rate any more",
  );
  t.notMatch(JSON.stringify(unjudged), /how many calls there were/);
  t.same(findings, []);
});

void t.test("sealed hours give the same", async (t) => {
  const { run, edit, records } = open(t);
  edit("bank.csv", "654399", "654321");
  const before = (await run()).out;
  const sealed = await seal(records);
  if (sealed.code !== 0) {
    t.pass("sealing", { skip: `no hour can be sealed here: ${sealed.err}` });
    return;
  }
  t.equal((await run()).out, before);
});

void t.test("for people, and bounds", async (t) => {
  const { run, edit } = open(t);
  edit("bank.csv", "654399", "654321");
  const told = await run({ json: false });
  t.equal(
    told.out.split("\n").slice(0, 3).join("\n"),
    [
      "9 attempts: 4 with the same verdict, 1 with another one",
      "  1 × lease (bank): accept listed → reject cli-not-listed, by caller-authentication: listed-2",
      '4 could not be judged anew, which does not mean "no change":',
    ].join("\n"),
  );
  t.match(told.out, /1 were judged without what the rule bodies reads: what stood in bodies other than SDP/);
  t.equal((await run({ maxChanges: 1 })).code, 0);
  const above = await run({ maxChanges: 0 });
  t.equal(above.code, 1);
  t.match(above.err, /1 verdicts would change, more than 0/);
});

void t.test("what can't be rehearsed", async (t) => {
  const { run, edit, folder } = open(t);
  t.match(await run({ since: "some day" }), {
    code: 2,
    err: /--since "some day" is no time; expected 2026-11-30/,
  });
  t.match(await run({ records: [join(folder, "none")] }), { code: 2, err: /no such folder/ });
  t.match(await run({ since: "yesterdy" }), {
    code: 2,
    err: /--since "yesterdy" is no time; expected 2026-11-30/,
  });
  t.match(await run({ config: join(folder, "policy.yaml") }), {
    code: 2,
    err: /is a policy; give the sigwall\.yaml/,
  });
  const other = join(folder, "other");
  mkdirSync(other);
  writeFileSync(join(other, "letter.txt"), "");
  t.match(await run({ records: [other] }), { code: 2, err: /is no records folder/ });
  writeFileSync(
    join(folder, "next.yaml"),
    "listen: [udp:127.0.0.1:5060]\npolicy: policy.yaml\nrecords: { folder: new/records }\n",
  );
  t.match(await run({ config: join(folder, "next.yaml") }), {
    code: 2,
    err: /new\/records: no such folder; .*next\.yaml names it, give --records DIR for the folder of the running filter/,
  });
  edit("policy.yaml", "side: national", "side: nowhere");
  t.match(await run(), { code: 2, err: /the new policy has errors:\n.*policy\.yaml:5:\d+/ });
});

void t.test("--most: so many ways are told, and all are counted", async (t) => {
  const { run, edit } = open(t);
  edit("bank.csv", "654399", "654321");
  edit("police.csv", "66660000", "66660001");
  const { out } = await run({ most: 1 });
  t.match(JSON.parse(out), { revision: /^[0-9a-f]{12}$/u, changed: 2, changes: { length: 1 } });
  t.match((await run({ most: 1, json: false })).out, "and 1 more kinds; --json has all");
});
