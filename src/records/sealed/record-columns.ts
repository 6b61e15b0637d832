// The tables of sealed hours: every column of a record line, with its type.

/**
 * The shape of a field. `text`: a string. `texts`: strings. `count`: a whole number of 32 bits. `number`: any number. `millis`: a
 * number with three decimals at most.
 * `time`: a moment as ISO 8601. `named-texts`: an object of strings. The others: an object, or a list of objects.
 */
export type Shape =
  | "text"
  | "texts"
  | "count"
  | "number"
  | "millis"
  | "time"
  | "named-texts"
  | { readonly kind: "object" | "objects"; readonly fields: Columns };

/** Fields by name. */
export type Columns = Readonly<Record<string, Shape>>;

/** `attempts`: `decided` and `request`. `endings`: `ended`. `others`: every other kind. */
export type TableName = (typeof tableNames)[number];

/** Invariant: `attempts` is the last one: it is renamed last, and its presence says that the hour is sealed. */
export const tableNames = ["others", "endings", "attempts"] as const;

const party: Columns = { raw: "text", number: "text", why: "text" };
const identity: Columns = { source: "text", ...party, presentation: "text" };
const stamp: Columns = { record: "text", id: "text", node: "text", time: "time" };

/** The columns of every table. What a line has beside them stands in the column `more`, as JSON text. */
export const columnsOf: Readonly<Record<TableName, Columns>> = {
  attempts: {
    ...stamp,
    method: "text",
    signalling: "text",
    transport: "text",
    source: "text",
    destination: "text",
    callId: "text",
    requestUri: "text",
    isup: {
      kind: "object",
      fields: { opc: "count", dpc: "count", cic: "count", natureOfAddress: "count", screening: "count" },
    },
    calling: { kind: "objects", fields: identity },
    called: { kind: "object", fields: party },
    diversion: { kind: "objects", fields: identity },
    fault: "text",
    listener: "text",
    tlsName: "text",
    privacy: "texts",
    displays: "texts",
    bodies: "texts",
    agent: "text",
    codecs: "text",
    fromHost: "text",
    marks: { kind: "objects", fields: { verdict: "text", reason: "text" } },
    trunk: "text",
    lessee: "text",
    verdict: "text",
    reason: "text",
    rule: "text",
    mode: "text",
    shadow: { kind: "objects", fields: { rule: "text", verdict: "text", reason: "text" } },
    revision: "text",
    action: "text",
    status: "count",
    cause: "count",
    nextHop: "text",
    why: "text",
    overlapOf: "text",
    listLine: "text",
    finding: "text",
    notice: "text",
    contract: "text",
    rawHex: "named-texts",
  },
  endings: {
    ...stamp,
    trunk: "text",
    lessee: "text",
    ringingMs: "count",
    answeredMs: "count",
    seconds: "millis",
    by: "text",
    how: "text",
    status: "count",
    cause: "count",
  },
  others: {
    ...stamp,
    trunk: "text",
    lessee: "text",
    revision: "text",
    previous: "text",
    cause: "text",
    by: "text",
    line: "text",
    state: "text",
    order: "text",
    authority: "text",
    calls: "text",
    released: "count",
    gone: "count",
    notReleasable: "count",
    from: "text",
    to: "text",
    until: "text",
    lost: "number",
    why: "text",
    reason: "text",
    status: "count",
    count: "number",
    of: "text",
    list: "text",
    command: "text",
    case: "text",
    found: "number",
    role: "text",
    detector: "text",
    profile: "text",
    subject: "text",
  },
};

/** The table that holds lines of a kind. */
export function tableOf(record: string): TableName {
  if (record === "decided" || record === "request") return "attempts";
  return record === "ended" ? "endings" : "others";
}

const plainTypes: Readonly<Record<Exclude<Shape, object>, string>> = {
  text: "VARCHAR",
  texts: "VARCHAR[]",
  count: "INTEGER",
  number: "DOUBLE",
  millis: "DECIMAL(15, 3)",
  time: "TIMESTAMPTZ",
  "named-texts": "MAP(VARCHAR, VARCHAR)",
};

/** The type of a column in SQL. */
export function sqlType(shape: Shape): string {
  if (typeof shape === "string") return plainTypes[shape];
  const fields = Object.entries(shape.fields).map(([name, field]) => `"${name}" ${sqlType(field)}`);
  return `STRUCT(${fields.join(", ")})${shape.kind === "objects" ? "[]" : ""}`;
}
