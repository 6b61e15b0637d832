import tap from "tap";
import { loadStatic } from "../../src/config/load-static.ts";
import { filesOf, printed } from "./files.ts";
import { loadPolicy } from "../../src/config/load-policy.ts";

const list = "number\n+861087654321\n";

/** Issues of a policy with one lessee and one international trunk, on an engine. */
function issuesOf(keys: string, engine: "embedded" | "drachtio", side = "international"): readonly string[] {
  const lessee = side === "lessee" ? ", lessee: bank" : "";
  const text = `version: 1
trunks:
  - { id: t, side: ${side}, match: { addresses: [192.0.2.1] }${lessee}, nextHops: ["sip:192.0.2.2"], ${keys} }
lessees: [{ id: bank, numbers: bank.csv }]
rules: { display-name: { action: reject } }
`;
  return printed(
    loadPolicy(filesOf({ "p.yaml": text, "bank.csv": list }), "p.yaml", undefined, engine).issues,
  ).map((issue) => issue.replace(/^p\.yaml:\d+:\d+ /, ""));
}

const roamers = (how: string): string => `rules: { home-cli-from-abroad: { roamers: ${how} } }`;
const none: readonly string[] = [];

const table: readonly (readonly [keys: string, issues: readonly string[]])[] = [
  ["default: accept", none],
  [
    "exception: drop",
    [
      "trunks[0].exception: engine drachtio must answer every call; set `dropAs` to the status for dropped calls",
    ],
  ],
  ["exception: drop, dropAs: 480", none],
  [
    roamers("drop"),
    ["trunks[0].id: engine drachtio must answer every call; set `dropAs` to the status for dropped calls"],
  ],
  [`${roamers("drop")}, dropAs: 403`, none],
  ["rules: { home-cli-from-abroad: { roamers: drop, mode: monitor } }", none],
  [
    roamers("withhold"),
    ["trunks[0].id: warning: engine drachtio can't withhold a number: roamers are refused"],
  ],
  [roamers("label"), none],
  [
    "rules: { display-name: { action: strip } }",
    [
      "trunks[0].id: warning: engine drachtio can't remove display names: calls that rule display-name would strip are refused",
    ],
  ],
  ["strip: [Subject]", ["trunks[0].strip: engine drachtio can't remove header fields"]],
  ["stripVerstat: true", ["trunks[0].stripVerstat: engine drachtio can't remove parameters"]],
  ["label: { displayName: x }", ["trunks[0].label.displayName: engine drachtio can't change a display name"]],
  ["label: { text: x }", none],
  ["methods: { MESSAGE: screen }", ["trunks[0].methods.MESSAGE: engine drachtio carries calls only"]],
  ["methods: { OPTIONS: pass }", ["trunks[0].methods.OPTIONS: engine drachtio carries calls only"]],
  ["methods: { MESSAGE: refuse, OPTIONS: answer }", none],
  [
    "isupVersions: { house: itu }",
    [
      "trunks[0].isupVersions: engine drachtio carries no SIP-I: the filter can't read what its server reports of an ISUP body",
    ],
  ],
  ["status: { cli-hidden: 607 }", ["trunks[0].status.cli-hidden: engine drachtio can't answer 607"]],
  ["status: { cli-hidden: 606 }", none],
  ["dropAs: 608", ["trunks[0].dropAs: engine drachtio can't answer 608"]],
];

void tap.test(
  "what a policy asks of drachtio in vain is told; the embedded engine can do it all",
  async (t) => {
    for (const [keys, expected] of table) {
      t.strictSame(issuesOf(keys, "drachtio"), expected, keys);
      t.strictSame(issuesOf(keys, "embedded"), none, `${keys}: embedded`);
    }
    t.strictSame(issuesOf(roamers("drop"), "drachtio", "national"), none, "nobody roams on a national trunk");
  },
);

function issuesWith(deed: string, mode: string, engine: "embedded" | "drachtio"): readonly string[] {
  const text = `version: 1
trunks:
  - { id: t, side: national, match: { addresses: [192.0.2.1] }, nextHops: ["sip:192.0.2.2"], rules: { deny-lists: { mode: ${mode} } } }
lists: { s: { file: s.csv, kind: score, bands: [{ from: 0.5, do: ${deed} }] } }
rules: { display-name: { action: reject } }
`;
  const files = filesOf({ "p.yaml": text, "s.csv": "number,score\n95588,0.5\n" });
  return printed(loadPolicy(files, "p.yaml", undefined, engine).issues);
}

void tap.test("a score that withholds a number: drachtio refuses such calls", async (t) => {
  t.match(issuesWith("withhold", "enforce", "drachtio"), [
    /warning: engine drachtio can't withhold a number: calls whose score withholds their number are refused$/,
  ]);
  t.strictSame(issuesWith("withhold", "monitor", "drachtio"), none);
  t.strictSame(issuesWith("label", "enforce", "drachtio"), none);
  t.strictSame(issuesWith("withhold", "enforce", "embedded"), none);
});

function twoHops(key: string): string {
  return `version: 1
trunks:
  - { id: t, side: national, match: { addresses: [192.0.2.1] }, nextHops: ["sip:192.0.2.2", "sip:192.0.2.3"]${key} }
rules: { display-name: { mode: off } }
`;
}

function issuesOfTwo(key: string): readonly string[] {
  return printed(loadPolicy(filesOf({ "p.yaml": twoHops(key) }), "p.yaml", undefined, "drachtio").issues);
}

void tap.test("several next hops: drachtio goes on after every refusal", async (t) => {
  t.match(issuesOfTwo(""), [
    /warning: engine drachtio tries another next hop after every refusal, busy included/,
  ]);
  t.strictSame(issuesOfTwo(", failoverOn503: false"), none);
});

void tap.test("a finding that has numbers withheld: drachtio refuses those calls", async (t) => {
  for (const [detectors, expected] of [
    [
      "one-ring: { mode: enforce, action: { do: withhold } }",
      [
        "p.yaml:3:7 trunks[0].id: warning: engine drachtio can't withhold a number: calls that a finding withholds are refused",
      ],
    ],
    ["one-ring: { mode: enforce, action: { do: label } }", none],
    ["one-ring: { action: { do: withhold } }", none],
  ] as const) {
    const text = `${twoHops(", failoverOn503: false")}detectors: { ${detectors} }\n`;
    const { issues } = loadPolicy(filesOf({ "p.yaml": text }), "p.yaml", undefined, "drachtio");
    t.strictSame(printed(issues), expected, detectors);
  }
});

function loadStatics(text: string): ReturnType<typeof loadStatic> {
  const whole = `listen: [udp:127.0.0.1:5060]\npolicy: p.yaml\n${text}`;
  return loadStatic(filesOf({ "conf/s.yaml": whole }), "conf/s.yaml");
}

void tap.test("sigwall.yaml: engine drachtio and its servers", async (t) => {
  const { config, issues } = loadStatics(
    "engine: drachtio\ndrachtio: { servers: [{ secret: a }, { host: '::1', port: 9023, secret: b, tls: { ca: ca.pem } }] }\n",
  );
  t.strictSame(printed(issues), none);
  t.strictSame(config?.drachtio, {
    reports: true,
    servers: [
      { host: "127.0.0.1", port: 9022, secret: "a" },
      { host: "::1", port: 9023, secret: "b", tls: { ca: "conf/ca.pem" } },
    ],
  });
  const idle = loadStatics("drachtio: { servers: [{ secret: a }] }\n");
  t.equal(idle.config?.drachtio, undefined, "another engine");
  t.strictSame(printed(idle.issues), [
    "conf/s.yaml:3:1 drachtio: warning: has no effect: only `engine: drachtio` reads this section",
  ]);
  t.strictSame(printed(loadStatics("engine: drachtio\n").issues), [
    "conf/s.yaml:3:1 engine: engine drachtio needs the section `drachtio` with at least one server",
  ]);
  t.strictSame(printed(loadStatics("engine: drachtio\ndrachtio: { servers: [{ host: a }] }\n").issues), [
    "conf/s.yaml:4:23 drachtio.servers[0].secret: required key is missing",
  ]);
});
