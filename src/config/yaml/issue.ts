// Issues in what an operator wrote: their shape, their order and their text.

/** Steps from the root of a document to a value: keys of maps and positions in lists. */
export type Path = readonly (string | number)[];

/** An issue in a file that an operator wrote. Lines and columns count from 1. */
export interface ConfigIssue {
  /** An `error` keeps the configuration from loading; a `warning` does not. */
  readonly severity: "error" | "warning";
  /** The file as the operator named it. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /**
   * Path in the document (`trunks[3].lessee`), or the column of a list. Empty for the file as a
   * whole.
   */
  readonly path: string;
  readonly message: string;
}

/** Formats a path as operators read it: `trunks[3].match.ports[0]`. */
export function formatPath(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}

/**
 * Formats an issue as one line: `file:line:col path: message`. A warning says so before the
 * message.
 */
export function formatIssue(issue: ConfigIssue): string {
  const place = `${issue.file}:${issue.line}:${issue.column}`;
  const where = issue.path === "" ? place : `${place} ${issue.path}`;
  return `${where}: ${issue.severity === "warning" ? "warning: " : ""}${issue.message}`;
}

/** Tells whether at least one issue is an error. */
export function hasErrors(issues: readonly ConfigIssue[]): boolean {
  return issues.some((issue) => issue.severity === "error");
}

/** Sorts issues by file in order of first mention, then by position. */
export function sortIssues(issues: readonly ConfigIssue[]): readonly ConfigIssue[] {
  const order = new Map<string, number>();
  for (const issue of issues) if (!order.has(issue.file)) order.set(issue.file, order.size);
  const rank = (issue: ConfigIssue): number => order.get(issue.file) ?? 0;
  return issues.toSorted((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column);
}
