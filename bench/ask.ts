// Measures sealing and asking: `npm run bench:ask -- --calls 10000000 --folder DIR`. Prints a table; needs some GB of disk.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { askNumbers, askRecords } from "../src/records/asking/ask-records.ts";
import { readParty } from "../src/records/asking/record-filter.ts";
import { objectsIn, textIn } from "../src/records/lines/line-fields.ts";
import { openDatabase } from "../src/records/sealed/duckdb.ts";
import { writeRecords } from "../test/support/record-lines.ts";
import { makeSealedMonth } from "./records/sealed-month.ts";

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "10000000" },
    folder: { type: "string" },
    /** The month in the folder is there already. */
    reuse: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
    /** Only the hour. */
    hour: { type: "boolean", default: false },
  },
});
const DAY = 86_400_000;
const HOUR = 3_600_000;
const MONTH = Date.UTC(2026, 9, 1);
const calls = Number(values.calls);
const folder = values.folder ?? mkdtempSync(join(tmpdir(), "sigwall-ask-"));
const figures: (readonly [figure: string, value: string, bound: string])[] = [];

function add(figure: string, value: string, bound: string): void {
  figures.push([figure, value, bound]);
  console.error(`${figure}: ${value} (${bound})`);
}

/** Runs `sigwall seal` as the filter does, and watches its memory. */
async function sealHour(): Promise<void> {
  const records = join(folder, "hour");
  rmSync(records, { recursive: true, force: true });
  const { decided, ended } = writeRecords(records, {
    node: "gw-a",
    from: MONTH,
    to: MONTH + HOUR - 60_000,
    calls: 525_000,
  });
  const begin = performance.now();
  const child = spawn(
    "nice",
    ["-n", "19", process.execPath, resolve("dist/main.js"), "seal", "--records", records],
    {
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
  let peak = 0;
  let worked = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, peakOf(child.pid));
    worked = Math.max(worked, workOf(child.pid));
  }, 20);
  const [code] = await once(child, "exit");
  clearInterval(watch);
  const seconds = (performance.now() - begin) / 1000;
  if (code !== 0) throw new Error(`seal ended with ${code}`);
  add(
    `seal an hour of ${decided + ended} lines`,
    `${seconds.toFixed(1)} s (${worked.toFixed(1)} s of CPU), ${peak} MB`,
    "30 s, 1000 MB",
  );
  rmSync(records, { recursive: true });
}

/** Time that a process has worked. Seconds (proc(5), stat: hundredths). */
function workOf(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}

/** Peak of resident memory, in units of 1000² octets. */
function peakOf(pid: number | undefined): number {
  try {
    const kilobytes = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Math.round((Number(kilobytes ?? 0) * 1024) / 1e6);
  } catch {
    return 0;
  }
}

async function time(figure: string, bound: string, ask: () => Promise<number>): Promise<void> {
  const times: number[] = [];
  let found = 0;
  for (let run = 0; run < 5; run++) {
    const begin = performance.now();
    found = await ask();
    times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  const [best = 0, , median = 0, , worst = 0] = times;
  add(figure, `${median.toFixed(0)} ms (${best.toFixed(0)} to ${worst.toFixed(0)}), ${found} found`, bound);
}

async function count(question: ReturnType<typeof askRecords>): Promise<number> {
  return (await question).items.length;
}

async function askAll(records: string): Promise<void> {
  const database = await openDatabase({ megabytes: 1000, threads: 2 });
  if (typeof database === "string") throw new Error(database);
  const place = { folders: [records], database };
  const kinds = ["decided"];
  const at = MONTH + 16 * DAY + 10 * HOUR;
  const [call] = (await askRecords(place, { kinds, from: at, to: at + HOUR }, 1)).items;
  const callId = textIn(call?.["callId"]);
  const [calling] = objectsIn(call?.["calling"]);
  const caller = readParty(textIn(calling?.["number"]));
  const day = at - (at % DAY);
  await time("a caller within an hour", "100 ms", () =>
    count(askRecords(place, { kinds, caller, from: at, to: at + HOUR }, 100)),
  );
  await time("a Call-ID with its day", "500 ms", () =>
    count(askRecords(place, { kinds, callId, from: day, to: day + DAY }, 50)),
  );
  await time("a Call-ID in the month, without a time", "-", () =>
    count(askRecords(place, { kinds, callId }, 50)),
  );
  await time("a caller in the month", "-", () => count(askRecords(place, { kinds, caller }, 100)));
  await time("a lessee's distinct numbers of the month", "3000 ms", async () => {
    const uses = await askNumbers(place, { kinds, lessee: "jinghua-bank", verdict: "accept" });
    return uses.items.length;
  });
  const [row] = await database.ask(
    `SELECT count(*) AS n FROM read_parquet('${join(records, "*", "*.attempts.parquet")}')`,
  );
  database.close();
  let octets = 0;
  let files = 0;
  for (const name of readdirSync(records, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".parquet")) continue;
    octets += statSync(join(records, name)).size;
    files++;
  }
  const rows = Number(row?.["n"]);
  add("bytes a sealed call", `${(octets / rows).toFixed(1)} (${rows} calls, ${files} files)`, "45");
}

const records = join(folder, "month");
if (!values.reuse) await sealHour();
if (!values.reuse && !values.hour)
  await makeSealedMonth(records, { from: MONTH, calls, spillFolder: join(folder, "spill") });
if (!values.hour) await askAll(records);
console.log(`${cpus()[0]?.model} x ${cpus().length}, Node ${process.version}`);
console.log("| figure | measured | bound |\n|---|---|---|");
for (const row of figures) console.log(`| ${row.join(" | ")} |`);
if (!values.keep && !values.reuse) rmSync(folder, { recursive: true });
