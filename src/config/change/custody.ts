// Lists whose numbers may leave only when they are released: what a new policy takes out of those in force.
import { formatKey } from "../../domain/number.ts";
import { LAST_MOMENT, type Millis } from "../../domain/time.ts";
import { takenOut } from "../../numbering/lists/difference.ts";
import { type NumberSpan, spansOfEntry } from "../../numbering/lists/entry-spans.ts";
import { ATTRIBUTE_WIDTH } from "../../numbering/number-columns.ts";
import { createNumberSetBuilder } from "../../numbering/number-set-builder.ts";
import { type NumberSet, openNumberSet } from "../../numbering/number-set.ts";
import type { Release } from "../lists/releases.ts";
import type { PolicyMaterial } from "../load-policy.ts";
import type { LoadedList } from "../policy/list-loading.ts";
import type { LoadedReleases } from "../policy/release-files.ts";
import type { ConfigIssue } from "../yaml/issue.ts";

/** A list in custody, as plain values: one thread posts it to another. */
export interface CustodyList {
  readonly id: string;
  readonly file: string;
  readonly noReturn: boolean;
  readonly memory: SharedArrayBuffer;
}

/** What a record says of numbers that left a list, or were to leave it. */
export interface CustodyNote {
  readonly record: "list";
  readonly list: string;
  readonly what: "released" | "refused release";
  /** `+8613912345678`, or `+8613912345600..+8613912345699`. */
  readonly number: string;
  /** Of a refusal. */
  readonly why?: string;
  /** Of a release: what its line says. */
  readonly date?: string;
  readonly by?: string;
  readonly reason?: string;
  readonly order?: string;
  /** `lists/releases.csv:4`. */
  readonly listLine?: string;
  /** Spans of numbers that have no line of their own, because there are too many. */
  readonly more?: number;
}

/** What leaves the lists in force. With `issues` the policy must not come into force. */
export interface CustodyChange {
  readonly issues: readonly ConfigIssue[];
  /** Releases where there is no issue, refused releases where there is one. */
  readonly notes: readonly CustodyNote[];
}

/** At most so many spans are named in an issue, and have a record line each. */
const MOST_NAMED = 5;
const MOST_NOTES = 1000;

/** Days after which nothing ends: rows without a last day are in force then. */
const END_OF_TIME: Millis = LAST_MOMENT - 1;

/** At most so many moments are compared of a list whose rows have dates. */
const MOST_MOMENTS = 32;

function isInCustody({ kind }: Pick<LoadedList, "kind">): boolean {
  return kind === "police" || kind === "shutdown";
}

/** The police and shutdown lists of a policy. */
export function custodyOf({ lists }: Pick<PolicyMaterial, "lists">): readonly CustodyList[] {
  return lists.filter(isInCustody).map(({ id, file, entry, read }) => ({
    id,
    file,
    noReturn: entry?.noReturn === true,
    memory: read.numbers.memory,
  }));
}

/**
 * Compares the lists in force with those of a policy that is to come. A number that moves to another police or shutdown
 * list stays in custody, and one whose own last day is over has left by itself.
 *
 * @param now Unix milliseconds; decides which rows and releases are in force
 */
export function findTakenOut(
  inForce: readonly CustodyList[],
  next: PolicyMaterial,
  now: Millis,
): CustodyChange {
  const issues: ConfigIssue[] = [];
  const refused: CustodyNote[] = [];
  const released: CustodyNote[] = [];
  const held = next.lists.filter(isInCustody);
  for (const list of inForce) {
    const same = held.find(({ id }) => id === list.id);
    const before = openNumberSet(list.memory);
    if (list.noReturn && same !== undefined && same.entry?.noReturn !== true) {
      const message = "noReturn can't be taken back: the list in force has it";
      issues.push(next.file.source.issueAt(["lists", list.id], message));
      refused.push(takenBack(list, before));
    }
    // A list without noReturn would let the number go by a release later.
    const keeping = held.filter(
      ({ id, entry }) => !list.noReturn || id === list.id || entry?.noReturn === true,
    );
    const after = keeping.map(({ read }) => read.numbers);
    // A file that did not change is shared memory.
    if (after.some(({ memory }) => memory === list.memory)) continue;
    const moments = momentsOf(before, now);
    const gone = unite(moments.map((at) => takenOut(before, after, at)));
    if (gone.length === 0) continue;
    const file = list.noReturn ? undefined : next.releases.find((each) => each.list === list.id);
    const good = file === undefined ? [] : goodReleases(file, before, now);
    const covered = [...after, setOf(good)];
    const left = unite(moments.map((at) => takenOut(before, covered, at)));
    if (left.length > 0) {
      issues.push(issueOf(list, same, left, before, next));
      refused.push(...refusedNotes(list, left));
    } else released.push(...releasedNotes(list, gone, good, file));
  }
  return { issues, notes: issues.length > 0 ? refused : released };
}

/** The moments at which the lists are compared: now, the end of every row in force later, and the end of time. */
function momentsOf({ columns }: NumberSet, now: Millis): readonly Millis[] {
  if (columns.isDateless) return [now, END_OF_TIME];
  const moments = new Set([now, END_OF_TIME]);
  for (
    let index = 0;
    index < columns.attributes.length && moments.size < MOST_MOMENTS;
    index += ATTRIBUTE_WIDTH
  ) {
    const from = columns.attributes[index] ?? -Infinity;
    const to = columns.attributes[index + 1] ?? Infinity;
    if (Number.isFinite(from) && from > now) moments.add(from);
    if (Number.isFinite(to) && to > now) moments.add(to - 1);
  }
  return [...moments];
}

/** Puts spans together that touch or overlap. */
function unite(lists: readonly (readonly NumberSpan[])[]): readonly NumberSpan[] {
  const [only = []] = lists;
  const all = lists.slice(1).every((list) => list.length === 0) ? only : lists.flat();
  const united: NumberSpan[] = [];
  for (const span of all.toSorted((a, b) => a.low - b.low)) {
    const last = united.at(-1);
    if (last !== undefined && span.low <= last.high + 1)
      united[united.length - 1] = { low: last.low, high: Math.max(last.high, span.high) };
    else united.push(span);
  }
  return united;
}

/** A release counts from its day on, and never for a listing that began after it. */
function goodReleases({ releases }: LoadedReleases, before: NumberSet, now: Millis): readonly Release[] {
  return releases.filter(({ entry, from }) => {
    const [span] = spansOfEntry(entry);
    const row = span === undefined ? -1 : before.find(span.low, now);
    const listed = row < 0 ? undefined : before.validFrom(row);
    return from <= now && (listed === undefined || listed <= from);
  });
}

function setOf(releases: readonly Release[]): NumberSet {
  const builder = createNumberSetBuilder();
  for (const { entry, line } of releases) builder.add(entry, { line, mayForward: false });
  return builder.build();
}

function formatSpan({ low, high }: NumberSpan): string {
  if (low === high) return formatKey(low);
  return low < 0 ? `${formatKey(high)}..${formatKey(low)}` : `${formatKey(low)}..${formatKey(high)}`;
}

function nameSpans(spans: readonly NumberSpan[]): string {
  const named = spans.slice(0, MOST_NAMED).map(formatSpan).join(", ");
  return spans.length > MOST_NAMED ? `${named} and ${spans.length - MOST_NAMED} more` : named;
}

/** The issue stands at the line that the first number had in the list in force. */
function issueOf(
  list: CustodyList,
  same: LoadedList | undefined,
  left: readonly NumberSpan[],
  before: NumberSet,
  { file: policy, releases }: PolicyMaterial,
): ConfigIssue {
  const row = before.find(left[0]?.low ?? 0, END_OF_TIME);
  const line = row === -1 ? 1 : before.line(row < 0 ? -2 - row : row);
  const taken = `${nameSpans(left)} ${left.length === 1 ? "is" : "are"} taken out of list "${list.id}"`;
  const file = releases.find((each) => each.list === list.id)?.file;
  const way = list.noReturn
    ? same === undefined
      ? `the list is gone, and it says noReturn: put it back into ${policy.source.file} with its numbers`
      : "the list in force says noReturn: put them back"
    : same === undefined
      ? `the list is gone: put it back into ${policy.source.file} as a police or shutdown list, and release its numbers first`
      : file === undefined
        ? `put them back, or name a file in lists.${list.id}.releases with a line for each: number,date,by,reason,order`
        : `put them back, or add a line for each to ${file}: number,date,by,reason,order; the date is that of the release, not before the listing and not in the future`;
  return {
    severity: "error",
    file: same?.file ?? list.file,
    line,
    column: 1,
    path: "number",
    message: `${taken}; ${way}`,
  };
}

function refusedNotes({ id, noReturn }: CustodyList, left: readonly NumberSpan[]): readonly CustodyNote[] {
  const why = noReturn ? "the list says noReturn" : "no line in the releases of the list";
  return left.slice(0, MOST_NOTES).map((span, index) => ({
    record: "list",
    list: id,
    what: "refused release",
    number: formatSpan(span),
    why,
    ...(index === MOST_NOTES - 1 && left.length > MOST_NOTES ? { more: left.length - MOST_NOTES } : {}),
  }));
}

/** One note for all numbers of a list that was to lose its noReturn. */
function takenBack({ id }: CustodyList, before: NumberSet): CustodyNote {
  const [first, ...others] = takenOut(before, [], END_OF_TIME);
  return {
    record: "list",
    list: id,
    what: "refused release",
    number: first === undefined ? "" : formatSpan(first),
    why: "noReturn was to be taken back",
    ...(others.length > 0 ? { more: others.length } : {}),
  };
}

function releasedNotes(
  { id }: CustodyList,
  gone: readonly NumberSpan[],
  good: readonly Release[],
  file: LoadedReleases | undefined,
): readonly CustodyNote[] {
  return gone.slice(0, MOST_NOTES).map((span, index) => {
    const by = good.find(({ entry }) =>
      spansOfEntry(entry).some(({ low, high }) => low <= span.high && high >= span.low),
    );
    return {
      record: "list",
      list: id,
      what: "released",
      number: formatSpan(span),
      ...(by === undefined
        ? {}
        : {
            date: by.date,
            by: by.by,
            reason: by.reason,
            order: by.order,
            listLine: `${file?.file ?? ""}:${by.line}`,
          }),
      ...(index === MOST_NOTES - 1 && gone.length > MOST_NOTES ? { more: gone.length - MOST_NOTES } : {}),
    };
  });
}
