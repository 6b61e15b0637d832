// Canonical JSON text and its short hash: the fingerprint of a configuration.
import { createHash } from "node:crypto";
import { isMapping } from "./schema-issues.ts";

/** Writes a value as JSON with the keys of every map sorted. */
export function canonicalText(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isMapping(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}

/**
 * Returns the first 48 bits of SHA-256 in hexadecimal: enough to tell revisions apart, short enough
 * to read aloud.
 */
export function digest(text: string): string {
  return shortened(createHash("sha256").update(text).digest("hex"));
}

/** Returns the part of a hash in hexadecimal that {@link digest} gives. */
export function shortened(hash: string): string {
  return hash.slice(0, 12);
}
