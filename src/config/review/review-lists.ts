// Reviews number lists: dates, duplicates, emergency numbers, wide ranges and prefixes, numbers of two lists.
import type { Millis } from "../../domain/time.ts";
import { formatKey } from "../../domain/number.ts";
import { readListNumber } from "../../numbering/e164.ts";
import { MOST_MARK } from "../../numbering/number-set-builder.ts";
import type { NumberSet } from "../../numbering/number-set.ts";
import { sharedNumbers } from "../../numbering/lists/overlap.ts";
import { type Calendar, createCalendar } from "../lists/calendar.ts";
import type { ConfigIssue } from "../yaml/issue.ts";
import type { LoadedList } from "../policy/list-loading.ts";
import type { PolicyMaterial } from "../load-policy.ts";
import { createDateReader } from "./row-dates.ts";

/** Entries that expire within this many days are announced. */
export const soonDays = 30;

/** At most this many findings of one kind in one list are written; the rest is counted. */
const mostFindings = 5;

/** The kinds of lists whose numbers are refused. */
const deniedKinds: ReadonlySet<string> = new Set(["police", "deny", "shutdown"]);

/** Emergency numbers. Only the service itself calls from them. */
const emergencyCodes = ["110", "119", "120", "122", "12395", "95110"];

/**
 * At most this many numbers in two lists are reported. More of them are one mistake in many lines.
 */
const mostShared = 1000;

/**
 * Finds what is legal in the lists and probably not meant.
 *
 * @param now Unix milliseconds; decides what has expired
 */
export function reviewLists(material: PolicyMaterial, now: Millis): readonly ConfigIssue[] {
  const { lists } = material;
  const calendar = createCalendar(material.file.timeZone);
  return [
    ...lists.flatMap((list) => [
      ...reviewDates(material, list, calendar, now),
      ...reviewDuplicates(list),
      ...reviewEmergency(list, now),
      ...reviewWide(list),
      ...reviewNotices(list),
    ]),
    ...reviewLessees(lists.filter((list) => list.kind === "lessee")),
    ...reviewDenied(lists),
  ];
}

function issueAtLine(
  list: LoadedList,
  line: number,
  path: string,
  message: string,
  severity: ConfigIssue["severity"] = "warning",
): ConfigIssue {
  return { severity, file: list.file, line, column: 1, path, message };
}

function reviewDates(
  material: PolicyMaterial,
  list: LoadedList,
  calendar: Calendar,
  now: Millis,
): readonly ConfigIssue[] {
  const { numbers } = list.read;
  const findings = {
    expired: createFindings(list, "valid_to"),
    ending: createFindings(list, "valid_to"),
    coming: createFindings(list, "valid_from"),
    unverified: createFindings(list, "verified_on"),
  };
  const remarksOf = createDateReader(material, list, calendar, now, soonDays);
  for (let row = 0; row < numbers.rows; row++)
    for (const { kind, describe } of remarksOf(row)) findings[kind].add(numbers.line(row), describe);
  return Object.values(findings).flatMap((found) => found.issues());
}

/**
 * Reports the same number, range or prefix on two lines that are in force at the same time. One of
 * them is redundant.
 */
function reviewDuplicates(list: LoadedList): readonly ConfigIssue[] {
  const { numbers } = list.read;
  const { exact, rangeStart, rangeEnd, rangeRow } = numbers.columns;
  const findings = createFindings(list, "number");
  const reported = new Set<number>();
  /** Rows of a lessee may name different trunks. */
  const areApart = (first: number, second: number): boolean => {
    const [one, other] = [numbers.mark(first), numbers.mark(second)];
    return list.kind === "lessee" && one > 0 && other > 0 && one !== other;
  };
  const compare = (first: number, second: number): void => {
    // A prefix is one row and several ranges.
    if (first === second || reported.has(second) || areApart(first, second)) return;
    if (!meetInTime(numbers, first, second)) return;
    reported.add(second);
    const lines = [numbers.line(first), numbers.line(second)].toSorted((a, b) => a - b);
    findings.add(lines[1] ?? 1, () => `duplicate of line ${lines[0]}`);
  };
  for (let row = 1; row < exact.length; row++) if (exact[row] === exact[row - 1]) compare(row - 1, row);
  for (let index = 1; index < rangeRow.length; index++) {
    const isSame = rangeStart[index] === rangeStart[index - 1] && rangeEnd[index] === rangeEnd[index - 1];
    if (isSame) compare(rangeRow[index - 1] ?? 0, rangeRow[index] ?? 0);
  }
  return findings.issues();
}

function meetInTime(numbers: NumberSet, first: number, second: number): boolean {
  const endsBefore = (one: number, other: number): boolean =>
    (numbers.validTo(one) ?? Infinity) <= (numbers.validFrom(other) ?? -Infinity);
  return !endsBefore(first, second) && !endsBefore(second, first);
}

function reviewEmergency(list: LoadedList, now: Millis): readonly ConfigIssue[] {
  // Nobody calls by these lists.
  if (list.kind === "do-not-call" || list.kind === "trusted") return [];
  const { numbers } = list.read;
  return emergencyCodes.flatMap((code) => {
    const number = readListNumber(code);
    const row = typeof number === "string" ? -1 : numbers.find(number.key, now);
    if (row === -1) return [];
    const line = numbers.line(row < 0 ? -2 - row : row);
    return [
      issueAtLine(
        list,
        line,
        "number",
        `covers the emergency number ${code}, from which only the service itself may call`,
      ),
    ];
  });
}

/** A deny list that refuses a foreign country is meant. One that refuses a million numbers of home is hardly so. */
function reviewWide(list: LoadedList): readonly ConfigIssue[] {
  const findings = createFindings(list, "number");
  for (const { line, covers, isHome } of list.read.wide)
    if (isHome || list.kind === "lessee") findings.add(line, () => covers);
  return findings.issues();
}

/** A row whose notice is left out of records holds all the same. */
function reviewNotices(list: LoadedList): readonly ConfigIssue[] {
  if (!deniedKinds.has(list.kind) || list.read.names.length < MOST_MARK) return [];
  const message = `${MOST_MARK} different notices or more; those of further rows stand in no record, and only \`why\` finds them, in the kept list`;
  return [issueAtLine(list, 1, "notice", message)];
}

/**
 * Reports numbers of two lessees that are in force at the same time: such a number authenticates
 * neither.
 */
function reviewLessees(lists: readonly LoadedList[]): readonly ConfigIssue[] {
  return reviewShared(lists, "error", (first, second) =>
    first.id === second.id ? undefined : `is also listed for lessee "${first.id}"`,
  );
}

function reviewDenied(lists: readonly LoadedList[]): readonly ConfigIssue[] {
  const lessees = lists.filter(({ kind }) => kind === "lessee").length;
  const denied = lists.filter(({ kind }) => kind === "lessee" || deniedKinds.has(kind));
  if (lessees === 0 || lessees === denied.length) return [];
  return reviewShared(denied, "warning", (first, second) => {
    if ((first.kind === "lessee") === (second.kind === "lessee")) return undefined;
    return first.kind === "lessee"
      ? `is refused here and listed for lessee "${first.id}"`
      : `is listed here and refused by the ${first.kind} list "${first.id}"`;
  });
}

/** Reports numbers that are in two lists, at the line of the second list. */
function reviewShared(
  lists: readonly LoadedList[],
  severity: ConfigIssue["severity"],
  describe: (first: LoadedList, second: LoadedList) => string | undefined,
): readonly ConfigIssue[] {
  const findings = new Map<string, Findings>();
  for (const { key, first, second } of sharedNumbers(
    lists.map((list) => list.read.numbers),
    mostShared,
  )) {
    const [one, other] = [lists[first.set], lists[second.set]];
    const relation = one === undefined || other === undefined ? undefined : describe(one, other);
    if (one === undefined || other === undefined || relation === undefined) continue;
    const pair = `${one.id} ${other.id}`;
    const known = findings.get(pair) ?? createFindings(other, "number", severity);
    findings.set(pair, known);
    const place = `${one.file}:${one.read.numbers.line(first.row)}`;
    known.add(other.read.numbers.line(second.row), () => `${formatKey(key)} ${relation} at ${place}`);
  }
  return [...findings.values()].flatMap((found) => found.issues());
}

/** Findings of one kind in one list: the first are written, the rest is counted. */
interface Findings {
  add(line: number, describe: () => string): void;
  issues(): readonly ConfigIssue[];
}

interface Finding {
  readonly line: number;
  readonly describe: () => string;
}

/** So many findings are held before those on later lines are forgotten. */
const mostHeld = 100;

function createFindings(
  list: LoadedList,
  path: string,
  severity: ConfigIssue["severity"] = "warning",
): Findings {
  /** The first ones by line, in no order; and how many there are in all. */
  let found: Finding[] = [];
  let total = 0;
  let last = Infinity;
  const byLine = (): Finding[] => found.toSorted((a, b) => a.line - b.line);
  return {
    add: (line, describe) => {
      total += 1;
      if (line > last) return;
      found.push({ line, describe });
      if (found.length < mostHeld) return;
      found = byLine().slice(0, mostFindings + 1);
      last = found.at(-1)?.line ?? Infinity;
    },
    issues: () => {
      const inOrder = byLine();
      const issues = inOrder
        .slice(0, mostFindings)
        .map(({ line, describe }) => issueAtLine(list, line, path, describe(), severity));
      const rest = inOrder[mostFindings];
      if (rest === undefined) return issues;
      const message = `${total - mostFindings} more rows like the ones before`;
      return [...issues, issueAtLine(list, rest.line, path, message, severity)];
    },
  };
}
