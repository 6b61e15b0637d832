// Fits a record line into the columns of its table; what fits nowhere becomes the column `more`.
import { Buffer } from "node:buffer";
import { type Fields, isFields } from "../lines/line-fields.ts";
import { type Columns, columnsOf, type Shape, type TableName, tableOf } from "./record-columns.ts";

/** A line that was read. */
export interface FittedLine {
  readonly table: TableName;
  /** Unix milliseconds. */
  readonly at: number;
  /** The line in the form of the table. Undefined: the line is in that form as it stands. */
  readonly rewritten: string | undefined;
}

/** Half of a pair of UTF-16, written as an escape: no UTF-8 holds it alone. */
const surrogateEscape = /\\u[dD][89a-fA-F]/;

const canonicalTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(?:\d{3})?Z$/;

/**
 * Reads a line of NDJSON. Never throws.
 *
 * @param always true: the line is written anew also when it fits as it stands
 * @returns undefined for what is no record line: no JSON object, no kind, or no time
 */
export function fitLine(text: string, always: boolean): FittedLine | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isFields(value)) return undefined;
    const { record, time } = value;
    if (typeof record !== "string" || typeof time !== "string") return undefined;
    const at = Date.parse(time);
    // A year of five digits or before 0 is no time of ours.
    if (!(at >= 0) || at > 253_402_300_799_999) return undefined;
    const table = tableOf(record);
    // Nearly every line fits as it stands.
    if (!always && fitsColumns(value, columnsOf[table]) && !surrogateEscape.test(text))
      return { table, at, rewritten: undefined };
    const rest: [string, unknown][] = [];
    const kept = fitObject(value, columnsOf[table], rest);
    const more = rest.length === 0 ? [] : [["more", JSON.stringify(Object.fromEntries(rest))] as const];
    return { table, at, rewritten: wellFormed(JSON.stringify(Object.fromEntries([...kept, ...more]))) };
  } catch {
    return undefined;
  }
}

/** JSON writes a lone half of a pair as an escape, which readers of Parquet refuse: U+FFFD stands in its place. */
function wellFormed(json: string): string {
  if (!surrogateEscape.test(json)) return json;
  return JSON.stringify(JSON.parse(json), (_, value: unknown) =>
    typeof value === "string" ? Buffer.from(value, "utf8").toString("utf8") : value,
  );
}

/** Tells whether every field has a column of its shape. */
function fitsColumns(value: Fields, columns: Columns): boolean {
  for (const name of Object.keys(value)) {
    const shape = Object.hasOwn(columns, name) ? columns[name] : undefined;
    if (shape === undefined || !fits(value[name], shape)) return false;
  }
  return true;
}

function fits(value: unknown, shape: Shape): boolean {
  if (shape === "text") return typeof value === "string";
  if (typeof shape === "string") return fit(value, shape).isWhole;
  if (shape.kind === "object") return isFields(value) && fitsColumns(value, shape.fields);
  return Array.isArray(value) && value.every((item) => isFields(item) && fitsColumns(item, shape.fields));
}

/** Keeps what fits. A field of which a part does not fit goes to `rest` as a whole, besides. */
function fitObject(
  value: Readonly<Record<string, unknown>>,
  columns: Columns,
  rest: [string, unknown][],
): readonly (readonly [string, unknown])[] {
  const kept: (readonly [string, unknown])[] = [];
  for (const [name, field] of Object.entries(value)) {
    const shape = Object.hasOwn(columns, name) ? columns[name] : undefined;
    const fitted = shape === undefined ? nothing : fit(field, shape);
    if (fitted.value !== undefined) kept.push([name, fitted.value]);
    if (!fitted.isWhole) rest.push([name, field]);
  }
  return kept;
}

interface Fitted {
  /** Undefined: nothing of it fits. */
  readonly value: unknown;
  readonly isWhole: boolean;
}

const nothing: Fitted = { value: undefined, isWhole: false };

function fit(value: unknown, shape: Shape): Fitted {
  switch (shape) {
    case "text":
      return typeof value === "string" ? whole(value) : nothing;
    case "texts":
      return Array.isArray(value) && value.every((item) => typeof item === "string") ? whole(value) : nothing;
    case "count":
      return typeof value === "number" && (value | 0) === value ? whole(value) : nothing;
    case "number":
      return typeof value === "number" && Number.isFinite(value) ? whole(value) : nothing;
    case "millis":
      return typeof value === "number" && Math.abs(value) < 1e11 && Math.round(value * 1000) / 1000 === value
        ? whole(value)
        : nothing;
    case "time":
      if (typeof value !== "string") return nothing;
      return canonicalTime.test(value)
        ? whole(value)
        : { value: new Date(Date.parse(value)).toISOString(), isWhole: false };
    case "named-texts":
      return isFields(value) && Object.values(value).every((item) => typeof item === "string")
        ? whole(value)
        : nothing;
    default:
      return shape.kind === "object" ? fitOne(value, shape.fields) : fitEach(value, shape.fields);
  }
}

function whole(value: unknown): Fitted {
  return { value, isWhole: true };
}

function fitOne(value: unknown, fields: Columns): Fitted {
  if (!isFields(value)) return nothing;
  const rest: [string, unknown][] = [];
  const kept = fitObject(value, fields, rest);
  return { value: rest.length === 0 ? value : Object.fromEntries(kept), isWhole: rest.length === 0 };
}

function fitEach(value: unknown, fields: Columns): Fitted {
  if (!Array.isArray(value)) return nothing;
  const items = value.map((item) => fitOne(item, fields));
  return {
    value: items.map((item) => item.value).filter((item) => item !== undefined),
    isWhole: items.every((item) => item.isWhole),
  };
}
