// Reads YAML text: plain values out, with the line and column of every value.
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Document, ErrorCode, Node } from "yaml";
import type { ConfigIssue, Path } from "./issue.ts";
import { formatPath } from "./issue.ts";

/** A YAML file that was read: plain values, and where each of them stands. */
export interface Source {
  readonly file: string;
  /** The file as it was read. */
  readonly bytes: Uint8Array;
  /** Plain maps, lists and scalars. Undefined when the file can't be parsed. */
  readonly value: unknown;
  /** Every error of the YAML syntax, not only the first. */
  readonly issues: readonly ConfigIssue[];
  /**
   * Makes an issue at the place of `path`: its key, the list element, or the nearest existing
   * place.
   */
  issueAt(path: Path, message: string, severity?: ConfigIssue["severity"]): ConfigIssue;
}

/** At most this many aliases of one anchor: an "alias bomb" has exponential size. */
const mostAliases = 100;

/** Messages for operators, where those of the parser are meant for programmers. */
const ownWords: Partial<Record<ErrorCode, string>> = {
  DUPLICATE_KEY: "this key is already in the map",
  MULTIPLE_DOCS: "there is a second document in the file",
};

/** Reads YAML 1.2 text. Never throws; errors are in `issues`. */
export function readYaml(file: string, bytes: Uint8Array): Source {
  const decoded = decodeText(bytes);
  const lines = new LineCounter();
  const document = parseDocument(decoded.text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    logLevel: "error",
  });
  const issueAtOffset = (
    offset: number,
    path: string,
    message: string,
    severity: ConfigIssue["severity"] = "error",
  ): ConfigIssue => {
    const { line, col } = lines.linePos(offset);
    return { severity, file, line: Math.max(line, 1), column: Math.max(col, 1), path, message };
  };
  const issues: ConfigIssue[] = [];
  if (decoded.damage !== undefined) issues.push(issueAtOffset(decoded.damage, "", notUtf8));
  let damaged = decoded.damage !== undefined;
  for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
    // A duplicate key leaves the rest readable, so its other errors are reported in the same run.
    damaged ||= code !== "DUPLICATE_KEY";
    issues.push(issueAtOffset(pos[0], "", ownWords[code] ?? message));
  }
  let value: unknown;
  try {
    value = damaged ? undefined : document.toJS({ maxAliasCount: mostAliases });
  } catch (cause) {
    issues.push(issueAtOffset(0, "", cause instanceof Error ? cause.message : "unreadable alias"));
  }
  if (value === null && issues.length === 0) issues.push(issueAtOffset(0, "", "the file is empty"));
  return {
    file,
    bytes,
    value: value ?? undefined,
    issues,
    issueAt: (path, message, severity) =>
      issueAtOffset(offsetOf(document, path), formatPath(path), message, severity),
  };
}

/** Message about a file in another encoding. Spreadsheets on Chinese systems write GB18030. */
export const notUtf8 = "not UTF-8 text from here on; save the file as UTF-8";

/**
 * Decodes a file as UTF-8 and removes its byte order mark.
 * @returns `damage` is the offset of the first character that is not UTF-8, undefined for sound
 * text
 */
export function decodeText(bytes: Uint8Array): {
  readonly text: string;
  readonly damage: number | undefined;
} {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), damage: undefined };
  } catch {
    const text = new TextDecoder("utf-8").decode(bytes);
    return { text, damage: Math.max(text.indexOf("\uFFFD"), 0) };
  }
}

function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    let next: unknown;
    if (isMap(node)) {
      // The last value of a duplicate key counts.
      const pair = node.items.findLast((item) => isScalar(item.key) && item.key.value === step);
      if (pair === undefined) return offset;
      offset = startOf(pair.key) ?? offset;
      next = pair.value;
    } else if (isSeq(node) && typeof step === "number") {
      next = node.items[step];
      offset = startOf(next) ?? offset;
    } else {
      return offset;
    }
    node = next;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function isNode(value: unknown): value is Node {
  return isMap(value) || isSeq(value) || isScalar(value) || isAlias(value);
}
