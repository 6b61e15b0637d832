// Says where the policies that were in force are kept: where the configuration says, else beside the records.
import { policiesBeside } from "./kept-policy.ts";

/** The folders of a configuration. Paths are relative to the working directory. */
export interface KeepingFolders {
  readonly records: { readonly folder: string; readonly policies: string | undefined } | undefined;
  readonly evidence: { readonly folder: string } | undefined;
}

/** @returns undefined where neither records nor evidence are kept: then no policy needs to be */
export function policiesOf({ records, evidence }: KeepingFolders): string | undefined {
  const folder = records?.folder ?? evidence?.folder;
  return records?.policies ?? (folder === undefined ? undefined : policiesBeside(folder));
}
