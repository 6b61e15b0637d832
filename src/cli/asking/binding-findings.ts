// Finds the finding, or the order, by which the quarantine refused or marked a call, among the `finding` lines before it.
import type { Millis } from "../../domain/time.ts";
import { askRecords, type RecordPlace } from "../../records/asking/ask-records.ts";
import type { ReadLine } from "../../records/asking/record-filter.ts";
import { isFields, textIn, textsIn } from "../../records/lines/line-fields.ts";
import { type Clock, show } from "./record-table.ts";

const DAY: Millis = 86_400_000;
/** How far back the records are asked, one after the other: most findings are young, and an order holds for a year at most. */
const spans: readonly Millis[] = [2 * DAY, 370 * DAY];
/** At most so many lines are read at a time. */
const MOST_FINDINGS = 20_000;

/** True for a call that the quarantine refused or marked. */
export function isOfQuarantine({ rule }: ReadLine): boolean {
  return rule === "quarantine";
}

/**
 * Finds the line that bound each call.
 *
 * @param calls those that nothing bound are passed over
 * @returns resolves with the lines by call; a call whose finding is not recorded is missing
 */
export async function findBindingFindings(
  place: RecordPlace,
  calls: readonly ReadLine[],
): Promise<ReadonlyMap<ReadLine, ReadLine>> {
  const found = new Map<ReadLine, ReadLine>();
  let left = calls.filter(isOfQuarantine);
  for (const span of spans) {
    if (left.length === 0) break;
    const times = left.map(({ time }) => Date.parse(time));
    const from = Math.max(Math.min(...times) - span, 0);
    const asked = { kinds: ["finding"], from, to: Math.max(...times) + 1 };
    const { items } = await askRecords(place, asked, MOST_FINDINGS);
    for (const call of left) {
      const id = call["finding"];
      const same = items.filter((item) => item["id"] === id && item["order"] !== "release");
      // What another node found or was ordered binds here too, and stands in the records of that node.
      const line = same.find((item) => item["node"] === call["node"]) ?? same[0];
      if (line !== undefined) found.set(call, line);
    }
    left = left.filter((call) => !found.has(call));
  }
  return found;
}

/** Says what bound a call: who found or ordered it, when, of whom, by which calls. */
export function sayFinding(line: ReadLine, clock: Clock): string {
  const { detector, subject, reason } = line;
  const whom = isFields(subject)
    ? ["kind", "number", "trunk"].flatMap((key) => (subject[key] === undefined ? [] : [show(subject[key])]))
    : [show(subject)];
  const calls = textsIn(line["calls"]);
  return [
    `${show(line["id"])} ${detector === "command" ? "by command" : `of ${show(detector)}`} at ${clock(line.time)}`,
    `about ${whom.join(" ")}`,
    `until ${clock(textIn(line["until"]))}`,
    ...(reason === undefined ? [] : [`reason ${show(reason)}`]),
    ...(calls.length === 0 ? [] : [`calls ${calls.join(" ")}`]),
  ].join(", ");
}
