// Reads the key `state` of trunks and lessees: the orders of the policy, with their dates and places.
import {
  lineOfLessee,
  lineOfTrunk,
  type LineId,
  type LineOrder,
  linesOf,
  type PlacedOrder,
} from "../../domain/line-state.ts";
import type { Millis } from "../../domain/time.ts";
import type { Trunk } from "../../domain/trunk.ts";
import type { PolicyLine } from "../../policy/policy.ts";
import { type Calendar, createCalendar } from "../lists/calendar.ts";
import type { ConfigIssue, Path } from "../yaml/issue.ts";
import type { LineStateEntry } from "./keys/line-state-schema.ts";
import type { PolicyFile } from "./policy-file.ts";

/** The lines of a policy and their orders. */
export interface LinesRead {
  readonly lines: readonly PolicyLine[];
  /** The orders for a trunk and for its lessee. */
  readonly ordersOf: (trunk: Pick<Trunk, "id" | "side" | "lessee">) => readonly PlacedOrder[];
  readonly issues: readonly ConfigIssue[];
}

/** Reads every order of a policy file. */
export function readLines(file: PolicyFile): LinesRead {
  const { source, trunks, lessees } = file;
  const calendar = createCalendar(file.timeZone);
  const issues: ConfigIssue[] = [];
  const orders = new Map<LineId, PlacedOrder>();
  const add = (line: LineId, path: Path, written: LineStateEntry | undefined): void => {
    if (written === undefined) return;
    const placed = readPlaced(file, calendar, line, path, written, issues);
    if (placed !== undefined) orders.set(line, placed);
  };
  for (const { path, value } of trunks) {
    if (value.side === "core" && value.state !== undefined && value.state !== "active")
      issues.push(source.issueAt([...path, "state"], CORE));
    else add(lineOfTrunk(value.id), [...path, "state"], value.state);
  }
  for (const { path, value } of lessees) add(lineOfLessee(value.id), [...path, "state"], value.state);
  const screened = trunks.map(({ value }) => value).filter(({ side }) => side !== "core");
  const lineOf = (id: LineId, of: readonly { readonly id: string }[]): PolicyLine => ({
    id,
    placed: orders.get(id),
    trunks: of.map((trunk) => trunk.id),
  });
  return {
    lines: [
      ...screened.map((trunk) => lineOf(lineOfTrunk(trunk.id), [trunk])),
      ...lessees.map(({ value: { id } }) =>
        lineOf(
          lineOfLessee(id),
          screened.filter(({ side, lessee }) => side === "lessee" && lessee === id),
        ),
      ),
    ],
    ordersOf: (trunk) => linesOf(trunk).flatMap((line) => orders.get(line) ?? []),
    issues,
  };
}

const CORE = "calls from the core are not screened, so no order can stop them; take the key out";

function readPlaced(
  { source }: PolicyFile,
  calendar: Calendar,
  line: LineId,
  path: Path,
  written: LineStateEntry,
  issues: ConfigIssue[],
): PlacedOrder | undefined {
  const { file, line: row, column } = source.issueAt(path, "");
  const place = `${file}:${row}:${column}`;
  if (typeof written === "string") return { line, order: { state: written, calls: "keep" }, place };
  const { since, until, ...order } = written;
  const begin = since === undefined ? undefined : readMoment(calendar, since, "start");
  const end = until === undefined ? undefined : readMoment(calendar, until, "end");
  const unreadable = (key: string, text: string): void => {
    issues.push(source.issueAt([...path, key], `${text} is no date or time of the calendar`));
  };
  if (since !== undefined && begin === undefined) unreadable("since", since);
  if (until !== undefined && end === undefined) unreadable("until", until);
  if (begin !== undefined && end !== undefined && end <= begin) {
    issues.push(
      source.issueAt([...path, "until"], "the order ends before it begins: until is not after since"),
    );
    return undefined;
  }
  const read: LineOrder = {
    ...order,
    ...(begin === undefined ? {} : { since: begin }),
    ...(end === undefined ? {} : { until: end }),
  };
  return { line, order: read, place };
}

/**
 * Reads a date or a date-time. A date is a whole day: its start, or its end.
 *
 * @returns undefined when the text is neither
 */
export function readMoment(calendar: Calendar, text: string, edge: "start" | "end"): Millis | undefined {
  return calendar.readDay(text)?.[edge] ?? calendar.readTime(text);
}
