import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import tap from "tap";
import { checkConfig } from "../../src/cli/check.ts";
import { loadStatic } from "../../src/config/load-static.ts";
import { loadPolicy } from "../../src/config/load-policy.ts";
import { obtainEvidenceKey } from "../../src/records/evidence/evidence-key.ts";
import { filesOf, printed } from "./files.ts";

const least = "listen: [udp:127.0.0.1:5060]\npolicy: policy.yaml\n";

function load(evidence: string): ReturnType<typeof loadStatic> {
  return loadStatic(filesOf({ "conf/sigwall.yaml": `${least}evidence: ${evidence}\n` }), "conf/sigwall.yaml");
}

void tap.test("evidence: the defaults of the contract, paths beside the file", async (t) => {
  const { config, issues } = load("{ folder: evidence }");
  t.strictSame(printed(issues), []);
  t.strictSame(config?.evidence, {
    folder: "conf/evidence",
    keyFile: "conf/evidence.key",
    durability: "async",
    checkpointSeconds: 10,
    keepDays: 1100,
    onFull: "count",
    perTrunk: { blocksPerSecond: 200, megabytesPerDay: 2048 },
    publish: undefined,
    origin: undefined,
    timeStamp: undefined,
  });
  t.equal(loadStatic(filesOf({ "s.yaml": least }), "s.yaml").config?.evidence, undefined, "absent means off");
  t.match(load("{ folder: e, timeStamp: { url: 'https://tsa.example/' } }").config?.evidence?.timeStamp, {
    url: "https://tsa.example/",
    everyMinutes: 60,
  });
});

void tap.test("evidence: what makes no sense is said with its place", async (t) => {
  const rows: readonly (readonly [evidence: string, issue: RegExp])[] = [
    ["{}", /sigwall\.yaml:3:1 evidence\.folder: required key is missing/],
    ["{ folder: e, durability: sync }", /evidence\.durability: /],
    ["{ folder: e, keepDays: 0 }", /evidence\.keepDays: /],
    ["{ folder: e, checkpointSeconds: 0.5 }", /evidence\.checkpointSeconds: /],
    ["{ folder: e, onFull: drop }", /evidence\.onFull: /],
    ["{ folder: e, perTrunk: { blocksPerSecond: 0 } }", /evidence\.perTrunk\.blocksPerSecond: /],
    ["{ folder: e, origin: 'a b' }", /a name of a log has no spaces and no "\+"/],
    ["{ folder: e, origin: 'a+b' }", /a name of a log has no spaces/],
    ["{ folder: e, timeStamp: { url: 'ftp://tsa.example' } }", /evidence\.timeStamp\.url: /],
    ["{ folder: e, timeStamp: {} }", /evidence\.timeStamp\.url: /],
    ["{ folder: e, keepdays: 3 }", /did you mean "keepDays"\?/],
    [
      "{ folder: e, keyFile: e/evidence.key }",
      /3:\d+ evidence\.keyFile: warning: the key lies in the folder of the evidence/,
    ],
    [
      "{ folder: e, publish: e/more }",
      /evidence\.publish: warning: the second path lies in the folder of the evidence/,
    ],
  ];
  for (const [evidence, issue] of rows) t.match(printed(load(evidence).issues).join("\n"), issue, evidence);
  for (const near of [
    "{ folder: e, keyFile: e.key }",
    "{ folder: e, keyFile: ../e/x }",
    "{ folder: e, publish: em/x }",
  ])
    t.strictSame(printed(load(near).issues), [], near);
});

const policy = (key: string): string => `version: 1
trunks:
  - { id: a, side: national, match: { addresses: [192.0.2.1] }, nextHops: ["sip:192.0.2.2"]${key} }
`;

void tap.test("trunks[].evidence overrides the durability of sigwall.yaml", async (t) => {
  const evidenceOf = (key: string): unknown =>
    loadPolicy(filesOf({ "policy.yaml": policy(key) }), "policy.yaml").policy?.trunks[0]?.trunk.evidence;
  t.equal(evidenceOf(""), undefined);
  for (const mode of ["async", "before-reject", "off"]) t.equal(evidenceOf(`, evidence: "${mode}"`), mode);
  const { issues } = loadPolicy(filesOf({ "policy.yaml": policy(", evidence: on") }), "policy.yaml");
  t.match(printed(issues).join("\n"), /trunks\[0\]\.evidence: /);
});

void tap.test("check says what is kept, and warns of a key that others can read", async (t) => {
  const folder = t.testdir({
    "sigwall.yaml": `${least}node: gw-a\nkeyFile: a.key\nevidence: { folder: evidence, durability: before-reject }\n`,
    "policy.yaml": `version: 1
trunks:
  - { id: a, side: national, match: { addresses: [192.0.2.1] }, nextHops: ["sip:192.0.2.2"], evidence: "off" }
  - { id: b, side: national, match: { addresses: [192.0.2.3] }, nextHops: ["sip:192.0.2.2"] }
`,
  });
  const check = (): string => {
    let out = "";
    const stdout = { write: (text: string) => (out += text) };
    checkConfig(join(folder, "sigwall.yaml"), {
      stdout,
      stderr: stdout,
      now: 0,
      host: "gw-a",
      environment: {},
    });
    return out;
  };
  t.match(
    check(),
    `evidence   ${join(folder, "evidence")}, before-reject (a: off), signed every 10 s, kept for 1100 days\n`,
  );
  t.notMatch(check(), "evidence.keyFile");
  const key = join(folder, "evidence.key");
  t.ok(typeof obtainEvidenceKey(key) === "object");
  t.notMatch(check(), "evidence.keyFile");
  chmodSync(key, 0o640);
  t.match(check(), `evidence.keyFile: warning: ${key} can be read by others; chmod 600 it`);
  writeFileSync(key, "x");
  t.match(check(), "evidence.keyFile: warning: ");
  mkdirSync(join(folder, "there"));
});
