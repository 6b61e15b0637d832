import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import t, { type Test } from "tap";
import { createPolicyThread } from "../../src/app/policy-thread.ts";
import { createReloader } from "../../src/app/reload.ts";
import { readForReload } from "../../src/app/policy-reading.ts";
import { readFromDisk } from "../../src/app/read-file.ts";
import { trackFiles } from "../../src/app/tracked-files.ts";
import { loadPolicy } from "../../src/config/load-policy.ts";
import { loadStatic } from "../../src/config/load-static.ts";
import { keptAt, listKept } from "../../src/records/policies/kept-policy.ts";
import { cleanUpPolicies, findOldPolicies } from "../../src/records/policies/policy-clean-up.ts";
import { keepPolicy } from "../../src/records/policies/policy-keeping.ts";
import { recallPolicy } from "../../src/records/policies/policy-recall.ts";
import { findReferred } from "../../src/records/policies/referred-revisions.ts";
import { lockFile } from "../../src/records/sealed/folder-lock.ts";
import { openDatabase } from "../../src/records/sealed/duckdb.ts";
import { explainAttempt } from "../../src/screening/chain/explanation.ts";
import { createScreeningState } from "../../src/screening/state.ts";
import { makeAttempt } from "../support/attempt.ts";
import { decided, openRecords, seal } from "../support/records-folder.ts";

const NOW = Date.UTC(2026, 9, 3, 8);
const DAY = 86_400_000;

const policyText = `version: 1
timeZone: Asia/Shanghai
trunks:
  - { id: core, side: core, match: { addresses: [198.51.100.1] } }
  - { id: lease, side: lessee, match: { addresses: [203.0.113.10] }, lessee: bank, areaCode: "10", nextHops: ["sip:198.51.100.1:5060"] }
lessees:
  - { id: bank, numbers: lists/bank.csv }
lists:
  police: { file: lists/police.csv, kind: police }
`;

interface Place {
  readonly folder: string;
  readonly policies: string;
  readonly write: (name: string, text: string) => void;
  /** Keeps the policy as it is now. */
  readonly keep: (
    now?: number,
    node?: string,
  ) => { readonly revision: string; readonly why: string | undefined };
}

function openPlace(t: Test): Place {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-policies-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const policies = join(folder, "policies");
  mkdirSync(join(folder, "lists"));
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  write("policy.yaml", policyText);
  write(
    "sigwall.yaml",
    "listen: [udp:127.0.0.1:0]\nadmin: 127.0.0.1:0\npolicy: policy.yaml\nkeyFile: secret.key\n",
  );
  write("lists/bank.csv", "number\n+861087654300..+861087654399\n");
  write("lists/police.csv", "number,notice\n+861066660000,2026-17\n");
  return {
    folder,
    policies,
    write,
    keep(now = NOW, node = "gw-a") {
      const { material, issues } = loadPolicy(readFromDisk, join(folder, "policy.yaml"));
      if (material === undefined) throw new Error(JSON.stringify(issues));
      const surroundings = { engine: "embedded", listeners: [] } as const;
      const why = keepPolicy({ folder: policies, node }, material, surroundings, readFromDisk, now);
      return { revision: material.revision, why };
    },
  };
}

void t.test("kept policies: each file once, packed, under the hash of its content", (t) => {
  const { policies, write, keep } = openPlace(t);
  const first = keep();
  t.equal(first.why, undefined);
  write("lists/police.csv", "number,notice\n+861066660001,2026-18\n");
  const second = keep(NOW + 1000);
  t.not(second.revision, first.revision);
  t.equal(
    readdirSync(join(policies, "files")).length,
    4,
    "policy.yaml and the list of the lessee are there once",
  );
  for (const { files } of listKept(policies))
    for (const { path, sha256 } of files)
      t.ok(gunzipSync(readFileSync(join(policies, "files", sha256))).length > 0, path);
  t.same(
    readdirSync(policies).toSorted(),
    ["files", "policies.lock", `${first.revision}.json`, `${second.revision}.json`].toSorted(),
    "nothing half-written is left",
  );
  t.match(JSON.parse(readFileSync(join(policies, `${first.revision}.json`), "utf8")), {
    revision: first.revision,
    policy: /policy\.yaml$/,
    timeZone: "Asia/Shanghai",
    engine: "embedded",
    files: [{ path: /policy\.yaml$/ }, { path: /bank\.csv$/ }, { path: /police\.csv$/ }],
    inForce: [{ from: new Date(NOW).toISOString(), node: "gw-a" }],
  });
  t.end();
});

void t.test(
  "kept policies: several nodes keep theirs in one folder at once, and nothing is lost",
  async (t) => {
    const { folder, policies } = openPlace(t);
    const program = new URL("keeping.js", import.meta.url).pathname;
    const nodes = ["gw-a", "gw-b", "gw-c"];
    const children = nodes.map((node) =>
      spawn(process.execPath, [program, join(folder, "policy.yaml"), policies, node, "50"], {
        stdio: ["ignore", "ignore", "inherit"],
      }),
    );
    for (const [code] of await Promise.all(children.map((child) => once(child, "close")))) t.equal(code, 0);
    const [kept, ...others] = listKept(policies);
    t.same(others, []);
    t.same(
      (kept?.inForce ?? []).map(({ node, from }) => `${node} ${from}`).toSorted(),
      nodes.flatMap((node) =>
        Array.from({ length: 50 }, (_, second) => `${node} ${new Date(NOW + second * 1000).toISOString()}`),
      ),
    );
  },
);

void t.test("kept policies: a folder that another process changes for long", (t) => {
  const { policies, keep } = openPlace(t);
  const { revision } = keep(NOW - 100 * DAY);
  const lock = lockFile(join(policies, "policies.lock"));
  if (typeof lock === "string") throw new Error(lock);
  t.match(
    keep(NOW).why,
    /policies: process \d+ holds .*policies\.lock$/u,
    "it comes into force, and is told",
  );
  lock.release();
  t.equal(keep(NOW).why, undefined);
  t.same(cleanUpPolicies(policies, new Set(), NOW), []);
  t.same(
    listKept(policies).map((kept) => kept.revision),
    [revision],
  );
  t.end();
});

void t.test("kept policies: loaded again by revision, they judge as they did", (t) => {
  const { folder, policies, write, keep } = openPlace(t);
  const { revision } = keep();
  write("lists/bank.csv", "number\n+861088881234\n");
  keep(NOW + 1000);
  rmSync(join(folder, "policy.yaml"));
  rmSync(join(folder, "lists"), { recursive: true });
  const recalled = recallPolicy(policies, revision);
  if (typeof recalled === "string") throw new Error(recalled);
  t.equal(recalled.policy.revision, revision);
  t.equal(recalled.warning, undefined);
  const found = recalled.policy.trunkById("lease");
  if (found === undefined) throw new Error("no trunk");
  const verdicts = ["+861087654321", "+861087654400", "+861066660000"].map((number) => {
    const attempt = makeAttempt(found.trunk, { calling: [`from ${number}`] });
    return explainAttempt(
      found.screen,
      attempt,
      createScreeningState({ callers: 1, recentCalls: 1, subjects: 64 }),
    ).decision.verdict.reason;
  });
  t.same(verdicts, ["listed", "cli-not-listed", "police-listed"]);
  t.end();
});

void t.test("kept policies: what can't be loaded is said", (t) => {
  const { policies, keep } = openPlace(t);
  t.match(recallPolicy(policies, "0123456789ab"), /is not kept in/);
  t.match(recallPolicy(policies, "../../etc/passwd"), /is not kept in/, "a revision is no path");
  const { revision } = keep();
  const [kept] = listKept(policies);
  const place = join(
    policies,
    "files",
    kept?.files.find(({ path }) => path.endsWith("police.csv"))?.sha256 ?? "",
  );
  const whole = readFileSync(place);
  writeFileSync(place, whole.subarray(0, 10));
  t.match(recallPolicy(policies, revision), /can't be loaded any more: .*police\.csv/);
  writeFileSync(place, readFileSync(join(policies, "files", kept?.files[0]?.sha256 ?? "")));
  t.match(recallPolicy(policies, revision), /was changed since it was kept/);
  writeFileSync(join(policies, `${revision}.json`), "{}");
  t.match(recallPolicy(policies, revision), /names no policy/);
  t.equal(keep().why, undefined, "it is kept again");
  t.type(
    recallPolicy(policies, revision),
    "string",
    "with the file as it is: its name says that it is right",
  );
  t.end();
});

void t.test("kept policies: which one was in force at a moment", (t) => {
  const { policies, write, keep } = openPlace(t);
  const a = keep(NOW).revision;
  write("lists/police.csv", "number\n+861066660001\n");
  const b = keep(NOW + 2000).revision;
  write("lists/police.csv", "number,notice\n+861066660000,2026-17\n");
  t.equal(keep(NOW + 4000).revision, a);
  const kept = listKept(policies);
  const at = [NOW - 1, NOW, NOW + 1999, NOW + 2000, NOW + 3999, NOW + 4000, NOW + DAY];
  t.same(
    at.map((moment) => keptAt(kept, moment)?.revision),
    [undefined, a, a, b, b, a, a],
  );
  t.end();
});

void t.test("kept policies: the reading thread keeps a policy before it comes into force", async (t) => {
  const { folder, policies } = openPlace(t);
  const configPath = join(folder, "sigwall.yaml");
  const { config } = loadStatic(readFromDisk, configPath);
  const { policy } = loadPolicy(readFromDisk, join(folder, "policy.yaml"));
  if (config === undefined || policy === undefined) throw new Error("the test's own configuration is wrong");
  const thread = createPolicyThread();
  t.teardown(() => thread.close());
  const keep = { folder: policies, node: "gw-a" };
  let wasKept = false;
  const parts = {
    configPath,
    running: config,
    read: thread.read,
    current: () => policy,
    swap: () => (wasKept = existsSync(join(policies, `${policy.revision}.json`))),
    done: () => undefined,
    unwatched: <Result>(step: () => Result): Result => step(),
    fault: (error: unknown) => t.fail(String(error)),
  };
  t.match(await createReloader({ ...parts, keep }).request("test"), { result: "ok" });
  t.ok(wasKept, "it was on the disk before the swap");
  t.notOk(readdirSync(join(policies, "files")).some((name) => name.includes("key")));
  t.notMatch(readFileSync(join(policies, `${policy.revision}.json`), "utf8"), /secret\.key|sigwall\.yaml/);
  // A file stands where the folder should be.
  writeFileSync(join(folder, "file"), "");
  const unkept: string[] = [];
  let swaps = 0;
  const reloader = createReloader({
    ...parts,
    keep: { folder: join(folder, "file", "policies"), node: "gw-a" },
    unkept: (revision, why) => unkept.push(`${revision} ${why} ${swaps}`),
    swap: () => void swaps++,
  });
  t.match(await reloader.request("test"), { result: "ok" }, "it comes into force all the same");
  t.equal(swaps, 1);
  t.equal(unkept.length, 1);
  t.match(unkept[0], new RegExp(`^${policy.revision} .*ENOTDIR.* 0$`), "told before the swap");
});

void t.test("kept policies: a policy with an error is not kept", (t) => {
  const { folder, policies, write } = openPlace(t);
  const configPath = join(folder, "sigwall.yaml");
  const { config } = loadStatic(readFromDisk, configPath);
  const { policy } = loadPolicy(readFromDisk, join(folder, "policy.yaml"));
  if (config === undefined || policy === undefined) throw new Error("the test's own configuration is wrong");
  write("lists/police.csv", "number\nno number\n");
  const request = {
    configPath,
    fingerprint: config.fingerprint,
    tables: policy.tables,
    keep: { folder: policies, node: "gw-a" },
  };
  const reply = readForReload(
    trackFiles(readFromDisk, () => ""),
    request,
  );
  t.equal(reply.parcel, undefined);
  t.notOk(existsSync(policies));
  t.end();
});

void t.test("kept policies: those that nothing refers to go, with their files", (t) => {
  const { policies, write, keep } = openPlace(t);
  const a = keep(NOW - 10 * DAY).revision;
  write("lists/police.csv", "number\n+861066660001\n");
  const b = keep(NOW - 9 * DAY).revision;
  write("lists/police.csv", "number\n+861066660002\n");
  const c = keep(NOW - 8 * DAY).revision;
  for (const name of readdirSync(join(policies, "files")))
    utimesSync(join(policies, "files", name), (NOW - 8 * DAY) / 1000, (NOW - 8 * DAY) / 1000);
  const names = (): readonly string[] =>
    listKept(policies)
      .map(({ revision }) => revision)
      .toSorted();
  t.same(
    findOldPolicies(policies, NOW)
      .map(({ revision }) => revision)
      .toSorted(),
    [a, b].toSorted(),
    "the newest stays",
  );
  t.same(findOldPolicies(policies, NOW - 9 * DAY + 1), [], "recent ones stay");
  t.same(cleanUpPolicies(policies, new Set([a]), NOW), [b]);
  t.same(names(), [a, c].toSorted());
  t.equal(readdirSync(join(policies, "files")).length, 4, "the list that only b had is gone");
  t.ok(typeof recallPolicy(policies, a) !== "string" && typeof recallPolicy(policies, c) !== "string");
  keep(NOW, "gw-b");
  t.same(cleanUpPolicies(policies, new Set(), NOW), [a], "the newest of every node stays");
  t.same(names(), [c]);
  t.same(cleanUpPolicies(join(policies, "nowhere"), new Set(), NOW), []);
  t.end();
});

void t.test("kept policies: records say which ones they refer to, sealed and open", async (t) => {
  const { records, write } = openRecords(t);
  write("2026-10-03/07-gw-a.ndjson", [
    decided({ revision: "aaaaaaaaaaaa" }),
    { record: "policy", node: "gw-a", time: new Date(NOW).toISOString(), revision: "bbbbbbbbbbbb" },
  ]);
  await seal(records, NOW + 600_000);
  write("2026-10-03/08-gw-a.ndjson", [decided({ revision: "cccccccccccc" })]);
  const database = await openDatabase({ megabytes: 300, threads: 1 });
  if (typeof database === "string") throw new Error(database);
  t.teardown(() => database.close());
  const candidates = ["a", "b", "c", "d"].map((letter) => letter.repeat(12));
  t.same([...(await findReferred(database, records, candidates))].toSorted(), candidates.slice(0, 3));
});
