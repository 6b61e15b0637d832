/** The tables of what records and evidence cost: CPU of the threads, and the time that refusals take. */
import type { LoadKind, Measurement } from "../load.ts";
import { formatColumns, median } from "../report.ts";
import type { Target } from "../targets.ts";
import type { Delays } from "./refusals.ts";
import { plain } from "../states.ts";

type Figure = "microsPerCall" | "firstThread" | "nextThread";

/** The columns of each kind of load. */
const figures: readonly (readonly [title: string, figure: Figure])[] = [
  ["process", "microsPerCall"],
  ["call thread", "firstThread"],
  ["next thread", "nextThread"],
];

/**
 * CPU by target and kind of load: median and lowest of all rounds, and what each is above the target that keeps nothing:
 * the median of the differences within each round, and the difference of the lowest values. A round takes seconds, and
 * other work on the machine changes over minutes: the difference within a round moves less than that of two medians.
 */
export function formatCosts(targets: readonly Target[], measurements: readonly Measurement[]): string {
  const rows = [["target", "calls", ...figures.flatMap(([title]) => [title, "+"])]];
  for (const kind of ["allowed", "rejected"] as const) {
    for (const target of targets.filter(({ name }) => name === "sigwall")) {
      const bare = targets.find((one) => isPlainOf(one, target));
      const row = [target.title, kind];
      for (const [, figure] of figures) {
        const own = valuesOf(measurements, target, kind, figure);
        const other = bare === undefined ? [] : valuesOf(measurements, bare, kind, figure);
        const differences = own.map((value, round) => value - (other[round] ?? NaN));
        const more = [median(differences), Math.min(...own) - Math.min(...other)];
        const isCompared = bare !== undefined && bare !== target && figure !== "nextThread";
        row.push(
          both(median(own), Math.min(...own)),
          isCompared ? both(more[0] ?? NaN, more[1] ?? NaN) : "–",
        );
      }
      rows.push(row);
    }
  }
  return formatColumns(rows);
}

function isPlainOf(one: Target, { name, sockets, program }: Target): boolean {
  return one.state === plain && one.name === name && one.sockets === sockets && one.program === program;
}

function valuesOf(
  measurements: readonly Measurement[],
  target: Target,
  kind: LoadKind,
  figure: Figure,
): readonly number[] {
  return measurements.filter((one) => one.target === target && one.kind === kind).map((one) => one[figure]);
}

function both(middle: number, lowest: number): string {
  return `${middle.toFixed(1)} (${lowest.toFixed(1)})`;
}

/** How long answers to refused calls took, by target: quantiles over all rounds, and of the p99 of each round the median and the lowest. */
export function formatDelays(targets: readonly Target[], delays: readonly Delays[]): string {
  const rows = [["target", "refusals", "p50", "p90", "p99", "p99 of a round", "longest", "unanswered"]];
  for (const target of targets.filter(({ name }) => name === "sigwall")) {
    const own = delays.filter((one) => one.target === target);
    const all = own.flatMap(({ millis }) => millis);
    const ofRounds = own.map(({ millis }) => quantile(millis, 0.99));
    rows.push([
      target.title,
      String(all.length),
      ...[0.5, 0.9, 0.99].map((share) => quantile(all, share).toFixed(2)),
      `${median(ofRounds).toFixed(2)} (${Math.min(...ofRounds).toFixed(2)})`,
      quantile(all, 1).toFixed(2),
      String(own.reduce((sum, { unanswered }) => sum + unanswered, 0)),
    ]);
  }
  return formatColumns(rows);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
