// Refuses to write over a list whose numbers would be lost.
import { statSync } from "node:fs";
import { describeFailure, readFromDisk } from "../../app/read-file.ts";
import type { AskedColumn } from "../../config/lists/asked-column.ts";
import type { Calendar } from "../../config/lists/calendar.ts";
import { createListReader, type ReadList } from "../../config/lists/number-list.ts";
import { describeDifference } from "../../config/change/number-words.ts";
import { formatIssue } from "../../config/yaml/issue.ts";
import { differenceOf } from "../../numbering/lists/difference.ts";

/** How a list is read. */
export interface ListForm {
  readonly calendar: Calendar;
  readonly homeCountry: string;
  readonly asked: AskedColumn | undefined;
}

/**
 * Compares the file that is to be written over with what would be written.
 *
 * @param canAdd whether the command names a list that rows can be added to
 * @returns what would be lost, and what to do; undefined: there is no such file, or it loses no number
 */
export function describeLoss(
  out: string,
  made: ReadList,
  { calendar, homeCountry, asked }: ListForm,
  canAdd: boolean,
): string | undefined {
  try {
    // What is no file can't be written over: the writing says so.
    if (statSync(out, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  } catch (error) {
    return `can't look at ${out}: ${describeFailure(error)}`;
  }
  const there = readFromDisk(out);
  if ("error" in there) return `can't read ${out}, which would be written over: ${there.error}`;
  if (there.bytes.length === 0) return undefined;
  const { list, issues } = createListReader(calendar, homeCountry)(out, there.bytes, asked);
  if (list === undefined) {
    const [issue] = issues;
    return `${out} is there and is no list that can be read (${issue === undefined ? "" : formatIssue(issue)}). Nothing was written; --replace writes over it`;
  }
  const { removed } = differenceOf(list.numbers, made.numbers);
  const [words] = describeDifference({
    added: { numbers: 0, spans: 0, first: [], prefixes: 0, firstPrefixes: [] },
    removed,
    changed: 0,
  });
  if (words === undefined) return undefined;
  const add = canAdd
    ? "--add keeps them and puts the new rows behind"
    : "--add with --lessee or --list keeps them";
  return `${out} would lose numbers: ${words}. Nothing was written; ${add}, --replace lets them go`;
}
