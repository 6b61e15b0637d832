// The figures of marked days, together: precision, recall by form, how early, what was false, what enforcing would refuse.
import type { DetectorId } from "../../src/domain/finding.ts";
import { difficulties } from "../traffic/call.ts";
import type { DayMarks, DetectorMarks } from "./marks.ts";

/** A campaign counts as found when this share of its calls was not made yet. */
const EARLY = 0.2;
const MILLION = 1e6;

export function printFigures(detectors: readonly DetectorId[], days: readonly DayMarks[]): string {
  const honestCalls = days.reduce((sum, day) => sum + day.honestCalls, 0);
  let refused = 0;
  const lines = detectors.flatMap((detector) => {
    const marks = days.flatMap((day) => day.detectors.get(detector) ?? []);
    refused += marks.reduce((sum, mark) => sum + mark.refused, 0);
    return printDetector(detector, marks, honestCalls);
  });
  return [
    ...lines,
    `all: ${((refused * MILLION) / honestCalls).toFixed(1)} honest calls a million would be refused (${refused} of ${honestCalls})`,
  ].join("\n");
}

function printDetector(
  detector: DetectorId,
  marks: readonly DetectorMarks[],
  honestCalls: number,
): readonly string[] {
  const right = marks.reduce((sum, mark) => sum + mark.right, 0);
  const refused = marks.reduce((sum, mark) => sum + mark.refused, 0);
  const honest = marks.reduce((sum, mark) => sum + mark.honest, 0);
  const wrong = new Map<string, number>();
  for (const mark of marks)
    for (const [population, count] of mark.wrong) wrong.set(population, (wrong.get(population) ?? 0) + count);
  const bad = [...wrong.values()].reduce((sum, count) => sum + count, 0);
  return [
    `${detector}: ${right + bad} findings, ${bad} false; precision ${describeShare(right, right + bad)}; ${honest} honest subjects with its sign; ${((refused * MILLION) / honestCalls).toFixed(1)} honest calls a million refused`,
    ...difficulties.map((difficulty) => {
      const shares = marks.flatMap((mark) => mark.shares.get(difficulty) ?? []).toSorted((a, b) => a - b);
      const early = shares.filter((share) => share <= EARLY).length;
      const ever = shares.filter((share) => share < Infinity);
      return `  ${difficulty.padEnd(12)} recall ${describeShare(early, shares.length)}; found at all ${ever.length}; calls made then: median ${at(ever, 0.5)}, p90 ${at(ever, 0.9)}`;
    }),
    ...(bad === 0
      ? []
      : [
          `  false: ${[...wrong].map(([population, count]) => `${population} ${count}`).join(", ")}`,
          ...marks.flatMap(({ examples }) => examples.map((example) => `    ${example}`)),
        ]),
  ];
}

/** @param sorted shares, the least first */
function at(sorted: readonly number[], part: number): string {
  const share = sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  return share === undefined ? "–" : `${(100 * share).toFixed(1)} %`;
}

/** A share with its 95 % interval (Wilson 1927). */
function describeShare(part: number, whole: number): string {
  if (whole === 0) return "– (none)";
  const z = 1.96;
  const share = part / whole;
  const middle = (share + (z * z) / (2 * whole)) / (1 + (z * z) / whole);
  const half =
    (z * Math.sqrt((share * (1 - share)) / whole + (z * z) / (4 * whole * whole))) / (1 + (z * z) / whole);
  return `${share.toFixed(3)} (${part} of ${whole}; 95 %: ${Math.max(0, middle - half).toFixed(3)} to ${Math.min(1, middle + half).toFixed(3)})`;
}
