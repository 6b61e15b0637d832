import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hostname } from "node:os";
import t from "tap";
import { showStatus, type Status } from "../../src/cli/status.ts";
import { until } from "../support/until.ts";
import { type Filter, startFilter } from "./filter-process.ts";
import { list, openWorkplace, staticText } from "./workplace.ts";

const second = "+861066660000,another desk\n";

function metricsOf(filter: Filter): Promise<string> {
  return fetch(`${filter.admin}/metrics`).then((response) => response.text());
}

async function revisionOf(filter: Filter): Promise<string> {
  return (await metricsOf(filter)).split('sigwall_policy_info{revision="')[1]?.split('"')[0] ?? "";
}

async function countReloads(filter: Filter, result: "ok" | "refused"): Promise<number> {
  const [, rest] = (await metricsOf(filter)).split(`sigwall_config_reload_total{result="${result}"} `);
  return Number(rest?.split("\n")[0]);
}

async function statusOf(config: string): Promise<Status> {
  let out = "";
  const code = await showStatus(
    { config, json: true },
    {
      stdout: { write: (text) => (out += text) },
      stderr: process.stderr,
      now: Date.now,
      host: hostname(),
      environment: process.env,
    },
  );
  if (code !== 0) throw new Error(`status ended with ${code}`);
  const status: Status = JSON.parse(out);
  return status;
}

async function post(
  filter: Filter,
  query = "",
): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(`${filter.admin}/reload${query}`, { method: "POST" });
  return { status: response.status, body: await response.json() };
}

void t.test(
  "reload: a bound refuses what would change more recorded verdicts, however it is asked for",
  async (t) => {
    const place = await openWorkplace();
    t.teardown(place.remove);
    const withRecords = `${staticText}records: { folder: records }\n`;
    place.write("sigwall.yaml", `${withRecords}reload: { maxChanges: 1 }\n`);
    const filter = await startFilter(place.config);
    const first = await revisionOf(filter);
    for (const number of ["01087654321", "01087654322"])
      t.equal(await place.placeCall(filter.sipPort, number), "forwarded");
    t.equal(await place.placeCall(filter.sipPort, "01066660000"), "403");
    const records = join(place.folder, "records");
    const lines = (): string =>
      readdirSync(records, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".ndjson"))
        .map((name) => readFileSync(join(records, name), "utf8"))
        .join("");
    await until(() => lines().split('"record":"decided"').length === 4);

    // Both calls that passed would be refused.
    const from = filter.lineCount();
    place.write("lists/own.csv", "number\n+861066660001\n");
    const told = await filter.logged(["reload refused by its bound", "file change"], from);
    t.match(told, '"changed":2');
    t.match(told, '"maxChanges":1');
    t.match(
      told,
      /"largest":\{"trunk":"lease","lessee":"own","before":"accept listed","after":"reject cli-not-listed","rule":"caller-authentication","count":2,"id":"[^"]+-[0-9a-z]+-\d+"\}/,
    );
    const status = await statusOf(place.config);
    t.match(status.reload, {
      result: "refused",
      at: /^\d{4}-.*Z$/,
      cause: /2 of 3 recorded verdicts would change, more than 1/,
    });
    t.equal(await revisionOf(filter), first);
    t.equal(await place.placeCall(filter.sipPort, "01087654321"), "forwarded", "the policy before it stays");
    await until(() => lines().split('"record":"decided"').length === 5);
    const before = filter.lineCount();
    filter.signal("SIGHUP");
    await filter.logged(["reload refused by its bound", "SIGHUP"], before);

    const refused = await post(filter, "?maxChanges=2");
    t.equal(refused.status, 409);
    t.match(refused.body, {
      result: "refused",
      revision: first,
      issues: [{ message: "3 of 4 recorded verdicts would change, more than 2; nothing was reloaded" }],
      rehearsal: {
        attempts: 4,
        changed: 3,
        maxChanges: 2,
        changes: [
          {
            trunk: "lease",
            lessee: "own",
            before: "accept listed",
            after: "reject cli-not-listed",
            rule: "caller-authentication",
            count: 3,
          },
        ],
      },
    });
    t.equal(await countReloads(filter, "refused"), 3);
    t.equal(await countReloads(filter, "ok"), 0);

    const taken = await post(filter, "?maxChanges=3");
    t.equal(taken.status, 200, "a change that is meant is let in");
    t.match(taken.body, { result: "ok", previous: first, rehearsal: { changed: 3 } });
    t.equal(await place.placeCall(filter.sipPort, "01087654321"), "403");
    t.equal((await statusOf(place.config)).reload, undefined, "a reload that is taken ends it");
    t.equal(await filter.stop(), 0);
  },
);

void t.test("reload: files that are not watched, and a bound without records", async (t) => {
  const place = await openWorkplace();
  t.teardown(place.remove);
  place.write("sigwall.yaml", `${staticText}reload: { watch: false }\n`);
  const filter = await startFilter(place.config);
  const first = await revisionOf(filter);
  place.write("lists/own.csv", list + second);
  const refused = await post(filter, "?maxChanges=10");
  t.equal(refused.status, 409);
  t.match(refused.body, {
    result: "refused",
    issues: [{ message: /can't be rehearsed: .*keeps no records/u }],
  });
  t.equal(await revisionOf(filter), first);
  t.equal((await post(filter)).status, 200);
  t.equal(await filter.stop(), 0);
  t.notMatch(filter.output(), "file change");
});
