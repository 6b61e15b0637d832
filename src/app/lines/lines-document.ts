// The text of lines.json: the orders that were given by command, under a checksum.
import { createHash } from "node:crypto";
import { type LineId, type LineOrder, type LineState, lineStates } from "../../domain/line-state.ts";
import { LAST_MOMENT } from "../../domain/time.ts";
import type { NoteLine } from "../../records/lines/record-line.ts";
import type { ChangeStamp } from "../../domain/line-change.ts";

/** A line order as the records keep it. */
export type OrderNote = Extract<NoteLine, { readonly record: "order" }>;

/** What is kept of line orders over a restart. */
export interface KeptLines {
  /** The orders that were given by command. */
  readonly orders: ReadonlyMap<LineId, LineOrder>;
  /** When each line was changed last by command. A line without an order was opened then. */
  readonly changes: ReadonlyMap<LineId, ChangeStamp>;
  /** The state of each line that was told last; a line that is not named is active. */
  readonly states: ReadonlyMap<LineId, LineState>;
  /** Orders that the records may not have yet. They are told at the next start. */
  readonly untold: readonly OrderNote[];
}

/** What was read. `damage` says what is wrong with the text; what could be read of it is there all the same. */
export interface ReadLines extends KeptLines {
  readonly damage: string | undefined;
}

export const NO_LINES: KeptLines = {
  orders: new Map(),
  changes: new Map(),
  states: new Map(),
  untold: [],
};

/** At most this many orders are read. A policy has far fewer lines. */
export const MOST_ORDERS = 65_536;
/** Characters of the name of a node. */
const MOST_NODE = 255;

/** Writes the text: JSON, with a checksum over everything else in it. */
export function writeLines({ orders, changes, states, untold }: KeptLines): string {
  const content = {
    version: 1,
    orders: Object.fromEntries([...orders].map(([line, order]) => [line, plainOrder(order)])),
    changes: Object.fromEntries(changes),
    states: Object.fromEntries(states),
    untold,
  };
  return `${JSON.stringify({ ...content, sha256: checksum(content) }, undefined, 1)}\n`;
}

/** Reads the text. Never throws. */
export function readLines(text: string): ReadLines {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ...NO_LINES, damage: "it is no JSON" };
  }
  if (!isMap(value)) return { ...NO_LINES, damage: "it is no JSON object" };
  const { sha256, ...content } = value;
  const found = readContent(content);
  if (content["version"] !== 1) return { ...found, damage: "its version is not 1" };
  const isSound = sha256 === checksum(content);
  return {
    ...found,
    damage: isSound ? found.damage : "its checksum does not fit: it was changed by hand, or by a fault",
  };
}

function readContent(content: Readonly<Record<string, unknown>>): ReadLines {
  const orders = new Map<LineId, LineOrder>();
  const changes = new Map<LineId, ChangeStamp>();
  const states = new Map<LineId, LineState>();
  let damage: string | undefined;
  for (const [line, value] of entriesOf(content["orders"]).slice(0, MOST_ORDERS)) {
    const order = readOrder(value);
    if (isLineId(line) && order !== undefined) orders.set(line, order);
    else damage = "an order in it can't be read";
  }
  for (const [line, value] of entriesOf(content["changes"]).slice(0, MOST_ORDERS)) {
    const stamp = readStamp(value);
    if (isLineId(line) && stamp !== undefined) changes.set(line, stamp);
    else damage = "the time of a change in it can't be read";
  }
  for (const [line, value] of entriesOf(content["states"])) {
    const state = lineStates.find((word) => word === value);
    if (isLineId(line) && state !== undefined) states.set(line, state);
  }
  const written = content["untold"];
  const untold = Array.isArray(written) ? written.filter(isOrderNote) : [];
  return { orders, changes, states, untold, damage };
}

/** @returns undefined for what is no stamp */
export function readStamp(value: unknown): ChangeStamp | undefined {
  if (!isMap(value)) return undefined;
  const { at, node } = value;
  if (typeof at !== "number" || !Number.isSafeInteger(at) || at < 0 || at > LAST_MOMENT) return undefined;
  return typeof node === "string" && node.length <= MOST_NODE ? { at, node } : undefined;
}

/** Reads an order as it is kept. @returns undefined for what is none */
export function readOrder(value: unknown): LineOrder | undefined {
  if (!isMap(value)) return undefined;
  const state = lineStates.find((word) => word === value["state"]);
  if (state === undefined || state === "active") return undefined;
  const text = (key: string): string | undefined => {
    const written = value[key];
    return typeof written === "string" ? written : undefined;
  };
  const until = Date.parse(text("until") ?? "");
  // An end that can't be read is no end: the line stays stopped.
  const ends = Number.isNaN(until) ? {} : { until };
  const texts = { order: text("order"), authority: text("authority"), reason: text("reason") };
  const given = Object.fromEntries(Object.entries(texts).filter(([, written]) => written !== undefined));
  return { state, calls: value["calls"] === "release" ? "release" : "keep", ...given, ...ends };
}

/** An order as it is kept. */
export function plainOrder({ since: _since, until, ...order }: LineOrder): Readonly<Record<string, unknown>> {
  return until === undefined ? order : { ...order, until: new Date(until).toISOString() };
}

function checksum(content: unknown): string {
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}

export function isLineId(text: string): text is LineId {
  return /^(?:trunk|lessee):[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text);
}

function isOrderNote(value: unknown): value is OrderNote {
  return (
    isMap(value) &&
    value["record"] === "order" &&
    typeof value["line"] === "string" &&
    typeof value["order"] === "string" &&
    typeof value["reason"] === "string" &&
    typeof value["state"] === "string"
  );
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return isMap(value) ? Object.entries(value) : [];
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
