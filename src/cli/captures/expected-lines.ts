// Compares the lines of a command with those of a file.

/** A plain JSON value. */
type Json = unknown;

function isRecord(value: Json): value is Readonly<Record<string, Json>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Finds the first difference between `actual` and `expected`. Fields that `expected` does not name
 * may be anything, so a file can leave out times.
 * @returns path and both values in words; undefined when nothing differs
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

/**
 * Fields that say which policy judged, and not what it said. A list with one more number has another revision, and that is
 * no difference.
 */
const passedOver: ReadonlySet<string> = new Set(["revision"]);

/** Compares the lines of a command, in order, with an NDJSON text. Revisions are not compared. */
export interface Comparison {
  /** Takes the next line and returns what differs, in words. Undefined: nothing. */
  next(actual: Json): string | undefined;
  /** Says which expected lines never came. Undefined: none. */
  end(): string | undefined;
}

function withoutRevision(value: Json): Json {
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !passedOver.has(key)));
}

/**
 * Starts a comparison with the lines of `text`.
 * @returns a string when a line is no JSON
 */
export function compareLines(text: string): Comparison | string {
  const expected: { readonly line: number; readonly value: Json }[] = [];
  for (const [i, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    try {
      expected.push({ line: i + 1, value: withoutRevision(JSON.parse(line)) });
    } catch {
      return `line ${i + 1} is not JSON`;
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
        ? `${missing} expected lines are missing, the first is line ${expected[at]?.line}`
        : undefined;
    },
  };
}
