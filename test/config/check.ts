import { existsSync } from "node:fs";
import { join } from "node:path";
import tap from "tap";
import { checkConfig } from "../../src/cli/check.ts";
import type { Surroundings } from "../../src/config/sigwall/node-place.ts";
import { brokenPolicy, soundLists, soundPolicy } from "./files.ts";

const now = Date.parse("2026-11-22T00:00:00Z");
const sigwall = "listen: [udp:127.0.0.1:5060]\npolicy: policy.yaml\n";

function check(
  path: string,
  surroundings: Partial<Surroundings> = {},
): { readonly code: number; readonly out: string; readonly err: string } {
  let out = "";
  let err = "";
  const code = checkConfig(path, {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    now,
    host: "gw-a",
    environment: {},
    ...surroundings,
  });
  return { code, out, err };
}

void tap.test("a sound configuration: what was counted, and 0", async (t) => {
  const folder = t.testdir({ "sigwall.yaml": sigwall, "policy.yaml": soundPolicy, ...soundLists });
  const { code, out, err } = check(join(folder, "sigwall.yaml"));
  t.equal(code, 0);
  t.equal(err, "");
  const lines = out
    .replaceAll(`${folder}/`, "")
    .replace(/revision [0-9a-f]{12}/, "revision R")
    .split("\n");
  // Core and peers share the one listener.
  t.match(
    lines.shift(),
    /^policy\.yaml:5:5 trunks\[0\]\.match: warning: on udp:127\.0\.0\.1:5060 other trunks/u,
  );
  t.strictSame(lines, [
    "",
    "engine         embedded on udp:127.0.0.1:5060",
    "admin          127.0.0.1:9464",
    "node           gw-a",
    "state          state",
    "records        off: no call is remembered; set `records.folder`",
    "evidence       off: no key `evidence` in sigwall.yaml; refused messages are not kept",
    "policy         policy.yaml, revision R",
    "trunks         3: 1 lessee, 0 national, 1 international, 1 core",
    "next hops      lease  127.0.0.1:5090",
    "               intl   127.0.0.1:5090",
    "lessees        1",
    "lists          acme-bj  lessee  1 row  100 numbers  acme.csv",
    "               police   police  1 row  1 number     police.csv",
    "rules          enforce 18: emergency, line-state, hidden-caller, caller-form, bodies, cli-conflict, display-name, home-cli-from-abroad, number-class, diversion-licence, deny-lists, caller-authentication, do-not-call, marketing, quarantine, call-frequency, call-rate, channels",
    'bare numbers   from abroad without "+", refused when they look domestic: all of country codes 1, 95 and 960 to 968, all of 7 or 8 digits, and a part of other short ones',
    "               on intl; bareAmbiguous: accept lets them pass",
    "special users  +861087654300  on lease  hidden  until 2027-01-31",
    "result         0 errors, 1 warning",
    "",
  ]);
});

void tap.test("scores and marketing: bands, lessees, hours and the calendar", async (t) => {
  const policy = brokenPolicy(
    [
      "version: 1",
      'version: 1\nmarketing: { calendar: days.csv, areas: [{ codes: ["755"], workdays: [] }] }',
    ],
    ["    numbers: acme.csv", "    numbers: acme.csv\n    marketing: true"],
    [
      "lists:\n",
      "lists:\n  s: { file: s.csv, kind: score, threshold: 0.75, bands: [{ from: 0.5, do: label }] }\n",
    ],
  );
  const folder = t.testdir({
    "sigwall.yaml": sigwall,
    "policy.yaml": policy,
    ...soundLists,
    "s.csv": "number,score\n+8613900000000..+8613900000009,0.6\n",
    "days.csv": "date,kind\n2099-10-01,holiday\n2099-01-01,holiday\n",
  });
  const { out } = check(join(folder, "sigwall.yaml"));
  t.match(
    out.replaceAll(`${folder}/`, ""),
    [
      "scores         s  reject from 0.75, label from 0.5",
      "marketing      1 lessee: acme-bj",
      "               from 95*, 96*; calls back within 48 h",
      "               rest hours 12:00-14:00, 21:00-08:00; on rest days 12:00-14:00, 21:00-08:00",
      "               1 area code with other hours",
      "               days.csv: 2 days, up to 2099-10-01",
      "",
    ].join("\n"),
  );
  t.match(out, /s +score +1 row +10 numbers/u);
});

void tap.test("modes by rule, and by trunk where a trunk differs", async (t) => {
  const policy = brokenPolicy(
    ["hidden-caller: { mode: enforce }", "hidden-caller: { mode: monitor }\n  number-class: { mode: off }"],
    ["limits: { callsPerSecond: 5 }", "rules: { hidden-caller: { mode: enforce } }"],
  );
  const folder = t.testdir({ "sigwall.yaml": sigwall, "policy.yaml": policy, ...soundLists });
  const { out } = check(join(folder, "sigwall.yaml"));
  t.match(out, "monitor 1: hidden-caller (lease: enforce)");
  t.match(out, "off 1: number-class");
});

void tap.test("next hops in the order of their use, with their shares", async (t) => {
  const hops = `[
      { uri: "sip:192.0.2.9", priority: 2 },
      { uri: "sip:127.0.0.1:5090", weight: 3 },
      { uri: "sips:[::1]" },
    ]`;
  const policy = brokenPolicy(['["sip:127.0.0.1:5090"]', hops]);
  const folder = t.testdir({ "sigwall.yaml": sigwall, "policy.yaml": policy, ...soundLists });
  const { code, out } = check(join(folder, "sigwall.yaml"));
  t.equal(code, 0);
  t.match(out, "lease  127.0.0.1:5090 (75%) and [::1]:5061;transport=tls (25%), then 192.0.2.9:5060\n");
  t.match(
    out,
    "trunks[1].nextHops[2]: warning: nothing listens on tls over IPv6: no call reaches [::1]:5061;transport=tls",
  );
  t.match(out, "trunks[1].nextHops[0]: warning: no trunk matches 192.0.2.9:5060");
});

void tap.test("warnings are printed, and still 0", async (t) => {
  const folder = t.testdir({
    "sigwall.yaml": sigwall,
    "policy.yaml": brokenPolicy(["until: 2027-01-31", "until: 2026-01-31"]),
    ...soundLists,
  });
  const { code, out } = check(join(folder, "sigwall.yaml"));
  t.equal(code, 0);
  t.match(out, `${folder}/policy.yaml:26:5 specialUsers[0].until: warning: expired on 2026-01-31\n`);
  t.match(out, "expired on 2026-01-31\nresult         0 errors, 2 warnings");
});

void tap.test("errors are all printed, and 1", async (t) => {
  const rows: readonly (readonly [
    name: string,
    files: Readonly<Record<string, string>>,
    expected: readonly RegExp[],
  ])[] = [
    [
      "in the policy",
      { "policy.yaml": brokenPolicy(["side: core", "side: cor"], ["lessee: acme-bj", "lessee: acme"]) },
      [
        /policy\.yaml:4:5 trunks\[0\]\.side: /,
        /policy\.yaml:9:5 trunks\[1\]\.lessee: unknown/,
        /result {2}2 errors, 0 warnings/,
      ],
    ],
    [
      "in sigwall.yaml",
      { "sigwall.yaml": "listen: [udp:127.0.0.1:5060]\npolcy: policy.yaml\n" },
      [/sigwall\.yaml:2:1 polcy: unknown key "polcy"; did you mean "policy"/],
    ],
    [
      "a policy that isn't there",
      { "sigwall.yaml": "listen: [udp:127.0.0.1:5060]\npolicy: nothing.yaml\n" },
      [/nothing\.yaml:1:1: can't be read: no such file/],
    ],
    [
      "a folder for a list",
      { "policy.yaml": brokenPolicy(["numbers: acme.csv", "numbers: ."]) },
      [/lessees\[0\]\.numbers: can't read .*: it is a folder/],
    ],
    [
      "one number for two lessees",
      {
        "policy.yaml": brokenPolicy([
          "    numbers: acme.csv\n",
          "    numbers: acme.csv\n  - id: zeta\n    numbers: acme.csv\n",
        ]),
      },
      [/acme\.csv:2:1 number: \+861087654300 is also listed for lessee "acme-bj" at .*acme\.csv:2/],
    ],
  ];
  for (const [name, files, expected] of rows) {
    const folder = t.testdir({
      "sigwall.yaml": sigwall,
      "policy.yaml": soundPolicy,
      ...soundLists,
      ...files,
    });
    const { code, out } = check(join(folder, "sigwall.yaml"));
    t.equal(code, 1, name);
    for (const pattern of expected) t.match(out, pattern, name);
  }
});

void tap.test("no such configuration: said on stderr, and 2", async (t) => {
  const { code, out, err } = check(join(t.testdir({}), "sigwall.yaml"));
  t.equal(code, 2);
  t.equal(out, "");
  t.match(err, /can't read .*sigwall\.yaml: no such file/);
});

void tap.test("the state folder: where it is, and a warning where it can't be used", async (t) => {
  const folder = t.testdir({
    "sigwall.yaml": sigwall,
    "policy.yaml": soundPolicy,
    ...soundLists,
    taken: "a file",
    made: {},
  });
  const config = join(folder, "sigwall.yaml");
  const { out: beside } = check(config);
  t.match(beside, `node           gw-a\nstate          ${folder}/state\n`);
  t.notMatch(beside, "stateFolder: warning:", "it can be made");
  t.notOk(existsSync(join(folder, "state")), "and is not made by a check");
  const { out: systemd } = check(config, { environment: { STATE_DIRECTORY: join(folder, "made") } });
  t.match(systemd, `state          ${folder}/made\n`);
  for (const [name, why] of [
    ["taken", "it is no folder"],
    ["taken/state", "no such folder"],
  ] as const) {
    const { code, out } = check(config, { environment: { STATE_DIRECTORY: join(folder, name) } });
    t.equal(code, 0, name);
    t.match(
      out,
      `${config}:1:1 stateFolder: warning: the state folder ${folder}/${name} can't be used: ${why}; a restart forgets calls, line states and counters\n`,
    );
  }
  t.match(check(config, { host: "gw a" }).out, `${config}:1:1 node: warning: the host name "gw a" can't be`);
});
