// Lines that were let on by their lessees: those that a detector found, and those that were stopped for it.
import type { ReadLine } from "../records/asking/record-filter.ts";
import { isFields, textIn } from "../records/lines/line-fields.ts";

/** Whose a trunk is, by its id. */
type TrunksOfLessees = ReadonlyMap<string, { readonly lessee?: string | undefined }>;

/** How orders say that a line was re-let. */
const reLetWords = ["转租", "出租", "层层转租", "sub-lease", "sublease", "sub-let", "sublet"];

/** Trunks with a finding of `sub-lease`, and the calls that made it. */
export function trunksFound(notes: readonly ReadLine[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const { record, detector, subject, calls, order } of notes) {
    const about = typeof subject === "string" ? parse(subject) : subject;
    if (record !== "finding" || detector !== "sub-lease" || !isFields(about)) continue;
    // An order about a finding, a release for one, is no other finding.
    if (order !== undefined) continue;
    add(found, `trunk:${textIn(about["trunk"])}`, Array.isArray(calls) ? calls.map(String) : []);
  }
  return found;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Lines that were stopped because they were re-let: there is a finding, or the order says so. An order for a lessee stops
 * all of its lines.
 */
export function linesStopped(
  notes: readonly ReadLine[],
  found: ReadonlySet<string>,
  trunks: TrunksOfLessees,
): ReadonlyMap<string, readonly string[]> {
  const stopped = new Map<string, readonly string[]>();
  for (const { record, line, state, order, reason } of notes) {
    if (record !== "order" || (state !== "suspended" && state !== "closed")) continue;
    const why = textIn(reason).toLowerCase();
    const isReLet = reLetWords.some((word) => why.includes(word));
    const ids = [textIn(order)].filter((reference) => reference !== "");
    for (const each of linesOf(textIn(line), trunks)) if (isReLet || found.has(each)) add(stopped, each, ids);
  }
  return stopped;
}

/** The trunks of a lessee; a lessee whose trunks no policy names stands for itself. */
function linesOf(line: string, trunks: TrunksOfLessees): readonly string[] {
  if (!line.startsWith("lessee:")) return [line];
  const own = [...trunks].flatMap(([id, { lessee }]) => (`lessee:${lessee}` === line ? [`trunk:${id}`] : []));
  return own.length === 0 ? [line] : own;
}

/** So many ids are named of a line. */
const MOST_IDS = 10;

function add(lines: Map<string, readonly string[]>, line: string, ids: readonly string[]): void {
  lines.set(line, [...new Set([...(lines.get(line) ?? []), ...ids])].slice(0, MOST_IDS));
}
