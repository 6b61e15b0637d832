// Lines that several folders hold, as copies of a folder do: which hours may have them, and by what a line is known.
import { type Fields, textIn } from "../lines/line-fields.ts";
import type { HourFiles } from "../sealed/hour-files.ts";
import type { ReadLine } from "./record-filter.ts";

/** Days of a node that one folder holds, and days that several hold. */
export function partHours(hours: readonly HourFiles[]): {
  readonly single: readonly HourFiles[];
  readonly doubled: readonly (readonly HourFiles[])[];
} {
  const days = new Map<string, HourFiles[]>();
  for (const hour of hours) {
    const key = `${hour.day} ${hour.node}`;
    const known = days.get(key);
    if (known === undefined) days.set(key, [hour]);
    else known.push(hour);
  }
  const groups = [...days.values()];
  return {
    single: groups.filter((group) => foldersOf(group) === 1).flat(),
    doubled: groups.filter((group) => foldersOf(group) > 1),
  };
}

/** In how many folders a line may stand, at most. */
export function copiesOf(hours: readonly HourFiles[]): number {
  return Math.max(1, ...partHours(hours).doubled.map(foldersOf));
}

function foldersOf(group: readonly HourFiles[]): number {
  return new Set(group.map(({ folder }) => folder)).size;
}

/** What tells lines of one time apart. */
const telling = [
  "node",
  "trunk",
  "reason",
  "status",
  "of",
  "line",
  "state",
  "order",
  "detector",
  "from",
  "to",
  "why",
  "count",
  "lost",
  "by",
  "command",
  "revision",
];

/** The same for two copies of a line, sealed or not, and for no other line. */
export function keyOfLine(line: ReadLine): string {
  const { record, id, subject } = line;
  if (record === "decided" && textIn(id) !== "") return textIn(id);
  const about = typeof subject === "object" ? JSON.stringify(subject) : subject;
  return JSON.stringify([line.time, record, id, about, ...telling.map((name) => line[name])]);
}

/** Copies of a line follow each other closely where lines come in the order of time. */
const MOST_REMEMBERED = 65_536;

/**
 * Passes each line of doubled hours on once, where lines come in the order of time. The last {@link MOST_REMEMBERED} lines
 * at least are remembered.
 *
 * @param hours without doubled days every line is passed on
 */
export function takeOnce<Line extends Fields, More extends readonly unknown[]>(
  hours: readonly HourFiles[],
  take: (line: Line, ...more: More) => void,
): (line: Line, ...more: More) => void {
  if (copiesOf(hours) === 1) return take;
  let seen = new Set<string>();
  let before = new Set<string>();
  return (line, ...more) => {
    const id = textIn(line["id"]);
    if (id === "") {
      take(line, ...more);
      return;
    }
    const key = `${textIn(line["record"])} ${id}`;
    if (seen.has(key) || before.has(key)) return;
    seen.add(key);
    if (seen.size >= MOST_REMEMBERED) {
      before = seen;
      seen = new Set();
    }
    take(line, ...more);
  };
}
