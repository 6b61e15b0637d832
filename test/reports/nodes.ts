import { execFile } from "node:child_process";
import { cpSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import t from "tap";
import { reportMonth } from "../../src/cli/reporting/report.ts";
import { gather, type RecordsFolder, seal, sealed, writeInto } from "../support/records-folder.ts";
import { call, type Line, open, put, whole } from "./report-folder.ts";

/** Another records folder beside the first one. */
function beside({ folder }: RecordsFolder, name: string): Pick<RecordsFolder, "records" | "write"> {
  const records = join(folder, name, "records");
  return { records, write: (file, lines) => writeInto(records, file, lines) };
}

const ofNode = (node: string, lines: readonly Line[]): readonly Line[] =>
  lines.map((line) => ({
    ...line,
    node,
    ...(typeof line["id"] === "string" ? { id: line["id"].replace("gw-a", node) } : {}),
  }));

const LATER = Date.parse("2026-12-01T00:00:00Z");
const HALF = Date.parse("2026-10-06T02:30:00Z");

const totals = (out: string): readonly unknown[] => {
  const { nodes, attempts, refused, notCounted, heads, gaps } = JSON.parse(out);
  return [nodes, attempts, refused, notCounted, heads[1].count, gaps.length];
};

void t.test("two nodes: counts are summed, and each node's gaps are told", async (t) => {
  const place = open(t);
  const other = beside(place, "b");
  put(place, whole);
  put(other, ofNode("gw-b", whole), "gw-b");
  const one = await place.report({ format: "json" });
  t.same(totals(one.out), [["gw-a"], 17, 15, 41, 15, 1]);
  const folders = [place.records, other.records];
  const both = await place.report({ format: "json", records: folders });
  t.same(totals(both.out), [["gw-a", "gw-b"], 34, 30, 82, 30, 2]);
  // The line that both nodes saw stopped is one line.
  t.equal(JSON.parse(both.out).heads[0].count, 1);
  const turned = await place.report({ format: "json", records: folders.toReversed() });
  t.equal(turned.out, both.out, "in any order");
});

void t.test("a folder given twice, under two names, and a copy of it are counted once", async (t) => {
  const place = open(t);
  put(place, whole);
  const formats = ["csv", "json", "html"] as const;
  const all = async (records: readonly string[]): Promise<readonly string[]> =>
    Promise.all(formats.map(async (format) => (await place.report({ format, records })).out));
  const once = await all([place.records]);
  t.same(await all([place.records, place.records]), once, "twice");
  symlinkSync(place.records, join(place.folder, "link"));
  t.same(await all([place.records, join(place.folder, "link")]), once, "by a link");
  const copy = beside(place, "copy").records;
  cpSync(place.records, copy, { recursive: true });
  t.same(await all([place.records, copy]), once, "a copy");
  if (!(await sealed(t, copy, HALF))) return;
  t.same(await all([place.records, copy]), once, "a copy that is half sealed");
  t.same(await all([copy, place.records]), once, "in the other order");
  await seal(place.records, LATER);
  t.same(await all([place.records, copy]), once, "sealed beside half sealed");
  await seal(copy, LATER);
  t.same(await all([place.records, copy]), once, "both sealed");
});

void t.test("two hosts of one name: calls of different ids all count", async (t) => {
  const place = open(t);
  const other = beside(place, "b");
  const time = "2026-10-05T02:00:00.000Z";
  put(place, [call(1, time), call(2, time)]);
  put(other, [call(2, time), call(3, time)]);
  const records = [place.records, other.records];
  const count = async (): Promise<unknown> =>
    JSON.parse((await place.report({ format: "json", records })).out).refused;
  t.equal(await count(), 3);
  if (!(await sealed(t, place.records, LATER))) return;
  t.equal(await count(), 3, "one of them sealed");
  await seal(other.records, LATER);
  t.equal(await count(), 3, "both sealed");
});

void t.test("lines that can't be read are told alike, open and sealed", async (t) => {
  const place = open(t);
  const [hour, late] = ["2026-10-05/02-gw-a.ndjson", "2026-10-05/03-gw-a.ndjson"];
  place.write(hour, [call(1, "2026-10-05T02:00:00.000Z"), "{torn", call(2, "2026-10-05T02:00:01.000Z")]);
  place.write(late, [call(3, "2026-10-05T03:00:00.000Z")]);
  const report = async () => place.report({ format: "json" });
  const before = await report();
  t.same(JSON.parse(before.out).completeness.unread, [{ hour: "2026-10-05/02-gw-a", lines: 1 }]);
  t.equal(JSON.parse(before.out).completeness.isWhole, false);
  t.match(before.err, /02-gw-a: 1 lines can't be read/);
  if (!(await sealed(t, place.records, LATER))) return;
  t.equal((await report()).out, before.out);
  // A table that is gone takes its hour with it.
  const table = join(place.records, "2026-10-05/03-gw-a.endings.parquet");
  renameSync(table, `${table}.gone`);
  const after = JSON.parse((await report()).out);
  t.same(after.completeness.unread, [
    { hour: "2026-10-05/02-gw-a", lines: 1 },
    { hour: "2026-10-05/03-gw-a" },
  ]);
  t.equal(after.refused, 2);
});

void t.test("the same octets in another process, time zone and locale", async (t) => {
  const place = open(t);
  put(place, whole);
  const run = promisify(execFile);
  const config = join(place.folder, "sigwall.yaml");
  const program = ["dist/main.js", "report", "--month", "2026-10", "--config", config, "--lang", "zh"];
  for (const [format, TZ, LC_ALL] of [
    ["csv", "UTC", "C"],
    ["json", "America/New_York", "en_US.UTF-8"],
    ["html", "Pacific/Apia", "ar_EG.UTF-8"],
  ] as const) {
    const here = (await place.report({ format })).out;
    const env = { ...process.env, TZ, LC_ALL, LANG: LC_ALL };
    const { stdout } = await run(process.execPath, [...program, "--format", format], { env });
    t.equal(stdout, here, `${format}, ${TZ}, ${LC_ALL}`);
  }
});

void t.test("the month before: January after December; nothing to divide by", async (t) => {
  const place = open(t);
  put(place, [
    call(1, "2026-12-10T02:00:00.000Z"),
    call(2, "2026-12-10T02:00:01.000Z"),
    call(3, "2027-01-10T02:00:00.000Z"),
    call(4, "2027-01-10T02:00:01.000Z", { reason: "cli-hidden" }),
    call(5, "2027-01-10T02:00:02.000Z", { reason: "cli-hidden" }),
  ]);
  const report = async (month: string) => JSON.parse((await place.report({ format: "json", month })).out);
  const [, january] = (await report("2027-01")).heads;
  t.match(january, { count: 3, before: 2, change: 0.5 });
  t.match(january.rows[0], { id: "not-listed", count: 1, before: 2, change: -0.5 });
  t.match(january.rows[1], { id: "hidden", count: 2, before: 0, change: undefined }, "nothing before");
  const [, december] = (await report("2026-12")).heads;
  t.match(december, { count: 2, before: undefined, change: undefined }, "no records before");
  const [, february] = (await report("2027-02")).heads;
  t.match(february, { count: null, before: 3, change: undefined }, "no record is not 0");
});

void t.test("names that a spreadsheet would compute keep their letters", async (t) => {
  const place = open(t);
  const names = ["=1+1", "+8613", "-2", "@a", "＝1", "\tx", "0108", "3-4", "1E5", "plain"];
  put(
    place,
    names.map((lessee, index) => call(index, "2026-10-05T02:00:00.000Z", { lessee })),
  );
  const { out } = await place.report({ by: ["lessee"] });
  for (const name of names)
    t.ok(out.includes(`\n${name === "plain" ? "" : "'"}${name},1,1,`), JSON.stringify(name));
});

void t.test("shed requests that are no calls, and orders about findings, are not counted", async (t) => {
  const place = open(t);
  const shed = { record: "shed", node: "gw-a", trunk: "lease", reason: "overload", status: 503, count: 40 };
  const finding = {
    record: "finding",
    node: "gw-a",
    detector: "sub-lease",
    subject: { kind: "trunk", trunk: "lease" },
    calls: [],
  };
  put(place, [
    { ...shed, time: "2026-10-06T02:01:00.000Z" },
    { ...shed, time: "2026-10-06T02:01:01.000Z", of: "requests" },
    { ...finding, time: "2026-10-06T02:01:02.000Z", order: "release", reason: "checked" },
  ]);
  const report = JSON.parse((await place.report({ format: "json" })).out);
  t.equal(report.notCounted, 40);
  t.equal(report.heads[0].count, 0);
});

void t.test("who asked for a report is noted in the records, which changes no figure", async (t) => {
  const place = open(t);
  put(place, whole);
  const before = await place.report();
  const access = { user: "wang", host: "office" };
  const now = Date.parse("2026-11-20T00:00:00Z");
  const options = { month: "2026-10", by: [], format: "csv", language: "zh", monthly: [] } as const;
  const config = join(place.folder, "sigwall.yaml");
  const ran = await gather((output) =>
    reportMonth({ ...options, config, records: [] }, { ...output, access, now }),
  );
  t.equal(ran.out, before.out);
  t.ok(place.files().includes("2026-11-20/00-console@office.ndjson"));
  t.equal((await place.report()).out, before.out);
});
