// Turns schema errors into issues with a place in the file and words for operators.
import type { z } from "zod";
import type { ConfigIssue, Path } from "./issue.ts";
import type { Source } from "./yaml-source.ts";
import { suggest } from "./suggestion.ts";

/** A JSON Schema as plain values. The known keys of every map are looked up in it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Turns the errors of a schema into issues with places and with messages for operators. */
export function explainIssues(error: z.ZodError, source: Source, schema: JsonSchema): readonly ConfigIssue[] {
  return explainEach(error.issues, [], source, schema);
}

function explainEach(
  issues: readonly z.core.$ZodIssue[],
  parent: Path,
  source: Source,
  schema: JsonSchema,
): readonly ConfigIssue[] {
  return issues.flatMap((issue) => {
    const path = [...parent, ...issue.path.filter((step) => typeof step !== "symbol")];
    if (issue.code === "invalid_union") {
      // The operator meant the form whose own type fits. Only the errors inside that form count.
      const written = valueAt(source.value, path);
      const meant = issue.errors.find((form) => !form.some((inner) => isOfOtherType(inner, written)));
      if (meant !== undefined) return explainEach(meant, path, source, schema);
      const forms = issue.errors.flat().map((inner) => describeExpected(inner));
      const message = `expected ${forms.join(" or ")}, got ${show(written)}`;
      return [source.issueAt(path, message)];
    }
    if (issue.code !== "unrecognized_keys") {
      return [source.issueAt(path, describe(issue, valueAt(source.value, path)))];
    }
    const known = knownKeys(schema, path);
    return issue.keys.map((key) =>
      source.issueAt([...path, key], `unknown key "${key}"${suggest(key, known)}`),
    );
  });
}

/** A map is no word: where words are one form and a map the other, the map was meant. */
function isOfOtherType({ code, path }: z.core.$ZodIssue, written: unknown): boolean {
  return path.length === 0 && (code === "invalid_type" || (code === "invalid_value" && isMapping(written)));
}

function describeExpected(issue: z.core.$ZodIssue): string {
  return issue.code === "invalid_type" ? (typeNames[issue.expected] ?? issue.expected) : issue.message;
}

/**
 * Looks up the value at a path.
 * @returns undefined when the path does not exist
 */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) {
    if (Array.isArray(value) && typeof step === "number") value = value[step];
    else if (isMapping(value) && Object.hasOwn(value, step)) value = value[step];
    else return undefined;
  }
  return value;
}

/** Tells whether a value is a plain map. */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Lists the keys that a map at `path` may have: fixed keys, or the names that keys are taken from.
 */
export function knownKeys(schema: JsonSchema, path: Path): readonly string[] {
  let node: unknown = schema;
  for (const step of path) {
    if (!isMapping(node)) return [];
    if (typeof step === "number") node = node["items"];
    else node = valueAt(node["properties"], [step]) ?? node["additionalProperties"];
    // Of several forms, only the map has keys.
    const forms = isMapping(node) ? node["anyOf"] : undefined;
    if (Array.isArray(forms)) node = forms.find((form) => isMapping(form) && isMapping(form["properties"]));
  }
  if (!isMapping(node)) return [];
  if (isMapping(node["properties"])) return Object.keys(node["properties"]);
  const names = valueAt(node, ["propertyNames", "enum"]);
  return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
}

function describe(issue: z.core.$ZodIssue, value: unknown): string {
  if (value === undefined && (issue.code === "invalid_type" || issue.code === "invalid_value")) {
    return "required key is missing";
  }
  switch (issue.code) {
    case "invalid_type":
      return describeType(issue.expected, value);
    case "invalid_value": {
      const choices = issue.values.map(String);
      const hint = typeof value === "string" ? suggest(value, choices) : "";
      return `expected ${choices.map(quoteNothing).join(" | ")}, got ${show(value)}${hint}`;
    }
    case "too_small":
      return describeBound("at least", issue.origin, Number(issue.minimum), issue.inclusive);
    case "too_big":
      return describeBound("at most", issue.origin, Number(issue.maximum), issue.inclusive);
    case "invalid_key":
      return `the key ${show(issue.path.at(-1))}: ${issue.issues.map((inner) => inner.message).join(", ")}`;
    case "custom":
    case "invalid_element":
    case "invalid_format":
    case "invalid_union":
    case "not_multiple_of":
    case "unrecognized_keys":
      break;
  }
  return issue.message;
}

const typeNames: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map",
  record: "a map",
};

function describeType(expected: string, value: unknown): string {
  const hint = expected === "string" && typeof value === "number" ? "; write it in quotes" : "";
  return `expected ${typeNames[expected] ?? expected}, got ${show(value)}${hint}`;
}

function describeBound(side: string, origin: string, bound: number, isInclusive = true): string {
  if (origin === "array" || origin === "record")
    return `needs ${side} ${bound} ${bound === 1 ? "entry" : "entries"}`;
  if (origin === "string") return `needs ${side} ${bound} character${bound === 1 ? "" : "s"}`;
  return isInclusive
    ? `must be ${side} ${bound}`
    : `must be ${side === "at least" ? "more" : "less"} than ${bound}`;
}

function quoteNothing(choice: string): string {
  return choice === "" ? '""' : choice;
}

/** Shows a value as the operator wrote it, shortened to one line. */
function show(value: unknown): string {
  if (typeof value === "string") return `"${value.length > 40 ? `${value.slice(0, 40)}…` : value}"`;
  if (typeof value === "number") return `the number ${value}`;
  if (typeof value === "boolean") return String(value);
  if (value === null || value === undefined) return "nothing";
  return Array.isArray(value) ? "a list" : "a map";
}
