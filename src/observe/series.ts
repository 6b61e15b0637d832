// What a metric is: its name, its labels, and how its values are read from the figures of a scrape.
import type { Figures } from "./figures.ts";

/** Takes one series of a metric. */
export type Report = (labels: Readonly<Record<string, string>>, value: number) => void;

/** One metric whose series are read from the figures of a scrape. */
export interface Series {
  readonly kind: "counter" | "gauge";
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly read: (figures: Figures, report: Report) => void;
}

/** A metric of one series without labels. */
export function plainSeries(
  kind: Series["kind"],
  name: string,
  help: string,
  read: (figures: Figures) => number,
): Series {
  return { kind, name, help, labels: [], read: (figures, report) => report({}, read(figures)) };
}

/** A metric whose series differ by one label. */
export function labelledSeries(
  kind: Series["kind"],
  name: string,
  help: string,
  label: string,
  read: (figures: Figures) => Iterable<readonly [value: string, count: number]>,
): Series {
  return {
    kind,
    name,
    help,
    labels: [label],
    read(figures, report) {
      for (const [value, count] of read(figures)) report({ [label]: value }, count);
    },
  };
}
