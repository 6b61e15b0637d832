// Snapshots of lists over a restart, with the program itself.
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { until } from "../support/until.ts";
import { type Filter, runCommand, startFilter } from "./filter-process.ts";
import { list, openWorkplace } from "./workplace.ts";

/** When the list was written. Seconds. */
const WRITTEN = 1_790_000_000;

async function figureOf(filter: Filter, name: string): Promise<string> {
  const text = await (await fetch(`${filter.admin}/metrics`)).text();
  return text.split(`\n${name}`)[1]?.split("\n")[0]?.trim() ?? "";
}

const differing = "sigwall_list_snapshots_differing_total ";

void t.test(
  "a restart takes lists from snapshots, and finds out what was changed so that nobody should see it",
  async (t) => {
    const place = await openWorkplace();
    t.teardown(place.remove);
    const path = join(place.folder, "lists/own.csv");
    const write = (text: string): void => {
      writeFileSync(path, text);
      utimesSync(path, WRITTEN, WRITTEN);
    };
    write(list);
    const first = await startFilter(place.config);
    const revision = await figureOf(first, "sigwall_policy_info");
    const folder = join(place.folder, "state/lists");
    const snapshots = (): readonly string[] =>
      existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".list")) : [];
    await until(() => snapshots().length === 1);
    t.equal(await first.stop(), 0);

    // A list that can't be a list any more, and looks as before: whoever takes the snapshot starts all the same.
    write("x".repeat(list.length));
    const { code } = await runCommand(["check", "--config", place.config]);
    t.equal(code, 1, "check reads the list itself");
    const second = await startFilter(place.config);
    await second.logged(["own.csv was changed, and its size, time and inode say that it was not"]);
    await second.logged(["reload", "list snapshot"]);
    t.equal(await figureOf(second, differing), "1");
    t.equal(await figureOf(second, "sigwall_policy_info"), revision, "the list is broken: the policy stays");
    t.equal(await place.placeCall(second.sipPort, "01087654399"), "forwarded");
    t.same(snapshots(), [], "the snapshot is gone");
    t.equal(await second.stop(), 0);
    t.notMatch(readFileSync(path, "utf8"), /number/);

    write(list);
    const third = await startFilter(place.config);
    await until(() => snapshots().length === 1);
    t.equal(await third.stop(), 0);
    write(list.replace("+861087654399", "+861087654398"));
    const last = await startFilter(place.config);
    await last.logged(["policy reloaded", "list snapshot"]);
    t.equal(await figureOf(last, differing), "1");
    t.not(await figureOf(last, "sigwall_policy_info"), revision, "the revision is that of the list");
    t.equal(await place.placeCall(last.sipPort, "01087654399"), "403");
    t.equal(await last.stop(), 0);
  },
);
