// What the records say of calls whose evidence is exported: their decisions, their ends, the orders that stopped their lines.
import type { Millis } from "../../domain/time.ts";
import { askRecords, type RecordPlace } from "../../records/asking/ask-records.ts";
import { findEnds } from "../../records/asking/ends-of-calls.ts";
import type { ReadLine, RecordFilter } from "../../records/asking/record-filter.ts";
import { type CallQuery, type KnownDecision, MOST_FOUND } from "../../records/evidence/call-search.ts";
import { endWords } from "../../records/evidence/end-words.ts";
import type { ToldCalls } from "../../records/evidence/export-folder.ts";
import { objectsIn, textIn } from "../../records/lines/line-fields.ts";
import { findStoppingOrders } from "./stopping-orders.ts";

/** The decisions on the calls that are asked for. */
export interface ToldDecisions {
  readonly lines: readonly ReadLine[];
  /** Sealed hours that were left out because there is no database. */
  readonly leftOut: number;
  readonly damages: readonly string[];
  /** True when the records were asked without a gap, and each question has a line: no other evidence is expected. */
  readonly isWhole: boolean;
}

const deciding: readonly string[] = ["decided", "request"];

/** Finds the decisions. Rejects when a folder can't be read. */
export async function askDecisions(
  place: RecordPlace,
  queries: readonly CallQuery[],
): Promise<ToldDecisions> {
  const ids = queries.flatMap(({ field, value }) => (field === "id" ? [value] : []));
  const filters: readonly RecordFilter[] = [
    ...queries.flatMap(({ field, value }) =>
      field === "callId" ? [{ kinds: deciding, callId: value }] : [],
    ),
    ...(ids.length === 0 ? [] : [{ kinds: deciding, ids }]),
  ];
  const lines = new Map<string, ReadLine>();
  const damages = new Set<string>();
  let leftOut = 0;
  let isCut = false;
  for (const filter of filters) {
    const found = await askRecords(place, filter, MOST_FOUND);
    for (const line of found.items) lines.set(nameOf(line), line);
    for (const damage of found.damages) damages.add(damage);
    leftOut = Math.max(leftOut, found.leftOut);
    isCut ||= found.isCut;
  }
  const told = [...lines.values()];
  const isEachTold = queries.every(({ field, value }) => told.some((line) => line[field] === value));
  return {
    lines: told,
    leftOut,
    damages: [...damages],
    isWhole: isEachTold && !isCut && leftOut === 0 && damages.size === 0,
  };
}

/** The decisions of a node that may have a block; undefined: the records do not say it. */
export function expectedOf(
  { lines, isWhole }: ToldDecisions,
  node: string,
): readonly KnownDecision[] | undefined {
  if (!isWhole) return undefined;
  return lines
    .filter((line) => line["node"] === node && mayHaveBlock(line))
    .map(({ id, time }) => ({ id: typeof id === "string" ? id : undefined, at: Date.parse(time) }));
}

/** What is accepted without a mark, what RFC 3261 itself answers and overload leave no evidence. */
function mayHaveBlock({ verdict, reason, rule, marks }: ReadLine): boolean {
  if (rule === "protocol" || reason === "overload") return false;
  return verdict !== "accept" || objectsIn(marks).length > 0;
}

const HOUR: Millis = 3_600_000;
/** The longest life of a call: the most that `maxCallHours` allows. */
const LONGEST: Millis = 744 * HOUR;

/**
 * Finds what else the records say of calls.
 *
 * @param blocks the decisions that stand in blocks
 */
export async function askWhole(
  place: RecordPlace,
  decisions: readonly ReadLine[],
  blocks: readonly ReadLine[],
): Promise<ToldCalls> {
  const known = new Map([...decisions, ...blocks].map((line) => [nameOf(line), line]));
  const forwarded = [...known.values()].filter(({ action }) => action === "forwarded");
  const times = forwarded.map(({ time }) => Date.parse(time));
  const moved =
    forwarded.length === 0
      ? []
      : (
          await askRecords(
            place,
            {
              kinds: ["moved"],
              ids: forwarded.map(({ id }) => textIn(id)),
              from: Math.min(...times),
              to: Math.max(...times) + LONGEST,
            },
            MOST_FOUND,
          )
        ).items;
  const ends = await findEnds(place, forwarded);
  const orders = new Set((await findStoppingOrders(place, [...known.values()])).values());
  const inBlocks = new Set(blocks.map(nameOf));
  const others = decisions.filter((line) => !inBlocks.has(nameOf(line)));
  return {
    lines: [...others, ...moved, ...ends.values(), ...orders]
      .toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time))
      .map((line) => JSON.stringify(line)),
    endOf: (decision) => endWords(decision, ends.get(textIn(decision["id"]))),
  };
}

/** One decision may be known from a record and from a block. */
function nameOf({ record, id, time }: ReadLine): string {
  return `${record} ${textIn(id)} ${Date.parse(time)}`;
}
