// Finds the finding, or the order, by which the quarantine refused or marked a call, among the `finding` lines before it.
import type { Millis } from "../../domain/time.ts";
import type { RecordPlace } from "../../records/asking/ask-records.ts";
import type { ReadLine } from "../../records/asking/record-filter.ts";
import { isFields, textIn, textsIn } from "../../records/lines/line-fields.ts";
import { findBefore, type LinesAsked } from "./lines-before.ts";
import { type Clock, show } from "./record-table.ts";

const DAY: Millis = 86_400_000;
/** An order holds for a year at most. */
const asked: LinesAsked = { kind: "finding", spans: [2 * DAY, 370 * DAY], most: 20_000 };

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
export function findBindingFindings(
  place: RecordPlace,
  calls: readonly ReadLine[],
): Promise<ReadonlyMap<ReadLine, ReadLine>> {
  return findBefore(place, calls.filter(isOfQuarantine), asked, ({ finding }, lines) =>
    lines.find(({ id, order }) => id === finding && order !== "release"),
  );
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
