// The charts of the monthly report: inline SVG without a script, a font or a request to anywhere.
import { escapeText } from "./html-text.ts";

const WIDTH = 720;
const HEIGHT = 180;
const FOOT = 18;

/** Bars over the days of a month: all attempts, and in front of them those that were refused. */
export function dayChart(
  days: readonly { readonly day: string; readonly attempts: number; readonly refused: number }[],
  title: string,
): string {
  const most = Math.max(1, ...days.map(({ attempts }) => attempts));
  const step = WIDTH / Math.max(1, days.length);
  const height = (value: number): number => (value / most) * (HEIGHT - FOOT - 12);
  const bar = (index: number, value: number, name: string): string => {
    const tall = height(value);
    return `<rect class="${name}" x="${round(index * step + step * 0.15)}" y="${round(HEIGHT - FOOT - tall)}" width="${round(step * 0.7)}" height="${round(tall)}"/>`;
  };
  const bars = days.flatMap(({ attempts, refused }, index) => [
    bar(index, attempts, "all"),
    bar(index, refused, "refused"),
  ]);
  const labels = days.map(
    ({ day }, index) =>
      `<text x="${round((index + 0.5) * step)}" y="${HEIGHT - 4}" text-anchor="middle">${escapeText(day.slice(8))}</text>`,
  );
  return svg(
    WIDTH,
    HEIGHT,
    title,
    `<text x="0" y="10">${most}</text><line x1="0" x2="${WIDTH}" y1="${HEIGHT - FOOT}" y2="${HEIGHT - FOOT}"/>${bars.join("")}${labels.join("")}`,
  );
}

const ROW = 20;
const NAME = 220;

/** A bar for each row, the longest as long as the chart. Rows of nothing are left out. */
export function rowChart(
  rows: readonly { readonly name: string; readonly count: number }[],
  title: string,
): string {
  const shown = rows.filter(({ count }) => count > 0);
  const most = Math.max(1, ...shown.map(({ count }) => count));
  const lines = shown.map(({ name, count }, index) => {
    const y = index * ROW;
    const long = (count / most) * (WIDTH - NAME - 80);
    return `<text x="${NAME - 8}" y="${y + 14}" text-anchor="end">${escapeText(name)}</text><rect class="refused" x="${NAME}" y="${y + 4}" width="${round(long)}" height="12"/><text x="${round(NAME + long + 6)}" y="${y + 14}">${count}</text>`;
  });
  return shown.length === 0 ? "" : svg(WIDTH, shown.length * ROW + 4, title, lines.join(""));
}

function svg(width: number, height: number, title: string, inner: string): string {
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeText(title)}">${inner}</svg>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
