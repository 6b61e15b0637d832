import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import t from "tap";
import { lockFile } from "../../src/records/sealed/folder-lock.ts";
import { textIn } from "../../src/records/lines/line-fields.ts";
import type { SealStep } from "../../src/records/sealed/seal-hour.ts";
import { writeRecords } from "../support/record-lines.ts";
import { decided, ended, HOUR, LATER, openRecords, readBack, seal } from "../support/records-folder.ts";

const NAME = "2026-10-03/08-gw-a.ndjson";

function key(line: Readonly<Record<string, unknown>>): string {
  return `${String(line["record"])} ${String(line["id"])}`;
}

const steps: readonly SealStep[] = [
  "sorted",
  "written",
  "checked",
  "others",
  "endings",
  "attempts",
  "removed",
];

for (const step of steps) {
  void t.test(`seal: killed after the step "${step}", nothing is lost or found twice`, async (t) => {
    const { records, files } = openRecords(t);
    writeRecords(records, { node: "gw-a", from: HOUR, to: HOUR + 60_000, calls: 200 });
    const before = (await readBack(records)).map(key).toSorted();
    t.ok(before.length > 300, "there are lines");
    const { signal } = spawnSync(process.execPath, [
      resolve("out/test/ask/sealing-process.js"),
      records,
      String(LATER),
      step,
    ]);
    t.equal(signal, "SIGKILL", "it was killed");
    t.same((await readBack(records)).map(key).toSorted(), before, "before it is sealed again");
    const { code, err } = await seal(records);
    t.equal(code, 0, err);
    t.same((await readBack(records)).map(key).toSorted(), before, "after");
    const left = files().filter((name) => !name.includes("console@"));
    t.equal(left.length, 3, `the tables alone: ${left.join(" ")}`);
  });
}

void t.test("seal: two at once; the second one says who seals, and does nothing", async (t) => {
  const { records, write, files } = openRecords(t);
  write(NAME, [decided()]);
  const lock = lockFile(join(records, "seal.lock"));
  if (typeof lock === "string") throw new Error(lock);
  const { code, err } = await seal(records);
  t.equal(code, 1);
  t.equal(err, `sigwall seal: ${records} is being sealed by process ${process.pid}; nothing was done here\n`);
  t.same(files(), [NAME]);
  lock.release();
  t.equal((await seal(records)).code, 0, "afterwards it goes");
});

void t.test("seal: a half-written table is said, and the lines beside it are read and sealed", async (t) => {
  const { records, write } = openRecords(t);
  write(NAME, [decided(), ended()]);
  copyFileSync(join(records, NAME), join(records, "copy"));
  await seal(records);
  copyFileSync(join(records, "copy"), join(records, NAME));
  const table = join(records, "2026-10-03/08-gw-a.attempts.parquet");
  truncateSync(table, statSync(table).size - 5);
  t.equal((await readBack(records)).length, 2, "the lines are read");
  const { code, out } = await seal(records);
  t.same([code, out], [0, "2026-10-03 08-gw-a sealed: 1 attempts, 1 endings, 0 others\n"]);
  t.equal((await readBack(records)).length, 2);
});

void t.test("seal: a damaged table without its lines spoils no other hour", async (t) => {
  const { records, write } = openRecords(t);
  write(NAME, [decided()]);
  write("2026-10-03/07-gw-a.ndjson", [decided({ id: "other", time: new Date(HOUR - 60_000).toISOString() })]);
  await seal(records);
  writeFileSync(
    join(records, "2026-10-03/08-gw-a.attempts.parquet"),
    "no table at all, but longer than twelve",
  );
  const { search } = await import("../support/records-folder.ts");
  const { code, out, err } = await search([records], { json: true });
  t.equal(code, 0);
  t.match(out, /"id":"other"/);
  t.match(err, /08-gw-a\.attempts\.parquet is no whole Parquet file/);
});

void t.test(
  "seal: lines that come after the sealing are sealed beside it, and nothing is replaced",
  async (t) => {
    const { records, write, files } = openRecords(t);
    write(NAME, [decided()]);
    await seal(records);
    write(NAME, [decided({ id: "late" })]);
    t.equal((await readBack(records)).length, 1, "until then they wait");
    await seal(records);
    write(NAME, [decided({ id: "later" })]);
    await seal(records);
    t.same((await readBack(records)).map(({ id }) => textIn(id)).toSorted(), [
      "gw-a-t3k9x1-1",
      "late",
      "later",
    ]);
    t.ok(files().includes("2026-10-03/08-gw-a~2.attempts.parquet"));
  },
);

void t.test("seal: an hour that grew after it was sealed is sealed again as a whole", async (t) => {
  const { records, write, files } = openRecords(t);
  write(NAME, [decided()]);
  copyFileSync(join(records, NAME), join(records, "copy"));
  await seal(records);
  copyFileSync(join(records, "copy"), join(records, NAME));
  appendFileSync(join(records, NAME), `${JSON.stringify(decided({ id: "late" }))}\n`);
  await seal(records);
  t.same((await readBack(records)).map(({ id }) => textIn(id)).toSorted(), ["gw-a-t3k9x1-1", "late"]);
  t.notOk(files().some((name) => name.includes("~")));
});

void t.test("seal: an hour that is still written stays open", async (t) => {
  const { records, write, files } = openRecords(t);
  write(NAME, [decided()]);
  const { sealRecords } = await import("../../src/cli/seal.ts");
  const { gather } = await import("../support/records-folder.ts");
  const { code, err } = await gather((output) =>
    sealRecords(
      { config: undefined, records: [records] },
      {
        ...output,
        now: LATER,
        after: (step) => {
          if (step === "written") appendFileSync(join(records, NAME), `${JSON.stringify(ended())}\n`);
        },
      },
    ),
  );
  t.equal(code, 1);
  t.match(err, /08-gw-a\.ndjson is still written; it is sealed the next time/);
  t.same(files(), [NAME]);
  t.equal((await readBack(records)).length, 2);
});

for (const late of ["checked", "others", "attempts"] as const)
  void t.test(`seal: a line that comes after the step "${late}" is not removed`, async (t) => {
    const { records, write, files } = openRecords(t);
    write(NAME, [decided()]);
    const { sealRecords } = await import("../../src/cli/seal.ts");
    const { gather } = await import("../support/records-folder.ts");
    const after = (step: SealStep): void => {
      if (step === late) appendFileSync(join(records, NAME), `${JSON.stringify(ended())}\n`);
    };
    const { code, err } = await gather((output) =>
      sealRecords({ config: undefined, records: [records] }, { ...output, now: LATER, after }),
    );
    t.equal(code, 1);
    t.match(err, /08-gw-a\.ndjson is still written; it is sealed the next time/);
    t.equal((await seal(records)).code, 0);
    t.equal((await readBack(records)).length, 2, "both are sealed");
    t.notOk(files().some((name) => name.includes("~") || name.endsWith("08-gw-a.ndjson")));
  });

void t.test("seal: tables and bad lines are for their owner alone", async (t) => {
  const { records, write, files } = openRecords(t);
  write(NAME, [decided(), ended(), "no line"]);
  const former = process.umask(0o022);
  t.teardown(() => process.umask(former));
  t.equal((await seal(records)).code, 0);
  const modes = files()
    .filter((name) => name.includes("08-gw-a"))
    .map((name) => statSync(join(records, name)).mode & 0o777);
  t.same(modes, [0o600, 0o600, 0o600, 0o600]);
});

void t.test("seal, search: what a command of root makes belongs to the owner of the folder", async (t) => {
  if (process.getuid?.() !== 0) {
    t.pass("other owners", { skip: "only root gives files away" });
    return;
  }
  const { records, write } = openRecords(t);
  write(NAME, [decided(), ended(), "no line"]);
  const owner = 65_534;
  for (const path of [records, join(records, "2026-10-03"), join(records, NAME)])
    chownSync(path, owner, owner);
  t.equal((await seal(records)).code, 0);
  const { search } = await import("../support/records-folder.ts");
  // The first question of a day comes before the first call.
  await search([records], {}, LATER + 24 * 3_600_000);
  const made = readdirSync(records, { recursive: true, encoding: "utf8" });
  t.ok(
    made.some((name) => name.startsWith("2026-10-04/")),
    made.join(" "),
  );
  t.same(
    made.filter((name) => statSync(join(records, name)).uid !== owner),
    [],
  );
});

void t.test("seal: an hour that fails is said, and the others are sealed", async (t) => {
  const { records, write, files } = openRecords(t);
  write(NAME, [decided()]);
  // A folder stands where the lines should be.
  mkdirSync(join(records, "2026-10-03/07-gw-a.ndjson"));
  const { code, err } = await seal(records);
  t.equal(code, 1);
  t.match(err, /07-gw-a could not be sealed: EISDIR/);
  t.ok(files().includes("2026-10-03/08-gw-a.attempts.parquet"));
});

void t.test("seal: folders that can't be sealed", async (t) => {
  const { folder, records, write } = openRecords(t);
  write(NAME, [decided()]);
  t.match((await seal(join(folder, "nowhere"))).err, /nowhere: no such folder/);
  writeFileSync(join(folder, "file"), "");
  const { code, err } = await seal(join(folder, "file"));
  t.equal(code, 1);
  t.match(err, /file is a file; expected a records folder/);
  t.match(readFileSync(join(records, NAME), "utf8"), /decided/, "nothing was touched");
});
