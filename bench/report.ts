/** The table at the end: medians, spread and the ratio to Kamailio. */
import type { LoadKind, Measurement } from "./load.ts";
import type { Target } from "./targets.ts";

type Reported = Pick<Target, "name" | "title">;
type Measured = Pick<Measurement, "kind" | "microsPerCall" | "calls" | "failed" | "retransmissions"> & {
  readonly target: Reported;
};

/** What one run measured, in text columns. `memory` in MB by target. */
export function formatReport(
  targets: readonly Reported[],
  measurements: readonly Measured[],
  memory: ReadonlyMap<Reported, number>,
): string {
  const of = (target: Reported, kind: LoadKind): readonly Measured[] =>
    measurements.filter((one) => one.target === target && one.kind === kind);
  const medianOf = (target: Reported, kind: LoadKind): number =>
    median(of(target, kind).map((one) => one.microsPerCall));
  const reference = targets.find(({ name }) => name === "kamailio");
  const rows = [
    ["target", "allowed µs", "range", "x", "rejected µs", "range", "x", "failed", "resent", "PSS MB"],
  ];
  for (const target of targets) {
    const row = [target.title];
    for (const kind of ["allowed", "rejected"] as const) {
      const micros = of(target, kind).map((one) => one.microsPerCall);
      const ratio = reference === undefined ? NaN : medianOf(target, kind) / medianOf(reference, kind);
      row.push(
        median(micros).toFixed(0),
        `${Math.min(...micros).toFixed(0)}–${Math.max(...micros).toFixed(0)}`,
        // Without Kamailio there is nothing to compare with.
        Number.isFinite(ratio) ? ratio.toFixed(2) : "–",
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
  return formatColumns(rows);
}

/** Left column flush left, the others flush right. */
export function formatColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(pad).join("  ")).join("\n");
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
