import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { until } from "../support/until.ts";
import { program, startFilter } from "./filter-process.ts";
import type { Filter } from "./filter-process.ts";
import { list, openWorkplace, staticText } from "./workplace.ts";

const second = "+861066660000,another desk\n";

async function revisionOf(filter: Filter): Promise<string> {
  const text = await (await fetch(`${filter.admin}/metrics`)).text();
  return text.split('sigwall_policy_info{revision="')[1]?.split('"')[0] ?? "";
}

async function countReloads(filter: Filter, result: "ok" | "failed"): Promise<number> {
  const text = await (await fetch(`${filter.admin}/metrics`)).text();
  return Number(text.split(`sigwall_config_reload_total{result="${result}"} `)[1]?.split("\n")[0]);
}

async function post(filter: Filter): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(`${filter.admin}/reload`, { method: "POST" });
  return { status: response.status, body: await response.json() };
}

void t.test("reload: by file change, SIGHUP and POST, and calls follow at once", async (t) => {
  const place = await openWorkplace();
  t.teardown(place.remove);
  const filter = await startFilter(place.config);
  const first = await revisionOf(filter);
  t.equal(await place.placeCall(filter.sipPort, "01066660000"), "403", "not listed yet");

  // As a deployment does it: a new file, renamed over the old one.
  place.write("lists/own.csv.new", list + second);
  renameSync(join(place.folder, "lists/own.csv.new"), join(place.folder, "lists/own.csv"));
  await filter.logged(["policy reloaded", "file change"]);
  t.equal(await place.placeCall(filter.sipPort, "01066660000"), "forwarded", "after the file change");
  const changed = await revisionOf(filter);
  t.not(changed, first, "another revision");

  const before = filter.lineCount();
  filter.signal("SIGHUP");
  await filter.logged(["policy reloaded, nothing changed", "SIGHUP"], before);
  t.equal(await revisionOf(filter), changed, "the same content is the same revision");

  const answer = await post(filter);
  t.equal(answer.status, 200);
  t.same(answer.body, { result: "ok", revision: changed, previous: changed, issues: [] });
  t.equal(await countReloads(filter, "ok"), 3);
  t.equal(await countReloads(filter, "failed"), 0);
  t.equal(await filter.stop(), 0);
});

void t.test("reload: SIGHUP while the lists are read for the first time ends nothing", async (t) => {
  const place = await openWorkplace();
  t.teardown(place.remove);
  const many = Array.from({ length: 300_000 }, (_, index) => `+8613${800_000_000 + index},\n`);
  place.write("lists/own.csv", list + many.join(""));
  const child = spawn(process.execPath, [program, "run", "--config", place.config], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(child, "close");
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
  // Bit 0 is SIGHUP (proc(5)).
  await until(() =>
    /SigCgt:\s*[0-9a-f]*[13579bdf]\n/u.test(readFileSync(`/proc/${child.pid}/status`, "utf8")),
  );
  t.notOk(existsSync(join(place.folder, "sigwall.key")), "the key is made when everything is read");
  child.kill("SIGHUP");
  await until(() => log.includes("sigwall is up") || child.signalCode !== null);
  t.match(log, "sigwall is up");
  child.kill("SIGTERM");
  await ended;
  t.equal(child.exitCode, 0);
});

interface Damage {
  readonly name: string;
  readonly file: string;
  /** New content; undefined: the file is removed. */
  readonly text: string | undefined;
  /** Part of the issue. */
  readonly says: string;
}

void t.test("reload: whatever is wrong, the policy before it stays in force and says why", async (t) => {
  const place = await openWorkplace();
  t.teardown(place.remove);
  const filter = await startFilter(place.config);
  const revision = await revisionOf(filter);
  const policy = place.policy();
  const damages: readonly Damage[] = [
    { name: "a policy that is no YAML", file: "policy.yaml", text: "trunks: [", says: "policy.yaml" },
    { name: "an unknown key", file: "policy.yaml", text: `${policy}trunk: 1\n`, says: "trunk" },
    { name: "an empty policy", file: "policy.yaml", text: "", says: "the file is empty" },
    { name: "no policy", file: "policy.yaml", text: undefined, says: "no such file" },
    { name: "a bad row", file: "lists/own.csv", text: `${list}+86abc,\n`, says: "+86abc" },
    { name: "a list without numbers", file: "lists/own.csv", text: "number\n", says: "own.csv" },
    { name: "an empty list", file: "lists/own.csv", text: "", says: "own.csv" },
    { name: "no list", file: "lists/own.csv", text: undefined, says: "no such file" },
    {
      name: "another sigwall.yaml",
      file: "sigwall.yaml",
      text: `${staticText}log: { level: debug }\n`,
      says: "restart to apply it",
    },
    { name: "a broken sigwall.yaml", file: "sigwall.yaml", text: "listen: 1\n", says: "expected a list" },
  ];
  for (const { name, file, text, says } of damages) {
    const from = filter.lineCount();
    if (text === undefined) rmSync(join(place.folder, file));
    else place.write(file, text);
    const { status, body } = await post(filter);
    t.equal(status, 422, `${name}: refused`);
    t.match(body, { result: "failed", revision, previous: revision }, `${name}: the revision stays`);
    t.match(JSON.stringify(body), says, `${name}: says why`);
    await filter.logged(["reload failed"], from);
    t.equal(
      await place.placeCall(filter.sipPort, "01087654321"),
      "forwarded",
      `${name}: listed callers still pass`,
    );
    t.equal(await place.placeCall(filter.sipPort, "01066660001"), "403", `${name}: others still don't`);
    place.write("policy.yaml", policy);
    place.write("lists/own.csv", list);
    place.write("sigwall.yaml", staticText);
    t.equal((await post(filter)).status, 200, `${name}: put back, it loads`);
  }
  t.ok((await countReloads(filter, "failed")) >= damages.length, "failed reloads are counted");
  t.equal(await filter.stop(), 0);
  t.notMatch(filter.output().slice(filter.output().indexOf("\n{")), "87654321", "the log shows no number");
});

void t.test(
  "reload: a file change that breaks the policy is told without being asked, and so is its repair",
  async (t) => {
    const place = await openWorkplace();
    t.teardown(place.remove);
    const filter = await startFilter(place.config);
    place.write("policy.yaml", place.policy({ numbers: "lists/moved.csv" }));
    await filter.logged(["reload failed", "file change"]);
    await filter.logged(["lists/moved.csv", "no such file"]);
    const from = filter.lineCount();
    place.write("lists/moved.csv", list + second);
    await filter.logged(["policy reloaded", "file change"], from);
    t.equal(await place.placeCall(filter.sipPort, "01066660000"), "forwarded");
    t.equal(await filter.stop(), 0);
  },
);

void t.test("reload: a list in another folder is followed from then on", async (t) => {
  const place = await openWorkplace();
  t.teardown(place.remove);
  const filter = await startFilter(place.config);
  mkdirSync(join(place.folder, "other"));
  place.write("other/own.csv", list);
  place.write("policy.yaml", place.policy({ numbers: "other/own.csv" }));
  t.equal((await post(filter)).status, 200);
  t.equal(await place.placeCall(filter.sipPort, "01066660000"), "403");
  const from = filter.lineCount();
  place.write("other/own.csv", list + second);
  await filter.logged(["policy reloaded", "file change"], from);
  t.equal(await place.placeCall(filter.sipPort, "01066660000"), "forwarded");
  t.equal(await filter.stop(), 0);
});

void t.test("reload: a changed table size is told to need a restart", async (t) => {
  const place = await openWorkplace();
  t.teardown(place.remove);
  const filter = await startFilter(place.config);
  place.write("policy.yaml", `${place.policy()}tables: { calls: 2048 }\n`);
  const { status, body } = await post(filter);
  t.equal(status, 200);
  t.match(body, { issues: [{ severity: "warning", path: "tables", message: /restart/ }] });
  t.equal(await filter.stop(), 0);
});
