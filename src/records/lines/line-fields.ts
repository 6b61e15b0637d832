// Reads fields of record lines as they were written: any of them may be missing or of another type.

/** An object of JSON. */
export type Fields = Readonly<Record<string, unknown>>;

/** Tells whether a value is an object of JSON. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The objects in a list; empty for anything else. */
export function objectsIn(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}

/** The strings in a list; empty for anything else. */
export function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** A string; empty for anything else. */
export function textIn(value: unknown): string {
  return typeof value === "string" ? value : "";
}
