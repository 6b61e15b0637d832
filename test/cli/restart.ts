import { existsSync, readFileSync, truncateSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { readSnapshot } from "../../src/calls/call-snapshot.ts";
import { openStage } from "./call-stage.ts";
import { type Filter, startFilter } from "./filter-process.ts";
import { version } from "../../src/cli/version.ts";
import { staticText } from "./workplace.ts";

/** Resolves when the snapshot on disk has so many calls. */
function snapshotOf(path: string, calls: number): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(join(path, ".."), look);
    function look(): void {
      let found = 0;
      if (!existsSync(path) || readSnapshot(readFileSync(path), () => found++) !== 0) return;
      if (found !== calls) return;
      watcher.close();
      resolve();
    }
    look();
  });
}

/** The values of these series. */
async function scrape(
  { admin }: Filter,
  series: readonly string[],
): Promise<readonly (number | undefined)[]> {
  const lines = (await (await fetch(`${admin}/metrics`)).text()).split("\n");
  return series.map((name) => {
    const line = lines.find((text) => text.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length + 1));
  });
}

const inSetup = 'sigwall_calls{trunk="lease",state="setup"}';
const answered = 'sigwall_calls{trunk="lease",state="answered"}';
const channels = 'sigwall_channels{trunk="lease"}';
const folderOk = "sigwall_state_folder_ok";

async function kill(filter: Filter): Promise<void> {
  filter.signal("SIGKILL");
  await filter.ended;
}

void t.test("kill -9: the calls of before are there again, and end as others do", async (t) => {
  const stage = await openStage(t);
  const { place, placeCall, answer, hangUp } = stage;
  const first = await startFilter(place.config);
  t.teardown(() => first.signal("SIGKILL"));
  t.same(await scrape(first, [inSetup, answered, channels, folderOk]), [0, 0, 0, 1], "before the first call");
  for (const callId of ["a1", "a2", "a3"]) await placeCall(callId, true);
  for (const callId of ["r1", "r2"]) await placeCall(callId, false);
  t.same(await scrape(first, [inSetup, answered, channels]), [2, 3, 3]);
  await snapshotOf(stage.snapshot, 5);
  const [epoch] = [Number(readFileSync(join(place.folder, "state/epoch"), "latin1"))];
  await kill(first);

  const second = await startFilter(place.config);
  t.teardown(() => second.signal("SIGKILL"));
  await second.logged(["restored 5 calls"]);
  t.ok(Number(readFileSync(join(place.folder, "state/epoch"), "latin1")) > epoch, "ids are new");
  t.same(await scrape(second, [inSetup, answered, channels, folderOk]), [2, 3, 3, 1]);
  for (const callId of ["a1", "a2", "a3"]) await hangUp(callId);
  t.same(await scrape(second, [inSetup, answered]), [2, 0], "BYE ends them");
  await answer("r1", 200);
  t.same(await scrape(second, [inSetup, answered]), [1, 1], "one that rang is answered");
  await answer("r2", 486);
  t.same(await scrape(second, [inSetup, answered]), [0, 1], "and one is refused");
  await placeCall("n1", true);
  await hangUp("r1");
  t.same(await scrape(second, [inSetup, answered]), [0, 1], "a new call beside them");

  t.equal(await second.stop(), 0);
  const third = await startFilter(place.config);
  t.teardown(() => third.signal("SIGKILL"));
  await third.logged(["restored 1 call"]);
  t.same(await scrape(third, [inSetup, answered]), [0, 1], "an orderly stop keeps the last state");
  await hangUp("n1");
  t.same(await scrape(third, [inSetup, answered]), [0, 0]);
  await kill(third);

  truncateSync(stage.snapshot, readFileSync(stage.snapshot).length - 1);
  const fourth = await startFilter(place.config);
  t.teardown(() => fourth.signal("SIGKILL"));
  const line = await fourth.logged(["the calls before the restart are forgotten"]);
  t.match(line, "it was cut or changed after it was written");
  t.ok(existsSync(`${stage.snapshot}.bad`));
  await placeCall("d1", true);
  t.same(await scrape(fourth, [inSetup, answered, folderOk]), [0, 1, 1], "calls go on, and are kept");
  await snapshotOf(stage.snapshot, 1);
  t.equal(await fourth.stop(), 0);
});

void t.test(
  "a state folder that another filter uses, or that is none: calls go on, and it is said",
  async (t) => {
    const stage = await openStage(t);
    const { place, placeCall } = stage;
    const other = join(place.folder, "other.yaml");
    writeFileSync(other, staticText);
    const owner = await startFilter(other);
    t.teardown(() => owner.signal("SIGKILL"));
    const second = await startFilter(place.config);
    t.teardown(() => second.signal("SIGKILL"));
    await second.logged([
      `the state folder ${place.folder}/state can't be used: process `,
      " uses it; a restart forgets calls, line states and counters",
    ]);
    await placeCall("s1", true);
    t.same(await scrape(second, [answered, folderOk]), [1, 0]);
    t.same(await scrape(owner, [folderOk]), [1]);
    await kill(second);
    t.equal(await owner.stop(), 0);

    writeFileSync(join(place.folder, "file"), "");
    const text = readFileSync(place.config, "utf8");
    place.write("sigwall.yaml", `${text}stateFolder: file\nnode: gw-z\n`);
    const third = await startFilter(place.config);
    t.teardown(() => third.signal("SIGKILL"));
    await third.logged([`the state folder ${place.folder}/file can't be used: it is no folder`]);
    await placeCall("s2", true);
    t.same(await scrape(third, [answered, folderOk]), [1, 0]);
    t.same(await scrape(third, [`sigwall_build_info{version="${version}",node="gw-z"}`]), [1]);
    t.equal(await third.stop(), 0);
  },
);
