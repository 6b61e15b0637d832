/** A plain JSON value. */
type Json = unknown;

function isRecord(value: Json): value is Readonly<Record<string, Json>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Where `actual` differs from what is expected, as a path and both values; undefined: it doesn't. Fields that `expected`
 * does not name may be anything, so that a file of expectations can leave out the revision or the times.
 */
export function findDifference(expected: Json, actual: Json, path = ""): string | undefined {
  if (Array.isArray(expected) && Array.isArray(actual) && expected.length === actual.length) {
    for (const [i, item] of expected.entries()) {
      const difference = findDifference(item, actual[i], `${path}[${i}]`);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }
  if (isRecord(expected) && isRecord(actual)) {
    for (const [key, value] of Object.entries(expected)) {
      const difference = findDifference(value, actual[key], path === "" ? key : `${path}.${key}`);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }
  if (expected === actual) return undefined;
  return `${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual) ?? "nothing"}`;
}

/** Holds the lines of a command, in order, against an NDJSON text. */
export interface Comparison {
  /** Takes the next line; returns what differs, in words. */
  next(actual: Json): string | undefined;
  /** Says what was expected and never came. */
  end(): string | undefined;
}

/** Starts a comparison with the lines of `text`; a string that says which line is no JSON object, when one is not. */
export function compareLines(text: string): Comparison | string {
  const expected: { readonly line: number; readonly value: Json }[] = [];
  for (const [i, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    try {
      expected.push({ line: i + 1, value: JSON.parse(line) });
    } catch {
      return `line ${i + 1} is no JSON`;
    }
  }
  let at = 0;
  return {
    next(actual) {
      const wanted = expected[at];
      at += 1;
      if (wanted === undefined) return `one line too many: ${JSON.stringify(actual)}`;
      const difference = findDifference(wanted.value, actual);
      return difference === undefined ? undefined : `line ${wanted.line}: ${difference}`;
    },
    end() {
      const missing = expected.length - at;
      return missing > 0
        ? `${missing} expected lines did not come, the first is line ${expected[at]?.line}`
        : undefined;
    },
  };
}
