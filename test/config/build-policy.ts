import tap from "tap";
import type { RuleId } from "../../src/domain/rule-id.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { brokenPolicy, filesOf, printed, soundLists, soundPolicy } from "./files.ts";
import { type LoadedPolicy, loadPolicy } from "../../src/config/load-policy.ts";

const listener = "udp:127.0.0.1:5060";

function load(policy: string, lists: Readonly<Record<string, string>> = soundLists): LoadedPolicy {
  return loadPolicy(filesOf({ ...lists, "policy.yaml": policy }), "policy.yaml", [listener]);
}

function compiled(policy: string): Policy {
  const loaded = load(policy);
  if (loaded.policy === undefined) throw new Error(printed(loaded.issues).join("\n"));
  return loaded.policy;
}

void tap.test("a trunk has the defaults of the contract", async (t) => {
  const policy = compiled(soundPolicy);
  const lease = policy.trunkById("lease")?.trunk;
  t.match(lease, {
    index: 1,
    side: "lessee",
    lessee: "acme-bj",
    fallback: "reject",
    exception: "reject",
    identity: "all",
    mustAgree: ["pai", "rpid", "isup"],
    limits: { callsPerSecond: 5 },
    nextHops: [
      {
        id: "127.0.0.1:5090",
        transport: "udp",
        host: "127.0.0.1",
        address: "127.0.0.1",
        port: 5090,
        priority: 1,
        weight: 1,
      },
    ],
    ownNames: [],
    failoverOn503: true,
    passThrough503: true,
    dialPlan: {
      international: false,
      homeArea: "10",
      bareForm: "auto",
      tolerateTrunkZero: false,
      stripTrailingST: false,
    },
  });
  t.equal(lease?.status.size, 0);
  t.match(lease, { mode: "proxy", label: { text: "", displayName: "" } });
  t.equal(lease?.cleanUp, undefined);
  t.equal(lease?.methods.allow, "INVITE, ACK, BYE, CANCEL, PRACK, UPDATE, INFO, OPTIONS");
  const intl = policy.trunkById("intl")?.trunk;
  t.match(intl, { fallback: "accept", limits: {}, dialPlan: { international: true, homeArea: undefined } });
  t.equal(policy.trunkById("core")?.trunk.fallback, "accept");
  t.equal(policy.trunkById("nobody"), undefined);
  t.strictSame(policy.tables, {
    calls: 262_144,
    callBytes: 268_435_456,
    callers: 262_144,
    subjects: 1_048_576,
    recentCalls: 262_144,
    sources: 4096,
    circuits: 65_536,
    transactions: 32_768,
  });
  t.strictSame(policy.nextHopHealth, {
    probes: true,
    interval: 10_000,
    timeout: 2000,
    missesUntilDown: 3,
    answersUntilUp: 2,
    longestInterval: 60_000,
    longestRest: 3_600_000,
  });
});

void tap.test("what a trunk says goes over the defaults", async (t) => {
  const extra = `    default: accept
    exception: drop
    status: { cli-hidden: 486, denylisted: 607 }
    identity: pai-first
    mustAgree: [pai]
    phoneContexts: [PBX.example.com]
    bareForm: local
    tolerateTrunkZero: true
    stripTrailingST: true
    limits: { callsPerSecond: 0.5, attemptsPerCallerPerMinute: 3 }
    mode: redirect
    methods: { MESSAGE: screen, PUBLISH: [presence] }
    strip: [Remote-Party-ID, s]
    label: { text: a }
`;
  const trunk = compiled(brokenPolicy(["    limits: { callsPerSecond: 5 }\n", extra])).trunkById(
    "lease",
  )?.trunk;
  t.match(trunk, {
    fallback: "accept",
    exception: "drop",
    identity: "pai-first",
    mustAgree: ["pai"],
    limits: { callsPerSecond: 0.5, attemptsPerCallerPerMinute: 3 },
    dialPlan: { bareForm: "local", tolerateTrunkZero: true, stripTrailingST: true },
  });
  t.match(trunk, { mode: "redirect", cleanUp: { verstat: false }, label: { text: "a", displayName: "" } });
  t.strictSame([...(trunk?.cleanUp?.fields ?? [])], ["remote-party-id", "subject"]);
  t.equal(trunk?.methods.allow, "INVITE, ACK, CANCEL, OPTIONS, MESSAGE, PUBLISH");
  t.strictSame(
    [...(trunk?.status ?? [])],
    [
      ["cli-hidden", 486],
      ["denylisted", 607],
    ],
  );
  t.strictSame(
    [...(trunk?.dialPlan.phoneContexts ?? [])],
    ["pbx.example.com"],
    "domains are compared in lower case",
  );
});

void tap.test("sources and next hops", async (t) => {
  const policy = compiled(
    brokenPolicy([
      '["sip:127.0.0.1:5090"]\n    limits',
      '["sip:[2001:DB8::1]", "sip:127.0.0.1:5090"]\n    limits',
    ]),
  );
  t.equal(policy.matchTrunk(listener, "127.0.0.1", 5061)?.trunk.id, "lease");
  t.equal(policy.matchTrunk(listener, "127.0.0.1", 5062)?.trunk.id, "intl");
  t.equal(policy.matchTrunk(listener, "127.0.0.1", 5063), undefined);
  t.equal(policy.matchTrunk(listener, "127.0.0.1", 5061), policy.trunkById("lease"));
  for (const [address, port, expected] of [
    ["127.0.0.1", 5090, true],
    ["::ffff:127.0.0.1", 5090, true],
    ["2001:db8::1", 5060, true],
    ["127.0.0.1", 5091, false],
    ["127.0.0.2", 5090, false],
    ["2001:db8::1", 5090, false],
    ["::ffff:7f00:2", 5090, false],
  ] as const) {
    t.equal(policy.isNextHop(address, port), expected, `${address} ${port}`);
  }
});

void tap.test("what rules look up", async (t) => {
  const { plans = [] } = load(soundPolicy).material ?? {};
  const [core, lease, intl] = plans;
  t.equal(lease?.tables.lesseeNumbers?.file, "acme.csv");
  t.equal(lease?.tables.lesseeNumbers?.numbers.find(861087654300, Date.parse("2026-06-01")), 0);
  t.equal(intl?.tables.lesseeNumbers, undefined);
  t.strictSame(
    core?.tables.denyLists.map(({ id, kind }) => [id, kind]),
    [["police", "police"]],
  );
  t.equal(intl?.tables.specialUsers.length, 0, "a special user is one on its own trunk only");
  const [user] = lease?.tables.specialUsers ?? [];
  t.equal(user?.key, 861087654300);
  t.equal(user?.until, Date.parse("2027-01-31T16:00:00Z"), "until the end of the last day in Shanghai");
  t.ok(user?.allow.has("hidden"));
});

/** The compiled setting of a rule on the lessee trunk. */
function settingOf(globalRules: string, trunkRules: string, id: RuleId): unknown {
  const text = brokenPolicy(
    ["rules:\n  hidden-caller: { mode: enforce }", `rules: ${globalRules}`],
    ["limits: { callsPerSecond: 5 }", `rules: ${trunkRules}`],
  );
  return load(text).material?.plans[1]?.chain[id];
}

function roamers(mode: string, value: string): unknown {
  return { mode, options: { roamers: value } };
}

void tap.test("a trunk's rules go over the global ones, key by key, over the defaults", async (t) => {
  const rows: readonly (readonly [globalRules: string, trunkRules: string, expected: unknown])[] = [
    ["{}", "{}", roamers("enforce", "reject")],
    ["{ home-cli-from-abroad: { mode: monitor } }", "{}", roamers("monitor", "reject")],
    [
      "{ home-cli-from-abroad: { mode: monitor } }",
      "{ home-cli-from-abroad: { mode: off } }",
      roamers("off", "reject"),
    ],
    [
      "{ home-cli-from-abroad: { roamers: drop } }",
      "{ home-cli-from-abroad: { mode: off } }",
      roamers("off", "drop"),
    ],
    [
      "{ home-cli-from-abroad: { mode: monitor, roamers: drop } }",
      "{ home-cli-from-abroad: { allowForwardedBack: true } }",
      roamers("monitor", "drop"),
    ],
    [
      "{ home-cli-from-abroad: { mode: monitor, roamers: drop } }",
      "{ home-cli-from-abroad: { roamers: reject } }",
      roamers("monitor", "reject"),
    ],
  ];
  for (const [globalRules, trunkRules, expected] of rows) {
    t.match(
      settingOf(globalRules, trunkRules, "home-cli-from-abroad"),
      expected,
      `${globalRules} + ${trunkRules}`,
    );
  }
});

function revision(policy: string, lists?: Readonly<Record<string, string>>): string | undefined {
  return load(policy, lists).policy?.revision;
}

void tap.test("the revision follows meaning, not spelling", async (t) => {
  const first = revision(soundPolicy);
  t.match(first, /^[0-9a-f]{12}$/);
  t.equal(revision(`# a comment\n${soundPolicy}\n\n`), first, "a comment");
  t.equal(
    revision(brokenPolicy(["{ file: police.csv, kind: police }", "{ kind: police, file: 'police.csv' }"])),
    first,
    "key order and quotes",
  );
  t.equal(
    revision(soundPolicy, { ...soundLists, "police.csv": "number\r\n+85281234567" }),
    first,
    "line ends of a list",
  );
  t.not(revision(brokenPolicy(["callsPerSecond: 5", "callsPerSecond: 6"])), first, "another limit");
  t.not(
    revision(soundPolicy, { ...soundLists, "police.csv": "number\n+85281234568\n" }),
    first,
    "another number",
  );
  t.not(
    revision(
      brokenPolicy([
        "- id: core\n    side: core\n    match: { addresses: [127.0.0.1], ports: [5090] }\n  ",
        "",
      ]),
    ),
    first,
    "one trunk less",
  );
});

void tap.test(
  "on a reload every fault of a list is an error, so that the last good policy stays",
  async (t) => {
    const rows: readonly (readonly [name: string, lists: Readonly<Record<string, string>>])[] = [
      ["missing", { "acme.csv": soundLists["acme.csv"] }],
      ["header only", { ...soundLists, "police.csv": "number\n" }],
      ["empty file", { ...soundLists, "police.csv": "" }],
      ["one bad row", { ...soundLists, "acme.csv": `${soundLists["acme.csv"]}nonsense,,,\n` }],
    ];
    t.ok(load(soundPolicy).policy);
    for (const [name, lists] of rows) {
      const { policy, issues, material } = load(soundPolicy, lists);
      t.equal(policy, undefined, name);
      t.equal(material, undefined, name);
      t.ok(issues.length > 0, `${name} says why`);
    }
  },
);

void tap.test("a policy is frozen", async (t) => {
  const policy = compiled(soundPolicy);
  for (const value of [
    policy,
    policy.trunks,
    policy.lists,
    policy.tables,
    policy.trunks[0],
    policy.trunks[1]?.trunk,
  ]) {
    t.ok(Object.isFrozen(value));
  }
});

void tap.test("lists are named, counted, and read once", async (t) => {
  let reads = 0;
  const files = filesOf({
    ...soundLists,
    "policy.yaml": brokenPolicy([
      "  - id: acme-bj\n",
      "  - id: other\n    numbers: ./acme.csv\n  - id: acme-bj\n",
    ]),
  });
  const { policy } = loadPolicy((path) => {
    if (path === "acme.csv") reads += 1;
    return files(path);
  }, "policy.yaml");
  t.equal(reads, 1);
  t.match(policy?.lists, [
    { id: "other", kind: "lessee", file: "acme.csv", rows: 1, numbers: 100 },
    { id: "acme-bj", kind: "lessee", file: "acme.csv", rows: 1, numbers: 100 },
    { id: "police", kind: "police", file: "police.csv", rows: 1, numbers: 1 },
  ]);
});

void tap.test(
  "states of trunks and lessees: their dates, their places, and the trunks of each line",
  async (t) => {
    const policy = compiled(
      brokenPolicy(
        [
          "limits:",
          "state: { state: closed, order: JG-1, since: 2026-12-01, until: 2026-12-31 }\n    limits:",
        ],
        ["numbers: acme.csv", "state: observe\n    numbers: acme.csv"],
      ),
    );
    const closed = {
      line: "trunk:lease",
      order: {
        state: "closed",
        order: "JG-1",
        calls: "keep",
        since: Date.parse("2026-12-01T00:00+08:00"),
        until: Date.parse("2027-01-01T00:00+08:00"),
      },
      place: "policy.yaml:12:5",
    } as const;
    const observed = {
      line: "lessee:acme-bj",
      order: { state: "observe", calls: "keep" },
      place: "policy.yaml:20:5",
    } as const;
    t.strictSame(policy.lines, [
      { id: "trunk:lease", placed: closed, trunks: ["lease"] },
      { id: "trunk:intl", placed: undefined, trunks: ["intl"] },
      { id: "lessee:acme-bj", placed: observed, trunks: ["lease"] },
    ]);
    t.strictSame(policy.trunkById("lease")?.screen.tables.lineOrders, [closed, observed]);
    t.strictSame(policy.trunkById("intl")?.screen.tables.lineOrders, []);
    t.equal(policy.timeZone, "Asia/Shanghai");
  },
);

void tap.test(
  "a trunk has what records say of it: the contract of its lessee, and its TLS name",
  async (t) => {
    const text = brokenPolicy(
      ["numbers: acme.csv", "numbers: acme.csv\n    contract: HT-2026-7"],
      ["ports: [5061] }", "ports: [5061], tlsName: PBX.Example.com }"],
    );
    const files = filesOf({ ...soundLists, "policy.yaml": text });
    const { policy, issues } = loadPolicy(files, "policy.yaml", [listener, "tls:127.0.0.1:5061"]);
    const trunkOf = (id: string): object => policy?.trunkById(id)?.trunk ?? { missing: printed(issues) };
    t.match(trunkOf("lease"), { contract: "HT-2026-7", tlsName: "pbx.example.com" });
    for (const field of ["contract", "tlsName"]) t.notOk(field in trunkOf("intl"), field);
  },
);
