/** The page of results: the tables of the last run, and the ratios of every release. */
import { costOf, ratioText, reportRows } from "../report.ts";
import { loadKinds, type LoadKind, type Measurement } from "../load.ts";
import type { Target } from "../targets.ts";
import { KNEE_P99, type Knee } from "./knee.ts";
import type { Machine } from "./machine.ts";

/** What a run measured. */
export interface Results {
  readonly machine: Machine;
  readonly rounds: number;
  readonly seconds: number;
  /** Calls a second. */
  readonly rates: readonly number[];
  readonly targets: readonly Target[];
  readonly measurements: readonly Measurement[];
  /** MB by target. */
  readonly memory: ReadonlyMap<Target, number>;
  readonly knees: readonly Knee[];
  /** Kilobytes of garbage a call. */
  readonly garbage: ReadonlyMap<LoadKind, number>;
}

/** The columns of the table by release that every run can fill. */
const releaseTitles: readonly string[] = [
  "release",
  "revision",
  "date",
  "800/s allowed",
  "800/s rejected",
  "5,000/s allowed",
  "5,000/s rejected",
  "dgram 800/s allowed",
  "dgram 800/s rejected",
  "records + evidence 800/s allowed",
  "records + evidence 800/s rejected",
  "knee",
  "KB a call",
];

const heading = "## By release";

/** Writes the page. The rows of other releases are those of `earlier`, the page before; empty: there was none. */
export function writePage(results: Results, earlier: string): string {
  const { machine, rounds, seconds, rates, targets, measurements, memory } = results;
  const ofRate = (rate: number): readonly Measurement[] =>
    measurements.filter(({ callsPerSecond }) => callsPerSecond === rate);
  return `${[
    "# Results",
    "`npm run bench -- --results` writes this page: the tables of its run, and its row by release. The other rows stay.\n" +
      "[README.md](README.md) says what is measured. `x` is the ratio to Kamailio, the median of the ratios within a round.",
    `## The last run: ${machine.release}, revision ${machine.revision}`,
    table([
      ["", ""],
      ["date", machine.date],
      ["machine", machine.hardware],
      ["programs", machine.programs],
      ["load average before", machine.load],
      ["load", `${rounds} rounds of ${seconds} s for each target, kind and rate, loopback UDP`],
    ]),
    ...rates.flatMap((rate) => [
      `### CPU a call at ${thousands(rate)} calls a second`,
      table(reportRows(targets, ofRate(rate), memory)),
    ]),
    ...kneeLines(results),
    ...garbageLines(results),
    heading,
    "Ratios to Kamailio in the run of that day, the knee as a share of Kamailio's, and kilobytes of garbage an allowed call.\n" +
      "–: not measured.",
    table([releaseTitles, ...releaseRows(results, earlier)]),
  ].join("\n\n")}\n`;
}

function kneeLines({ knees }: Results): readonly string[] {
  if (knees.length === 0) return [];
  return [
    `### The knee: the highest rate of allowed calls without a lost or repeated message, p99 below ${KNEE_P99} ms`,
    table(kneeRows(knees)),
  ];
}

const limits: Readonly<Record<Knee["limit"], string>> = {
  loss: "calls or messages were lost",
  p99: `p99 of ${KNEE_P99} ms or more`,
  generators: "SIPp placed fewer calls: the knee lies higher",
  none: "the search: the knee lies higher",
};

/** The knees as rows of text, the titles first. */
export function kneeRows(knees: readonly Knee[]): readonly (readonly string[])[] {
  return [
    ["target", "calls/s", "p99 ms", "µs a call", "what ended it"],
    ...knees.map(({ target, rate, p99, microsPerCall, limit }) => [
      target.title,
      thousands(rate),
      Number.isFinite(p99) ? `< ${p99}` : "–",
      Number.isFinite(microsPerCall) ? microsPerCall.toFixed(0) : "–",
      limits[limit],
    ]),
  ];
}

function garbageLines({ garbage }: Results): readonly string[] {
  if (garbage.size === 0) return [];
  return [
    "### Garbage of the running filter",
    table([["calls", "KB a call"], ...[...garbage].map(([kind, kilobytes]) => [kind, kilobytes.toFixed(1)])]),
  ];
}

/** The rows of the page before, and that of this run in the place of its release. */
function releaseRows(results: Results, earlier: string): readonly (readonly string[])[] {
  const own = releaseRow(results);
  const kept = readReleases(earlier);
  const known = kept.findIndex(([release]) => release === own[0]);
  if (known < 0) return [...kept, own];
  // What this run left out stays as an earlier one measured it.
  return kept.map((row, i) =>
    i === known ? own.map((cell, column) => (cell === "–" ? (row[column] ?? cell) : cell)) : row,
  );
}

function readReleases(page: string): readonly (readonly string[])[] {
  const from = page.indexOf(`${heading}\n`);
  if (from < 0) return [];
  const rows = page
    .slice(from)
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) =>
      line
        .slice(1, line.lastIndexOf("|"))
        .split("|")
        .map((cell) => cell.trim()),
    );
  return rows.slice(1);
}

function releaseRow(results: Results): readonly string[] {
  const { machine, targets, measurements, knees, garbage } = results;
  const reference = targets.find(({ name }) => name === "kamailio");
  const plain = targets.find((target) => isOwn(target) && target.title === "sigwall");
  const ratios = (rate: number, target: Target | undefined): readonly string[] =>
    loadKinds.map((kind) => {
      const ofRate = measurements.filter(({ callsPerSecond }) => callsPerSecond === rate);
      return target === undefined ? "–" : ratioText(costOf(ofRate, target, kind, reference).ratio);
    });
  const kneeOf = (target: Target | undefined): number =>
    knees.find((knee) => knee.target === target)?.rate ?? NaN;
  return [
    machine.release,
    machine.revision,
    machine.date,
    ...ratios(800, plain),
    ...ratios(5_000, plain),
    ...ratios(
      800,
      targets.find((target) => isOwn(target) && target.sockets === "dgram"),
    ),
    ...ratios(
      800,
      targets.find((target) => isOwn(target) && target.state.name === "evidence"),
    ),
    ratioText(kneeOf(plain) / kneeOf(reference)),
    garbage.get("allowed")?.toFixed(1) ?? "–",
  ];
}

function isOwn({ name }: Target): boolean {
  return name === "sigwall";
}

function table([titles = [], ...rows]: readonly (readonly string[])[]): string {
  return [rowOf(titles), `|${titles.map(() => "---|").join("")}`, ...rows.map(rowOf)].join("\n");
}

function rowOf(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** A whole number with commas between thousands. */
function thousands(count: number): string {
  return count.toLocaleString("en-US");
}
