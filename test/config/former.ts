// Configurations of 0.1.0 under `sigwall check` of today: each is accepted, and says exactly this.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { checkConfig } from "../../src/cli/check.ts";
import { createAuthority } from "../support/certificates.ts";

/** The dates in lists and policies stand still. */
const now = Date.parse("2026-11-30T00:00:00Z");

/** What a configuration makes `check` print. */
interface Former {
  readonly file: string;
  /** Warnings that 0.1.0 printed too, in words of today or of then. */
  readonly known: readonly string[];
  /** Warnings that it did not print. */
  readonly added: readonly string[];
}

const merged = (place: string, key: string, calls: number): string =>
  `${place} tables.${key}: warning: "${key}" is part of "calls" since 0.2.0; ${calls} calls are remembered. Write "calls" instead`;

const configurations: readonly Former[] = [
  { file: "sigwall.yaml", known: [], added: [] },
  {
    file: "drachtio.yaml",
    known: [
      "policy.yaml:14:5 trunks[1].id: warning: engine drachtio can't remove display names: calls that rule display-name would strip are refused",
    ],
    added: [],
  },
  { file: "docker-sigwall.yaml", known: [], added: [] },
  {
    file: "reference-sigwall.yaml",
    known: [
      "reference-sigwall.yaml:10:1 drachtio: warning: has no effect: only `engine: drachtio` reads this section",
      "reference-sigwall.yaml:38:1 m3ua: warning: has no effect: only `engine: m3ua` reads this section",
      "reference.yaml:18:5 trunks[0].match: warning: has point codes, which no SIP message matches, and the engine carries SIP",
    ],
    added: [
      merged("reference.yaml:171:3", "ledger", 262_144),
      merged("reference.yaml:173:3", "recentCalls", 262_144),
      merged("reference.yaml:175:3", "failovers", 262_144),
      merged("reference.yaml:176:3", "circuits", 262_144),
      merged("reference.yaml:177:3", "transactions", 262_144),
    ],
  },
  {
    file: "m3ua.yaml",
    known: [],
    added: [
      merged("m3ua-policy.yaml:16:11", "ledger", 600_000),
      merged("m3ua-policy.yaml:16:27", "circuits", 600_000),
    ],
  },
];

/** The configurations in a folder of their own, with certificates where one names them. */
function openFormer(t: Test): string {
  const folder = t.testdir({});
  cpSync("test/config/former", folder, { recursive: true });
  const tls = join(folder, "tls");
  mkdirSync(tls);
  const authority = createAuthority(tls, "authorities");
  const own = authority.issue("gw", "DNS:gw.example", 365);
  cpSync(own.certificateFile, join(tls, "sigwall.pem"));
  cpSync(own.keyFile, join(tls, "sigwall.key"));
  // Inside the container the policy is mounted there, and so is the folder of the key.
  const inside = join(folder, "docker-sigwall.yaml");
  const text = readFileSync(inside, "utf8")
    .replace("/etc/sigwall", folder)
    .replaceAll("/var/lib/sigwall", folder);
  writeFileSync(inside, text);
  return folder;
}

interface Printed {
  readonly code: number;
  /** True: the core shares a listener with other trunks, which check has warned of since 0.2.0. */
  readonly sharesCore: boolean;
  /** Every other issue, but the dates of certificates, which are made while the test runs. */
  readonly issues: readonly string[];
  readonly result: string;
}

function isShared(line: string): boolean {
  return (
    line.includes(".match: warning: on udp:") && line.includes("a forged source address passes as the core")
  );
}

function check(folder: string, file: string, environment: Readonly<Record<string, string>> = {}): Printed {
  let out = "";
  let err = "";
  const code = checkConfig(join(folder, file), {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    now,
    host: "gw-a",
    environment,
  });
  const lines = `${err}${out}`.replaceAll(`${folder}/`, "").split("\n");
  return {
    code,
    sharesCore: lines.some((line) => isShared(line)),
    issues: lines.filter(
      (line) => /^\S+:\d+:\d+/u.test(line) && !/^tls\S+ warning: /u.test(line) && !isShared(line),
    ),
    result: lines.at(-2) ?? "",
  };
}

void t.test("a configuration of 0.1.0 is accepted, and says what has changed", async (t) => {
  const folder = openFormer(t);
  for (const { file, known, added } of configurations) {
    const { code, issues, result, sharesCore } = check(folder, file);
    t.equal(code, 0, file);
    t.match(result, /^result +0 errors, /u, file);
    t.equal(sharesCore, file !== "m3ua.yaml", `${file}: core and peers on one listener`);
    t.strictSame(issues.toSorted(), [...known, ...added].toSorted(), file);
  }
});

void t.test("every line that 0.1.0 did not print is explained where operators look", async (t) => {
  const changes = readFileSync("CHANGELOG.md", "utf8");
  const moving = changes.slice(changes.indexOf("### Moving from 0.1.0"), changes.indexOf("## 0.1.0"));
  t.ok(moving.length > 0, "there is such a part");
  for (const line of configurations.flatMap(({ added }) => added)) {
    const [, key = ""] = line.split(" ");
    t.ok(moving.includes(`\`${key.replace(":", "")}\``), key);
  }
});

void t.test("limits.channels: 0.1.0 warned that it has no effect; today it has one", async (t) => {
  const folder = openFormer(t);
  const policy = join(folder, "policy.yaml");
  const limited = readFileSync(policy, "utf8").replace(
    "callsPerSecond: 50,",
    "callsPerSecond: 50, channels: 30,",
  );
  writeFileSync(policy, limited);
  t.strictSame(check(folder, "sigwall.yaml").issues, []);
  writeFileSync(policy, limited.replace("side: lessee", "side: lessee\n    mode: redirect"));
  t.strictSame(check(folder, "sigwall.yaml").issues, [
    "policy.yaml:21:35 trunks[1].limits.channels: warning: without effect: a trunk with mode redirect never sees the end of a call",
  ]);
});

void t.test(
  "a state folder that can't be made is a warning, and the line says which key mends it",
  async (t) => {
    const folder = openFormer(t);
    const file = join(folder, "here");
    writeFileSync(file, "");
    const { code, issues } = check(folder, "sigwall.yaml", { STATE_DIRECTORY: file });
    t.equal(code, 0);
    t.strictSame(issues, [
      "sigwall.yaml:1:1 stateFolder: warning: the state folder here can't be used: it is no folder; a restart forgets calls, line states and counters",
    ]);
  },
);
