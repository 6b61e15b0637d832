/** Measures `sigwall report` over a sealed month: `npm run bench:report -- --folder DIR`. Needs half a GB of disk. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { formatColumns } from "../report.ts";
import { makeSealedMonth } from "./sealed-month.ts";

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "10000000" },
    folder: { type: "string" },
    /** The month in the folder is there already. */
    reuse: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
    rounds: { type: "string", default: "5" },
  },
});
const folder = values.folder ?? mkdtempSync(join(tmpdir(), "sigwall-report-"));
const records = join(folder, "month");
const spent = join(folder, "spent.json");
const [MOST_SECONDS, MOST_MEGABYTES] = [10, 1000];

/** Loaded into the command: it writes down what the whole process has used, its threads included. */
const meter = `data:text/javascript,${encodeURIComponent(
  `import { writeFileSync } from "node:fs"; process.on("exit", () => writeFileSync(${JSON.stringify(spent)}, JSON.stringify(process.resourceUsage())));`,
)}`;

/** @returns seconds of CPU, and the peak of resident memory in units of 1000² octets */
function run(args: readonly string[]): { readonly cpu: number; readonly peak: number } {
  const program = ["--import", meter, resolve("dist/main.js"), "report", "--month", "2026-10", ...args];
  execFileSync(process.execPath, program, {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 1 << 28,
  });
  const { userCPUTime, systemCPUTime, maxRSS }: NodeJS.ResourceUsage = JSON.parse(
    readFileSync(spent, "utf8"),
  );
  return { cpu: (userCPUTime + systemCPUTime) / 1e6, peak: (maxRSS * 1024) / 1e6 };
}

if (!values.reuse)
  await makeSealedMonth(records, {
    from: Date.UTC(2026, 9, 1),
    calls: Number(values.calls),
    spillFolder: join(folder, "spill"),
  });
writeFileSync(
  join(folder, "sigwall.yaml"),
  "listen: [udp:127.0.0.1:5060]\npolicy: policy.yaml\nrecords: { folder: month }\n",
);
writeFileSync(join(folder, "policy.yaml"), "version: 1\ntimeZone: Asia/Shanghai\n");
const rows = [["format", "CPU s, median", "highest", "peak MB"]];
let isOver = false;
for (const format of ["html", "csv", "json"]) {
  const rounds = Array.from({ length: Number(values.rounds) }, () => run(["--format", format]));
  const cpu = rounds.map((round) => round.cpu).toSorted((a, b) => a - b);
  const peak = Math.max(...rounds.map((round) => round.peak));
  const [middle = NaN, highest = NaN] = [cpu[cpu.length >> 1], cpu.at(-1)];
  isOver ||= !(middle <= MOST_SECONDS && peak <= MOST_MEGABYTES);
  rows.push([format, middle.toFixed(2), highest.toFixed(2), peak.toFixed(0)]);
}
console.log(`${cpus()[0]?.model} x ${cpus().length}, Node ${process.version}`);
console.log(formatColumns(rows));
console.log(`at most ${MOST_SECONDS} s and ${MOST_MEGABYTES} MB for ten million decisions`);
if (!values.keep && !values.reuse) rmSync(folder, { recursive: true });
if (isOver) process.exitCode = 1;
