// Loads the files of releases that the lists of a policy name.
import { createCalendar } from "../lists/calendar.ts";
import { readReleases, type ReleaseFile } from "../lists/releases.ts";
import { type ReadFile, resolvePath } from "../yaml/config-files.ts";
import type { ConfigIssue } from "../yaml/issue.ts";
import type { PolicyFile } from "./policy-file.ts";

/** The releases of one list. */
export interface LoadedReleases extends ReleaseFile {
  /** The list that numbers leave. */
  readonly list: string;
  /** The path, as the policy writes it. */
  readonly written: string;
}

/** Reads the files. A missing or broken one is an error; one without rows releases nothing. */
export function loadReleases(
  { source, lists, timeZone, homeCountry }: PolicyFile,
  readFile: ReadFile,
): { readonly releases: readonly LoadedReleases[]; readonly issues: readonly ConfigIssue[] } {
  const releases: LoadedReleases[] = [];
  const issues: ConfigIssue[] = [];
  const calendar = createCalendar(timeZone);
  for (const { path, value } of lists) {
    if (value.releases === undefined) continue;
    const file = resolvePath(source.file, value.releases);
    const content = readFile(file);
    if ("error" in content) {
      issues.push(source.issueAt([...path, "releases"], `can't read ${file}: ${content.error}`));
      continue;
    }
    const { read, issues: found } = readReleases(file, content.bytes, calendar, homeCountry);
    issues.push(...found);
    if (read !== undefined) releases.push({ ...read, list: value.id, written: value.releases });
  }
  return { releases, issues };
}
