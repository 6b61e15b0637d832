// Loads the number lists that a policy names, each file once.
import type { DenyList, NumberList } from "../../screening/rule.ts";
import { createCalendar } from "../lists/calendar.ts";
import type { ConfigIssue, Path } from "../yaml/issue.ts";
import { createListReader, type ListReading, type ReadList } from "../lists/number-list.ts";
import type { PolicyFile } from "./policy-file.ts";
import { type ReadFile, resolvePath } from "../yaml/config-files.ts";

/** A list that the policy names and that was read without error. */
export interface LoadedList {
  readonly id: string;
  readonly kind: "lessee" | "police" | "deny";
  /** The path, as the policy writes it. */
  readonly written: string;
  /** The path, relative to the working directory of the program. */
  readonly file: string;
  /** Where the policy names the list. */
  readonly path: Path;
  readonly read: ReadList;
}

/** Lists that were read before: their files are not opened. */
export interface ListMemory {
  /**
   * @param setting what the rows of a list are read under: time zone and home country
   * @returns undefined when the file must be read
   */
  recall(file: string, setting: string): ListReading | undefined;
  /** Takes a list that was read now. */
  keep(file: string, setting: string, reading: ListReading): void;
}

/**
 * Reads every list that the policy names, each file once. A missing, empty or broken list is an
 * error.
 *
 * @param memory lists that need not be read again. Left out: all are read
 */
export function loadLists(
  policy: PolicyFile,
  readFile: ReadFile,
  memory?: ListMemory,
): { readonly lists: readonly LoadedList[]; readonly issues: readonly ConfigIssue[] } {
  const readList = createListReader(createCalendar(policy.timeZone), policy.homeCountry);
  const setting = `${policy.timeZone} ${policy.homeCountry}`;
  const read = (file: string, path: Path): ListReading => {
    const known = memory?.recall(file, setting);
    if (known !== undefined) return known;
    const content = readFile(file);
    if ("error" in content) {
      const issue = policy.source.issueAt(path, `can't read ${file}: ${content.error}`);
      return { list: undefined, issues: [issue] };
    }
    const reading = readList(file, content.bytes);
    memory?.keep(file, setting, reading);
    return reading;
  };
  const readings = new Map<string, ListReading>();
  const lists: LoadedList[] = [];
  const issues: ConfigIssue[] = [];
  const load = (id: string, kind: LoadedList["kind"], written: string, path: Path): void => {
    const file = resolvePath(policy.source.file, written);
    let reading = readings.get(file);
    if (reading === undefined) {
      reading = read(file, path);
      readings.set(file, reading);
      issues.push(...reading.issues);
    }
    if (reading.list !== undefined) lists.push({ id, kind, written, file, path, read: reading.list });
  };
  for (const { path, value } of policy.lessees) load(value.id, "lessee", value.numbers, [...path, "numbers"]);
  for (const { path, value } of policy.lists) load(value.id, value.kind, value.file, [...path, "file"]);
  return { lists, issues };
}

/** Returns a loaded list in the form that rules use. */
export function toNumberList({ id, file, read }: LoadedList): NumberList {
  return { id, file, numbers: read.numbers };
}

/** Selects the deny lists among the loaded lists. */
export function toDenyLists(lists: readonly LoadedList[]): readonly DenyList[] {
  return lists.flatMap((list) =>
    list.kind === "lessee" ? [] : [{ ...toNumberList(list), kind: list.kind }],
  );
}
