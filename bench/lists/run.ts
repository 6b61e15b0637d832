/** `npm run bench:lists`: ten million numbers in a thousand lists checked, loaded, loaded again and reloaded. */
import { fork, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { freePort, freeStreamPort } from "../../test/support/free-port.ts";
import { formatColumns, median } from "../report.ts";
import { addRow, type ListFiles, writeLists } from "./files.ts";

const root = join(fileURLToPath(import.meta.url), "../../../..");
const { values } = parseArgs({
  options: {
    lists: { type: "string", default: "1000" },
    numbers: { type: "string", default: "10000000" },
    /** Lessees that have a trunk; as many as there are lists when left out. */
    trunks: { type: "string" },
    /** Builds to measure beside each other. */
    target: { type: "string", multiple: true, default: [join(root, "dist/main.js")] },
    rounds: { type: "string", default: "3" },
    /** Figures to take; all of them when left out. */
    only: { type: "string", default: "check,start,snapshot,reload" },
    records: { type: "boolean", default: false },
    /** Where the files are made; a folder for temporary files when left out. */
    folder: { type: "string" },
    keep: { type: "boolean", default: false },
  },
});
const folder = values.folder ?? mkdtempSync(join(tmpdir(), "sigwall-lists-"));
const rounds = Number(values.rounds);
const only = new Set(values.only.split(","));
const started = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of started) child.kill("SIGKILL");
  if (!values.keep) rmSync(folder, { recursive: true, force: true });
});
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => process.exit(1));

const sipPort = await freePort("127.0.0.1");
const corePort = await freePort("127.0.0.1");
const adminPort = await freeStreamPort("127.0.0.1");
const files = writeLists({
  folder,
  lists: Number(values.lists),
  numbers: Number(values.numbers),
  trunks: Number(values.trunks ?? values.lists),
  sipPort,
  adminPort,
  corePort,
  records: values.records,
});
const admin = `http://127.0.0.1:${adminPort}`;
process.stdout.write(
  `${values.numbers} numbers in ${values.lists} lists, ${values.trunks ?? values.lists} trunks, ${(files.octets / 1e6).toFixed(0)} MB of CSV; ${rounds} rounds, lowest (median)${values.records ? "; records kept" : ""}\n`,
);

type Figure = readonly [name: string, unit: "s" | "MB" | "ms", value: number];
const taken = new Map<string, Map<string, number[]>>();
for (let round = 0; round < rounds; round++) {
  const order = round % 2 === 0 ? values.target : values.target.toReversed();
  for (const target of order) {
    for (const [name, unit, value] of await measure(resolve(target), files, round)) {
      process.stderr.write(`${target}: ${name} ${value.toFixed(2)} ${unit}\n`);
      const label = `${name}, ${unit}`;
      const ofName = taken.get(label) ?? new Map<string, number[]>();
      taken.set(label, ofName);
      ofName.set(target, [...(ofName.get(target) ?? []), value]);
    }
  }
}
const head = ["", ...values.target.map((target) => dirname(target).split("/").slice(-2).join("/"))];
const rows = [...taken].map(([label, byTarget]) => [
  label,
  ...values.target.map((target) => sayValues(byTarget.get(target) ?? [])),
]);
process.stdout.write(`${formatColumns([head, ...rows])}\n`);
process.exit(0);

function sayValues(all: readonly number[]): string {
  const digits = Math.min(...all) < 100 ? 2 : 0;
  return `${Math.min(...all).toFixed(digits)} (${median(all).toFixed(digits)})`;
}

async function measure(
  main: string,
  { config, changing }: ListFiles,
  round: number,
): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const state of ["state", "records", "policies"])
    rmSync(join(folder, state), { recursive: true, force: true });
  if (only.has("check")) {
    const check = startProgram(main, ["check", "--config", config]);
    const begin = performance.now();
    const peak = watch(check, () => memoryOf(check, "VmHWM"));
    const work = watch(check, () => workOf(check));
    const [code]: (number | null)[] = await once(check, "exit");
    if (code !== 0) throw new Error(`check ended with ${code}: see ${folder}/output.log`);
    figures.push(
      ["check", "s", (performance.now() - begin) / 1000],
      ["check: CPU", "s", work()],
      ["check: peak", "MB", peak()],
    );
  }
  if (only.has("start")) {
    const { child, seconds } = await startFilter(main, config);
    figures.push(
      ["first start", "s", seconds],
      ["first start: CPU", "s", workOf(child)],
      ["first start: RSS", "MB", memoryOf(child, "VmRSS")],
    );
    await settle(child);
    figures.push(
      ["first start: peak", "MB", memoryOf(child, "VmHWM")],
      ["first start: RSS when settled", "MB", memoryOf(child, "VmRSS")],
    );
    if (!only.has("snapshot") && only.has("reload"))
      figures.push(...(await measureReloads(child, changing, round)));
    await stop(child);
  }
  if (only.has("snapshot")) {
    const { child, seconds } = await startFilter(main, config);
    figures.push(
      ["second start", "s", seconds],
      ["second start: CPU", "s", workOf(child)],
      ["second start: RSS", "MB", memoryOf(child, "VmRSS")],
    );
    await settle(child);
    figures.push(
      ["second start: peak", "MB", memoryOf(child, "VmHWM")],
      ["second start: RSS when settled", "MB", memoryOf(child, "VmRSS")],
    );
    if (only.has("reload")) figures.push(...(await measureReloads(child, changing, round)));
    await stop(child);
  }
  return figures;
}

/** The first reload starts the reading thread; the second finds it. */
async function measureReloads(
  child: ChildProcess,
  changing: string,
  round: number,
): Promise<readonly Figure[]> {
  const prober = fork(join(root, "out/bench/lists/prober.js"), [String(corePort), String(sipPort)]);
  started.add(prober);
  await once(prober, "message");
  const asked = async (): Promise<{
    readonly median: number;
    readonly p99: number;
    readonly longest: number;
  }> => {
    const answer = once(prober, "message");
    prober.send("figures");
    const [figures] = await answer;
    return figures;
  };
  await pause(1000);
  await asked();
  await pause(3000);
  const quiet = await asked();
  addRow(changing, round * 2);
  const first = await reload();
  const during = await asked();
  addRow(changing, round * 2 + 1);
  const second = await reload();
  const after = await asked();
  const rss = memoryOf(child, "VmRSS");
  await pause(3000);
  const figures: readonly Figure[] = [
    ["reload", "s", first],
    ["reload again", "s", second],
    ["reloads: RSS", "MB", rss],
    ["reloads: RSS 3 s later", "MB", memoryOf(child, "VmRSS")],
    ["peak of the process", "MB", memoryOf(child, "VmHWM")],
    ["OPTIONS, no reload: median", "ms", quiet.median],
    ["OPTIONS, no reload: p99", "ms", quiet.p99],
    ["OPTIONS, no reload: longest", "ms", quiet.longest],
    ["OPTIONS, reload: p99", "ms", during.p99],
    ["OPTIONS, reload: longest", "ms", during.longest],
    ["OPTIONS, reload again: longest", "ms", after.longest],
    ["longest turn of the call thread", "ms", (await figureOf("sigwall_call_thread_turn_seconds")) * 1000],
  ];
  prober.send("end");
  started.delete(prober);
  return figures;
}

async function reload(): Promise<number> {
  const begin = performance.now();
  const answer = await fetch(`${admin}/reload`, { method: "POST" });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`reload: ${answer.status} ${text}`);
  return (performance.now() - begin) / 1000;
}

function startProgram(main: string, args: readonly string[]): ChildProcess {
  const output = openSync(join(folder, "output.log"), "a");
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, stdio: ["ignore", output, output] });
  closeSync(output);
  started.add(child);
  child.once("exit", () => started.delete(child));
  return child;
}

async function startFilter(
  main: string,
  config: string,
): Promise<{ readonly child: ChildProcess; readonly seconds: number }> {
  const begin = performance.now();
  const child = startProgram(main, ["run", "--config", config]);
  for (;;) {
    if (child.exitCode !== null)
      throw new Error(`the filter ended with ${child.exitCode}: see ${folder}/output.log`);
    const ready = await fetch(`${admin}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ready) return { child, seconds: (performance.now() - begin) / 1000 };
    await pause(10);
  }
}

/** Waits until every list has a snapshot, where there are any, and the process has used no CPU to speak of for a second. */
async function settle(child: ChildProcess): Promise<void> {
  for (let calm = 0, last = workOf(child); calm < 5;) {
    await pause(200);
    const now = workOf(child);
    calm = now - last < 0.03 && areSnapshotsWritten() ? calm + 1 : 0;
    last = now;
  }
}

function areSnapshotsWritten(): boolean {
  const place = join(folder, "state/lists");
  if (!existsSync(place)) return true;
  return readdirSync(place).filter((name) => name.endsWith(".list")).length >= Number(values.lists);
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}

/** CPU time of a process so far. Seconds (proc(5), stat: hundredths). */
function workOf(child: ChildProcess): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function memoryOf(child: ChildProcess, field: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${child.pid}/status`, "latin1");
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? Number.NaN) / 1024;
}

/** Looks at a figure that only grows, until the process ends. */
function watch(child: ChildProcess, read: () => number): () => number {
  let last = 0;
  const look = (): void => {
    try {
      last = Math.max(last, read() || 0);
    } catch {
      // It has ended.
    }
  };
  const timer = setInterval(look, 10);
  child.once("exit", () => clearInterval(timer));
  return () => last;
}

async function figureOf(name: string): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)`, "m").exec(text)?.[1] ?? Number.NaN);
}
