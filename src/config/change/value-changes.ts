// Compares two values as files write them, and names each place at which they differ.
import { canonicalText } from "../yaml/canonical-text.ts";
import { isMapping } from "../yaml/schema-issues.ts";

/** A place at which two values differ. */
export interface ValueChange {
  /** `limits.callsPerSecond`; empty: the values as a whole. */
  readonly path: string;
  /** Undefined: it is not there. */
  readonly before: unknown;
  readonly after: unknown;
}

/** Compares maps key by key. Everything else is compared as a whole, whatever the order of keys in it. */
export function changesOf(before: unknown, after: unknown, path = ""): readonly ValueChange[] {
  if (isMapping(before) && isMapping(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) =>
      changesOf(before[key], after[key], path === "" ? key : `${path}.${key}`),
    );
  }
  return textOf(before) === textOf(after) ? [] : [{ path, before, after }];
}

/** A value in one line, as a person would write it. */
export function describeValue(value: unknown): string {
  if (value === undefined) return "none";
  return typeof value === "string" ? value : textOf(value).replaceAll('"', "");
}

function textOf(value: unknown): string {
  return value === undefined ? "" : canonicalText(value);
}
