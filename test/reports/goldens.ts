import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { ReportOptions } from "../../src/cli/reporting/report.ts";
import { accepted, call, edges, type Line, open, put, whole } from "./report-folder.ts";

/** Reports as they were read and found good. `node out/test/reports/goldens.js --update` writes them anew. */
const folder = "test/reports/goldens";

/** A node has a line in each of these hours: those before and after are silent. */
function hourly(from: string, hours: number, first: number): readonly Line[] {
  return Array.from({ length: hours }, (_, index) =>
    call(first + index, new Date(Date.parse(from) + index * 3_600_000).toISOString(), accepted),
  );
}

const killed =
  "the process before this one was killed: what it had not written yet is lost beside 1 lines that are counted here; its last line was torn and was cut";
const gap = (time: string, from: string, why: string, lost = 0): Line => ({
  record: "gap",
  node: "gw-a",
  time,
  from,
  to: time,
  lost,
  why,
});

/**
 * The node was killed in the afternoon of the fifth and was down until the next morning; it was killed again in the last
 * minutes of the month, and told that in the first ones of the next month.
 */
const restarted: readonly Line[] = [
  ...hourly("2026-09-30T16:00:00.000Z", 5 * 24 - 8, 100),
  gap("2026-10-06T01:00:00.500Z", "2026-10-05T07:59:59.000Z", killed, 1),
  ...hourly("2026-10-06T01:00:01.000Z", 25 * 24 + 15, 1000),
  gap("2026-10-08T01:00:00.000Z", "2026-10-08T00:59:59.000Z", "evidence-budget: blocks-per-second", 40),
  gap("2026-10-08T02:00:00.000Z", "2026-09-01T00:00:00.000Z", "retention", 9000),
  gap("2026-11-01T00:00:05.000Z", "2026-10-31T15:55:00.000Z", killed),
  gap("2026-11-01T00:00:05.000Z", "2026-10-31T16:00:01.000Z", "of the next month alone"),
];

/** November 2026 in New York is 30 days and an hour: 2026-11-01T04:00Z to 2026-12-01T05:00Z. */
const newYork: readonly Line[] = [
  call(1, "2026-11-01T03:59:59.999Z"),
  call(2, "2026-11-01T04:00:00.000Z"),
  // The hour from one to two comes twice on that day.
  call(3, "2026-11-01T05:30:00.000Z"),
  call(4, "2026-11-01T06:30:00.000Z"),
  call(5, "2026-11-02T04:59:59.999Z"),
  call(6, "2026-12-01T04:59:59.999Z", { reason: "cli-hidden" }),
  call(7, "2026-12-01T05:00:00.000Z"),
];

const monthly = `month,head,item,count
2026-10,unregistered,固话,12
2026-10,unregistered,=1+1,1
2026-09,unregistered,固话,10
2026-10,shut-down,,3
`;

const months: readonly {
  readonly name: string;
  readonly lines: readonly Line[];
  readonly monthly?: string;
  readonly zone?: string;
  readonly options?: Partial<ReportOptions>;
}[] = [
  { name: "empty", lines: [] },
  { name: "with-all", lines: whole, monthly },
  { name: "restarted", lines: restarted },
  { name: "edges-shanghai", lines: edges },
  { name: "edges-new-york", lines: newYork, zone: "America/New_York", options: { month: "2026-11" } },
];

const inChinese = [
  ["csv", "zh"],
  ["html", "zh"],
  ["json", "zh"],
] as const;
const inBoth = [...inChinese, ["csv", "en"], ["html", "en"]] as const;

for (const { name, lines, monthly: figures, zone, options } of months)
  void t.test(`the report of a month, octet by octet: ${name}`, async (t) => {
    const place = open(t, zone);
    put(place, lines);
    if (figures !== undefined) {
      mkdirSync(join(place.folder, "monthly"));
      writeFileSync(join(place.folder, "monthly", "10.csv"), figures);
    }
    for (const [format, language] of name === "with-all" ? inBoth : inChinese) {
      const ran = await place.report({ ...options, format, language });
      t.equal(ran.code, 0, ran.err);
      const path = join(folder, `${name}.${format === "json" ? "" : `${language}.`}${format}`);
      if (process.argv.includes("--update")) writeFileSync(path, ran.out);
      t.ok(existsSync(path), path);
      t.equal(ran.out, readFileSync(path, "utf8"), path);
    }
  });
