// Refuses to write over a list whose numbers would be lost.
import { statSync } from "node:fs";
import { describeFailure, readFromDisk } from "../../app/read-file.ts";
import { createListReader, type ReadList } from "../../config/lists/number-list.ts";
import { describeExcess } from "../../config/change/number-words.ts";
import { formatIssue } from "../../config/yaml/issue.ts";
import type { ListTerms } from "../../intake/listed-rows.ts";
import { differenceOf } from "../../numbering/lists/difference.ts";

/**
 * Compares the file that is to be written over with what would be written.
 *
 * @param canAdd whether the command names a list that rows can be added to
 * @returns what would be lost, and what to do; undefined: there is no such file, or it loses no number
 */
export function describeLoss(
  out: string,
  made: ReadList,
  { calendar, homeCountry, asked }: ListTerms,
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
  const words = describeExcess(removed, "less");
  if (words === undefined) return undefined;
  const add = canAdd
    ? "--add keeps them and puts the new rows behind"
    : "--add with --lessee or --list keeps them";
  return `${out} would lose numbers: ${words}. Nothing was written; ${add}, --replace lets them go`;
}
