// Retention: old days go, in whatever form they are kept; nothing else goes.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { deleteOldDays, listDays, sumOctets } from "../../src/records/lines/record-days.ts";

const NOW = Date.UTC(2026, 10, 30, 0, 30);

function write(folder: string, ...names: readonly string[]): void {
  for (const name of names) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), "12345");
  }
}

void t.test("retention: NDJSON, Parquet and bad lines of days that are too old", (t) => {
  const folder = t.testdir();
  write(
    folder,
    "2026-11-19/12-a.ndjson",
    "2026-11-19/12-a.parquet",
    "2026-11-19/12-a.bad",
    "2026-11-18/attempts-a.parquet",
  );
  write(folder, "2026-11-20/12-a.ndjson", "a.lock");
  t.equal(sumOctets(folder), 25);
  t.same(deleteOldDays(folder, "a", 10, NOW), [
    { day: "2026-11-18", files: 1, bytes: 5 },
    { day: "2026-11-19", files: 3, bytes: 15 },
  ]);
  t.same(listDays(folder), ["2026-11-20"], "the tenth day is kept");
  t.same(deleteOldDays(folder, "a", 10, NOW), []);
  t.equal(sumOctets(folder), 5);
  t.end();
});

void t.test("retention: what is not ours stays", (t) => {
  const folder = t.testdir();
  const kept = [
    "2020-01-01/notes.txt",
    "2020-01-01/12-gw-a.ndjson",
    "2020-13-01/12-a.ndjson",
    "old/12-a.ndjson",
  ];
  write(
    folder,
    "gw-a.lock",
    "a.lock",
    "seal.lock",
    ...kept,
    "2020-01-01/12-a.ndjson",
    "2020-01-01/x-a.parquet",
  );
  t.same(deleteOldDays(folder, "a", 10, NOW), [{ day: "2020-01-01", files: 2, bytes: 10 }]);
  for (const name of kept) t.ok(existsSync(join(folder, name)), name);
  t.same(
    deleteOldDays(folder, "gw-a", 10, NOW),
    [{ day: "2020-01-01", files: 1, bytes: 5 }],
    "its own node deletes it",
  );
  t.end();
});
