import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import t from "tap";
import { block, createPlace, noon, openLog } from "../records/evidence-place.ts";
import { decided, HOUR, openRecords, seal } from "../support/records-folder.ts";

function run(...args: readonly string[]): {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  return spawnSync(
    process.execPath,
    ["--import", resolve("test/support/without-duckdb.mjs"), resolve("out/src/main.js"), ...args],
    { encoding: "utf8" },
  );
}

const HOW =
  "the package @duckdb/node-api is not installed; install it: npm install @duckdb/node-api@1.5.6-r.1";

void t.test("without DuckDB: open hours are asked, and the commands say what to install", async (t) => {
  const { records, write, files } = openRecords(t);
  write("2026-10-03/08-gw-a.ndjson", [decided({ id: "sealed" })]);
  await seal(records);
  write("2026-10-03/09-gw-a.ndjson", [
    decided({ id: "open", time: new Date(HOUR + 4_000_000).toISOString(), callId: "call-2" }),
  ]);
  const search = run("search", "--records", records, "--json");
  t.equal(search.status, 0, search.stderr);
  t.match(search.stdout, /^\{[^\n]*"id":"open"[^\n]*\}\n$/, "the open hour alone");
  t.equal(
    search.stderr,
    `sigwall search: 1 sealed hours were left out, open hours alone were read: ${HOW}\n`,
  );
  const why = run("why", "call-2", "--records", records);
  t.equal(why.status, 0);
  t.match(why.stdout, /decided +reject cli-not-listed by caller-authentication; answered 403/);
  t.match(why.stderr, HOW);
  const sealed = run("seal", "--records", records);
  t.equal(sealed.status, 1);
  t.equal(sealed.stderr, `sigwall seal: ${HOW}\n`);
  t.ok(files().includes("2026-10-03/09-gw-a.ndjson"), "nothing was touched");
});

void t.test("without DuckDB: evidence is exported, and sealed hours are left out", async (t) => {
  const place = createPlace(t);
  const log = openLog(place);
  log.append(block("call-1"));
  log.checkpoint(noon);
  log.close();
  const { records, write } = openRecords(t);
  write("2026-11-30/12-gw-a.ndjson", [JSON.parse(block("call-1").line)]);
  await seal(records, noon + 86_400_000);
  const out = resolve(place.base, "out");
  const places = ["--folder", place.folder, "--records", records, "--out", out];
  const ran = run("evidence", "export", "--call-id", "call-1", ...places);
  t.equal(ran.status, 0, ran.stderr);
  t.equal(
    ran.stderr,
    `sigwall evidence export: 1 sealed hours were left out, open hours alone were read: ${HOW}\n`,
  );
});
