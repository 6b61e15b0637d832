// Audits the numbers of lessees and the special users: what is overdue, expired, unused, too many, or without papers.
import type { Millis } from "../../domain/time.ts";
import { type Calendar, createCalendar } from "../lists/calendar.ts";
import type { LoadedList } from "../policy/list-loading.ts";
import { sayNumbers } from "../change/number-words.ts";
import type { PolicyMaterial } from "../load-policy.ts";
import { createDateReader, verificationDays } from "../review/row-dates.ts";
import { type ReadFile } from "../yaml/config-files.ts";
import { type AuditFinding, type AuditKind, createFindingRows, type FindingRows } from "./audit-findings.ts";
import { eachLineWithoutContract } from "./contract-cells.ts";
import { countDistinct, type ListedNumbers, readListedNumbers } from "./listed-numbers.ts";
import { createAreaReader } from "./number-areas.ts";
import type { UsedRows } from "./used-rows.ts";

const DAY: Millis = 86_400_000;

/** What is asked. */
export interface AuditQuestion {
  /** Unix milliseconds. */
  readonly now: Millis;
  /** A number is unused when it has not called for so many days. */
  readonly unusedDays: number;
  /** A row is about to expire when it ends within so many days. */
  readonly soonDays: number;
  /** A verification is overdue after so many days. Undefined: as `verifiedWithinDays` of the policy says. */
  readonly verifiedWithin: number | undefined;
  /** Only this lessee. Undefined: all of them. */
  readonly lessee: string | undefined;
  /** Undefined: it is not known what was used; neither unused numbers nor those in use are found. */
  readonly used: UsedRows | undefined;
  /** Whether what is not in `used` has not called for `unusedDays`: the records reach so far back. */
  readonly isWhole: boolean;
}

/** What was found, and what could not be judged, in words for operators. */
export interface Audit {
  readonly findings: readonly AuditFinding[];
  readonly notes: readonly string[];
}

/**
 * Audits a policy.
 *
 * @param readFile gives the lists again, for their column `contract`
 */
export function auditPolicy(material: PolicyMaterial, readFile: ReadFile, question: AuditQuestion): Audit {
  const calendar = createCalendar(material.file.timeZone);
  const notes: string[] = [];
  const findings = material.lists
    .filter(({ kind, id }) => kind === "lessee" && isAsked(id, question))
    .flatMap((list) => auditList(material, list, calendar, readFile, question, notes));
  return { findings: [...findings, ...auditSpecialUsers(material, calendar, question)], notes };
}

function isAsked(lessee: string, question: AuditQuestion): boolean {
  return question.lessee === undefined || question.lessee === lessee;
}

function auditList(
  material: PolicyMaterial,
  list: LoadedList,
  calendar: Calendar,
  readFile: ReadFile,
  question: AuditQuestion,
  notes: string[],
): readonly AuditFinding[] {
  const { now, unusedDays, soonDays, used, isWhole } = question;
  const { numbers } = list.read;
  const listed = readListedNumbers(numbers);
  const entry = material.file.lessees.find(({ value }) => value.id === list.id);
  const begin = (kind: AuditKind): FindingRows => createFindingRows(kind, list.id, list.file);
  const overdue = begin("overdue-verification");
  const expired = begin("expired");
  const ending = begin("expiring-in-use");
  const unused = begin("unused");
  if (question.verifiedWithin === undefined && verificationDays(material.plans, list.id) === undefined)
    notes.push(
      `${list.id}: no trunk says verifiedWithinDays (rules.caller-authentication); only rows that were never verified are overdue; --verified-within DAYS asks for others`,
    );

  const remarksOf = createDateReader(material, list, calendar, now, soonDays, question.verifiedWithin);
  const isExpired = (row: number): boolean => (numbers.validTo(row) ?? Infinity) <= now;
  const since = now - unusedDays * DAY;
  for (let row = 0; row < numbers.rows; row++) {
    const remarks = remarksOf(row);
    const isOver = isExpired(row);
    for (const { kind, describe } of remarks) {
      if (kind === "expired") expired.add(numbers.line(row), listed.countOf(row), describe);
      // Nobody verifies what has expired.
      else if (kind === "unverified" && !isOver)
        overdue.add(numbers.line(row), listed.countOf(row), describe);
      else if (kind === "ending" && used?.isUsed(list.id, row) === true)
        ending.add(numbers.line(row), listed.countOf(row), describe);
    }
    // What was listed later could not call all the time.
    if (used === undefined || !isWhole || isOver || (numbers.validFrom(row) ?? -Infinity) > since) continue;
    if (!used.isUsed(list.id, row))
      unused.add(numbers.line(row), listed.countOf(row), () => listed.nameOf(row));
  }
  return [
    overdue.finding(),
    expired.finding(),
    ending.finding(),
    unused.finding(),
    findOverQuota(material, list, listed, (row) => !isExpired(row), notes),
    findOtherAreas(material, list, listed, notes),
    entry?.value.contract === undefined ? findWithoutContract(list, listed, readFile) : undefined,
  ].filter((finding) => finding !== undefined);
}

/** A finding about one line of the policy file. */
function findingAt(
  { file: { source } }: PolicyMaterial,
  path: readonly (string | number)[],
  found: Pick<AuditFinding, "kind" | "lessee" | "rows" | "numbers">,
  what: string,
): AuditFinding {
  const { file, line } = source.issueAt(path, what);
  return { ...found, first: [{ file, line, what }] };
}

/** Rows that have expired do not count; rows that are not in force yet do. */
function findOverQuota(
  material: PolicyMaterial,
  list: LoadedList,
  { spans, prefixRows }: ListedNumbers,
  counts: (row: number) => boolean,
  notes: string[],
): AuditFinding | undefined {
  const entry = material.file.lessees.find(({ value }) => value.id === list.id);
  const quota = entry?.value.quota;
  if (entry === undefined || quota === undefined) return undefined;
  const { numbers } = list.read;
  const all = countDistinct(numbers, spans, counts);
  const open = prefixRows.filter(counts);
  if (open.length > 0)
    notes.push(
      `${list.id}: ${sayNumbers(0, open.length)} not counted for the quota (line ${numbers.line(open[0] ?? 0)}${open.length > 1 ? " …" : ""}): the plan does not say how many numbers begin so`,
    );
  if (all <= quota) return undefined;
  const found = { kind: "over-quota", lessee: list.id, rows: numbers.rows, numbers: all } as const;
  return findingAt(material, [...entry.path, "quota"], found, `${all} numbers listed, quota ${quota}`);
}

/** Finds fixed numbers of an area that no trunk of the lessee is in. */
function findOtherAreas(
  { file }: PolicyMaterial,
  list: LoadedList,
  listed: ListedNumbers,
  notes: string[],
): AuditFinding | undefined {
  const { numbers } = list.read;
  const written = file.trunks
    .filter(({ value }) => value.lessee === list.id)
    .map(({ value }) => value.areaCode)
    .filter((code) => code !== undefined);
  if (written.length === 0) {
    notes.push(`${list.id}: no trunk says its areaCode; numbers of another area are not found`);
    return undefined;
  }
  const own = new Set(written.map(Number));
  const codes = [...new Set(written)].join(", ");
  const found = createFindingRows("other-area", list.id, list.file);
  const areaOfKey = createAreaReader();
  const { exact } = numbers.columns;
  const add = (row: number, area: number): void =>
    found.add(
      numbers.line(row),
      listed.countOf(row),
      () => `${listed.nameOf(row)} is of area ${area}, the trunks are of ${codes}`,
    );
  for (let row = 0; row < exact.length; row++) {
    const area = areaOfKey(exact[row] ?? 0);
    if (area !== 0 && !own.has(area)) add(row, area);
  }
  const known = new Set<number>();
  for (const { row, low, high } of listed.spans) {
    const area = [low, high].map(areaOfKey).find((code) => code !== 0 && !own.has(code));
    if (area === undefined || known.has(row)) continue;
    known.add(row);
    add(row, area);
  }
  return found.finding();
}

/** Rows whose cell `contract` is empty, of a lessee that has no contract either. */
function findWithoutContract(
  list: LoadedList,
  listed: ListedNumbers,
  readFile: ReadFile,
): AuditFinding | undefined {
  const { numbers } = list.read;
  const content = readFile(list.file);
  if ("error" in content) return undefined;
  let last = 0;
  for (const line of numbers.columns.rowLine) if (line > last) last = line;
  const without = new Uint8Array(last + 1);
  eachLineWithoutContract(content.bytes, (line) => {
    without[line] = 1;
  });
  const found = createFindingRows("no-contract", list.id, list.file);
  for (let row = 0; row < numbers.rows; row++)
    if (without[numbers.line(row)] === 1)
      found.add(numbers.line(row), listed.countOf(row), () => listed.nameOf(row));
  return found.finding();
}

/** Special users that nobody has approved, and those whose last day is over. */
function auditSpecialUsers(
  material: PolicyMaterial,
  calendar: Calendar,
  question: AuditQuestion,
): readonly AuditFinding[] {
  const { trunks, specialUsers, source } = material.file;
  const found = new Map<string, FindingRows>();
  const add = (kind: AuditKind, lessee: string, line: number, what: string): void => {
    const key = `${kind} ${lessee}`;
    const rows = found.get(key) ?? createFindingRows(kind, lessee, source.file);
    found.set(key, rows);
    rows.add(line, 1, () => what);
  };
  for (const { path, value } of specialUsers) {
    const lessee = trunks.find((trunk) => trunk.value.id === value.trunk)?.value.lessee ?? "";
    if (!isAsked(lessee, question)) continue;
    const user = `special user ${value.number} on ${value.trunk}`;
    const { line } = source.issueAt([...path, "number"], "");
    const end = calendar.readDay(value.until)?.end;
    if (end !== undefined && end <= question.now)
      add("expired", lessee, line, `${user} expired on ${value.until}`);
    if (value.approvedBy === undefined) add("no-approver", lessee, line, user);
  }
  return [...found.values()].map((rows) => rows.finding()).filter((finding) => finding !== undefined);
}
