// Loads the number lists that a policy names, each file once.
import type {
  DenyList,
  DoNotCallList,
  LesseeList,
  NumberList,
  PolicyTables,
  ScoreList,
} from "../../screening/rule.ts";
import { type AskedColumn, nameAsked, trunksIn } from "../lists/asked-column.ts";
import { createCalendar } from "../lists/calendar.ts";
import type { ConfigIssue, Path } from "../yaml/issue.ts";
import { createListReader, type ListReading, type ReadList } from "../lists/number-list.ts";
import {
  askedColumnOf,
  compileBands,
  industryOf,
  type ListKind,
  type PolicyList,
} from "./keys/list-schema.ts";
import type { PolicyFile } from "./policy-file.ts";
import { type ReadFile, resolvePath } from "../yaml/config-files.ts";

/** A list that the policy names and that was read without error. */
export interface LoadedList {
  readonly id: string;
  readonly kind: "lessee" | ListKind;
  /** What `lists` says of it. Undefined: the list of a lessee. */
  readonly entry: PolicyList | undefined;
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
   * @param setting what the rows of a list are read under: time zone, home country and the column that is asked for
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
  const read = (file: string, path: Path, asked: AskedColumn | undefined): ListReading => {
    const under = `${setting}${nameAsked(asked)}`;
    const known = memory?.recall(file, under);
    if (known !== undefined) return known;
    const content = readFile(file);
    if ("error" in content) {
      const issue = policy.source.issueAt(path, `can't read ${file}: ${content.error}`);
      return { list: undefined, issues: [issue] };
    }
    const reading = readList(file, content.bytes, asked);
    memory?.keep(file, under, reading);
    return reading;
  };
  const readings = new Map<string, ListReading>();
  const lists: LoadedList[] = [];
  const issues: ConfigIssue[] = [];
  const load = (list: Omit<LoadedList, "file" | "read">): void => {
    const file = resolvePath(policy.source.file, list.written);
    const asked = askedOf(list);
    const name = `${file}${nameAsked(asked)}`;
    let reading = readings.get(name);
    if (reading === undefined) {
      reading = read(file, list.path, asked);
      readings.set(name, reading);
      issues.push(...reading.issues);
    }
    if (reading.list !== undefined) lists.push({ ...list, file, read: reading.list });
  };
  for (const { path, value } of policy.lessees)
    load({
      id: value.id,
      kind: "lessee",
      written: value.numbers,
      path: [...path, "numbers"],
      entry: undefined,
    });
  for (const { path, value } of policy.lists)
    load({ id: value.id, kind: value.kind, written: value.file, path: [...path, "file"], entry: value });
  return { lists, issues };
}

/** The column that the rows of a list are asked for. */
export function askedOf({ entry }: Pick<LoadedList, "entry">): AskedColumn | undefined {
  return entry === undefined ? { name: "trunk", holds: "trunks" } : askedColumnOf(entry);
}

/** Returns the list of a lessee as one of its trunks sees it. */
export function toLesseeList(list: LoadedList, trunk: string): LesseeList {
  const { names } = list.read;
  if (names.length === 0) return toNumberList(list);
  const onTrunk = Uint8Array.from([1, ...names.map((named) => (trunksIn(named).includes(trunk) ? 1 : 0))]);
  return { ...toNumberList(list), onTrunk, trunkSets: names };
}

/** Returns a loaded list in the form that rules use. */
export function toNumberList({ id, file, read }: LoadedList): NumberList {
  return { id, file, numbers: read.numbers };
}

/** Selects the deny lists among the loaded lists. */
function toDenyLists(lists: readonly LoadedList[]): readonly DenyList[] {
  return lists.flatMap((list) => {
    const { kind, entry, read } = list;
    if (kind !== "police" && kind !== "deny" && kind !== "shutdown") return [];
    const ordered = entry?.order === undefined ? {} : { order: entry.order };
    const kept = {
      ...(entry?.releases !== undefined && { releases: entry.releases }),
      ...(entry?.noReturn === true && { noReturn: true }),
    };
    return [{ ...toNumberList(list), kind, notices: read.names, ...ordered, ...kept }];
  });
}

/** The tables that every trunk of a policy shares. */
export type SharedLists = Pick<PolicyTables, "denyLists" | "trustedLists" | "scoreLists" | "doNotCallLists">;

/** Sorts the loaded lists by what rules use them for. */
export function toSharedLists(lists: readonly LoadedList[]): SharedLists {
  const scoreLists: ScoreList[] = [];
  const doNotCallLists: DoNotCallList[] = [];
  for (const list of lists) {
    const { kind, entry, read } = list;
    if (kind === "score" && entry !== undefined)
      scoreLists.push({ ...toNumberList(list), bands: compileBands(entry) });
    else if (kind === "do-not-call" && entry !== undefined)
      doNotCallLists.push({ ...toNumberList(list), industry: industryOf(entry), industries: read.names });
  }
  return {
    denyLists: toDenyLists(lists),
    trustedLists: lists.filter(({ kind }) => kind === "trusted").map(toNumberList),
    scoreLists,
    doNotCallLists,
  };
}
