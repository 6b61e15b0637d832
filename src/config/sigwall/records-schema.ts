// The key `records` of sigwall.yaml: where what happened is kept, how long, and what a full disk means for calls.
import { z } from "zod";
import { resolvePath } from "../yaml/config-files.ts";
import { pathSchema } from "../yaml/schema-parts.ts";

/** The records of calls, as configured. */
export interface RecordsConfig {
  /** Relative to the working directory of the program. */
  readonly folder: string;
  /** Days that records are kept. */
  readonly keepDays: number;
  /** What becomes of new calls while nothing can be written: they go on and losses are counted, or they are refused. */
  readonly onFull: "count" | "refuse";
  /** Where policies that were in force are kept, resolved alike. Undefined: beside the records folder. */
  readonly policies: string | undefined;
}

export const recordsSchema = z
  .strictObject({
    folder: pathSchema.describe(
      "Folder for the record lines of calls, created when missing; a relative path starts at the folder of this file.",
    ),
    keepDays: z
      .int()
      .min(1)
      .max(36_500)
      .default(400)
      .describe("Days after which the records of a day are deleted."),
    onFull: z
      .enum(["count", "refuse"])
      .default("count")
      .describe(
        "While nothing can be written: count (calls go on, and losses are counted) or refuse (new calls of screened trunks but emergency calls are refused as `overload`).",
      ),
    policies: pathSchema
      .exactOptional()
      .describe("Folder for the policies that were in force. Default: `policies` beside the records folder."),
  })
  .describe("Keeps a line of every call in a folder. Without this key no call is remembered.");

/** The key `records` after its schema has filled in the defaults. */
export type RecordsEntry = z.output<typeof recordsSchema>;

/** Resolves the paths. `file`: path of sigwall.yaml. */
export function readRecords(entry: RecordsEntry | undefined, file: string): RecordsConfig | undefined {
  if (entry === undefined) return undefined;
  const { folder, keepDays, onFull, policies } = entry;
  return {
    folder: resolvePath(file, folder),
    keepDays,
    onFull,
    policies: policies === undefined ? undefined : resolvePath(file, policies),
  };
}
