// The charts of the monthly report: inline SVG without a script, a font or a request to anywhere.
import { escapeText } from "./html-text.ts";
import { describeShare, grouped } from "./report-words.ts";

const WIDTH = 720;
const HEIGHT = 190;
const FOOT = 18;
const TOP = 26;
const LEFT = 64;

/** Bars over the days of a month: all attempts, and in front of them those that were refused. */
export function dayChart(
  days: readonly { readonly day: string; readonly attempts: number; readonly refused: number }[],
  title: string,
  names: { readonly refused: string; readonly passed: string },
): string {
  const most = roundUp(Math.max(1, ...days.map(({ attempts }) => attempts)));
  const step = (WIDTH - LEFT) / Math.max(1, days.length);
  const tallOf = (value: number): number => (value / most) * (HEIGHT - FOOT - TOP);
  const bar = (index: number, value: number, name: string): string => {
    // A few refusals among many attempts can still be seen.
    const tall = value === 0 ? 0 : Math.max(1, tallOf(value));
    return `<rect class="${name}" x="${round(LEFT + index * step + step * 0.15)}" y="${round(HEIGHT - FOOT - tall)}" width="${round(step * 0.7)}" height="${round(tall)}"/>`;
  };
  const bars = days.flatMap(({ attempts, refused }, index) => [
    bar(index, attempts, "all"),
    bar(index, refused, "refused"),
  ]);
  const labels = days.map(({ day }, index) =>
    text(LEFT + (index + 0.5) * step, HEIGHT - 4, day.slice(8), "middle"),
  );
  const scale = (most < 4 ? [most] : [most / 4, most / 2, (most * 3) / 4, most]).map((value) => {
    const y = round(HEIGHT - FOOT - tallOf(value));
    return `<line x1="${LEFT}" x2="${WIDTH}" y1="${y}" y2="${y}"/>${text(LEFT - 6, y + 3, grouped(value), "end")}`;
  });
  const legend = [
    `<rect class="refused" x="${LEFT}" y="4" width="10" height="10"/>${text(LEFT + 15, 13, names.refused, "start")}`,
    `<rect class="all" x="${LEFT + 130}" y="4" width="10" height="10"/>${text(LEFT + 145, 13, names.passed, "start")}`,
  ];
  const foot = `<line class="foot" x1="${LEFT}" x2="${WIDTH}" y1="${HEIGHT - FOOT}" y2="${HEIGHT - FOOT}"/>`;
  return svg(WIDTH, HEIGHT, title, [...legend, ...scale, ...bars, foot, ...labels].join(""));
}

const ROW = 20;
const NAME = 220;

/** A bar for each row, the longest as long as the chart. Rows of nothing are left out. */
export function rowChart(
  rows: readonly { readonly name: string; readonly count: number; readonly share: number }[],
  title: string,
): string {
  const shown = rows.filter(({ count }) => count > 0);
  const most = Math.max(1, ...shown.map(({ count }) => count));
  const lines = shown.map(({ name, count, share }, index) => {
    const y = index * ROW;
    const long = Math.max(1, (count / most) * (WIDTH - NAME - 130));
    return `${text(NAME - 8, y + 14, name, "end")}<rect class="refused" x="${NAME}" y="${y + 4}" width="${round(long)}" height="12"/>${text(NAME + long + 6, y + 14, `${grouped(count)} (${describeShare(share)})`, "start")}`;
  });
  return shown.length === 0 ? "" : svg(WIDTH, shown.length * ROW + 4, title, lines.join(""));
}

/** The next number that four lines divide well: 4, 8, 12, 20, 40, 60, 80, 100, 200 … */
function roundUp(most: number): number {
  if (most < 4) return most;
  const unit = 10 ** Math.floor(Math.log10(most));
  const steps = unit === 1 ? [4, 8, 12] : [1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10].map((step) => step * unit);
  return steps.find((step) => step >= most) ?? 10 * unit;
}

function text(x: number, y: number, words: string, anchor: "start" | "middle" | "end"): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escapeText(words)}</text>`;
}

function svg(width: number, height: number, title: string, inner: string): string {
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeText(title)}">${inner}</svg>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
