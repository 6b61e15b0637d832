/** The table at the end: medians, spread, the ratio to Kamailio, and how long answers took. */
import { loadKinds, type LoadKind, type Measurement } from "./load.ts";
import type { Target } from "./targets.ts";

type Reported = Pick<Target, "name" | "title">;
type Measured = Pick<
  Measurement,
  "kind" | "microsPerCall" | "calls" | "failed" | "retransmissions" | "p99"
> & {
  readonly target: Reported;
};

/** What one target cost beside Kamailio, over the rounds of one rate and one kind of call. */
export interface Cost {
  /** µs of CPU a call. */
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
  /** The median of the ratios to Kamailio within each round; NaN without Kamailio. */
  readonly ratio: number;
  /** The median of the p99 of each round, ms. */
  readonly p99: number;
}

/**
 * Sums up the rounds of a target. A round takes seconds and other work on the machine changes over minutes, so the ratio
 * within a round moves less than that of two medians.
 *
 * @param measurements those of one rate; each target has one of each kind in every round, in the order of the rounds
 * @param reference what the target is compared with. Undefined: nothing
 */
export function costOf(
  measurements: readonly Measured[],
  target: Reported,
  kind: LoadKind,
  reference: Reported | undefined,
): Cost {
  const of = (one: Reported | undefined): readonly Measured[] =>
    measurements.filter((measured) => measured.target === one && measured.kind === kind);
  const own = of(target);
  const other = of(reference);
  const micros = own.map(({ microsPerCall }) => microsPerCall);
  return {
    median: median(micros),
    lowest: Math.min(...micros),
    highest: Math.max(...micros),
    ratio: median(micros.map((spent, round) => spent / (other[round]?.microsPerCall ?? NaN))),
    p99: median(own.map(({ p99 }) => p99)),
  };
}

/**
 * What one run measured at one rate, as rows of text: the titles first.
 *
 * @param memory MB by target
 */
export function reportRows(
  targets: readonly Reported[],
  measurements: readonly Measured[],
  memory: ReadonlyMap<Reported, number>,
): readonly (readonly string[])[] {
  const reference = targets.find(({ name }) => name === "kamailio");
  const rows = [
    ["target", ...loadKinds.flatMap((kind) => [`${kind} µs`, "range", "x", "p99 ms"]), "failed", "resent"],
  ];
  rows[0]?.push("PSS MB");
  for (const target of targets) {
    const row = [target.title];
    for (const kind of loadKinds) {
      const cost = costOf(measurements, target, kind, reference);
      row.push(
        cost.median.toFixed(0),
        `${cost.lowest.toFixed(0)}–${cost.highest.toFixed(0)}`,
        ratioText(cost.ratio),
        boundText(cost.p99),
      );
    }
    const all = measurements.filter((one) => one.target === target);
    const calls = sum(all.map((one) => one.calls));
    row.push(
      `${sum(all.map((one) => one.failed))} of ${calls}`,
      String(sum(all.map((one) => one.retransmissions))),
    );
    row.push((memory.get(target) ?? 0).toFixed(0));
    rows.push(row);
  }
  return rows;
}

/** The same in text columns. */
export function formatReport(
  targets: readonly Reported[],
  measurements: readonly Measured[],
  memory: ReadonlyMap<Reported, number>,
): string {
  return formatColumns(reportRows(targets, measurements, memory));
}

/** A ratio to Kamailio. Without Kamailio there is nothing to compare with. */
export function ratioText(ratio: number): string {
  return Number.isFinite(ratio) ? ratio.toFixed(2) : "–";
}

/** The bound that a share of the answers kept, ms. */
export function boundText(millis: number): string {
  return Number.isFinite(millis) ? `< ${millis}` : "≥ 500";
}

/** Left column flush left, the others flush right. */
export function formatColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(pad).join("  ")).join("\n");
}

/** The middle value, or the mean of the two middle ones. NaN when there are none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
