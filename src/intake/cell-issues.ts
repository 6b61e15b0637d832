// Cells of a table that can't be taken: the first ones are told, all are counted.

/** A cell that can't be taken. */
export interface CellIssue {
  /** As the spreadsheet names it. */
  readonly place: string;
  readonly column: string;
  readonly message: string;
}

/** What was found in a table. */
export interface FoundIssues {
  /** The first issues. */
  readonly issues: readonly CellIssue[];
  /** All issues, those that are not kept included. */
  readonly issueCount: number;
}

const MOST_ISSUES = 50;

/** Gathers issues in the order of the table. */
export function createCellIssues(): {
  readonly add: (issue: CellIssue) => void;
  readonly found: () => FoundIssues;
} {
  const issues: CellIssue[] = [];
  let issueCount = 0;
  return {
    add(issue) {
      issueCount++;
      if (issues.length < MOST_ISSUES) issues.push(issue);
    },
    found: () => ({ issues, issueCount }),
  };
}
