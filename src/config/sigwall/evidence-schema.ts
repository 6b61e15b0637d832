// The key `evidence` of sigwall.yaml: where refused messages are kept, and what is signed when.
import { relative, sep } from "node:path";
import { z } from "zod";
import { resolvePath } from "../yaml/config-files.ts";
import type { ConfigIssue } from "../yaml/issue.ts";
import { pathSchema } from "../yaml/schema-parts.ts";
import type { Source } from "../yaml/yaml-source.ts";

/** A name of a log stands in a signed note: no space, and no plus (c2sp.org/signed-note). */
const originPattern = /^[^\s+\p{C}]{1,255}$/u;

export const evidenceSchema = z
  .strictObject({
    folder: pathSchema.describe("Folder of the evidence; made when missing, for its owner only."),
    keyFile: pathSchema
      .default("evidence.key")
      .describe(
        "File of the Ed25519 key that signs checkpoints; made when missing. Keep it outside the folder, and keep a copy.",
      ),
    durability: z
      .enum(["async", "before-reject"])
      .default("async")
      .describe(
        "async: a refusal is answered at once; before-reject: it is answered when its evidence is on the disk. Trunks may have their own.",
      ),
    checkpointSeconds: z
      .number()
      .min(1)
      .max(3600)
      .default(10)
      .describe("Seconds between two checkpoints of a log that grows."),
    keepDays: z
      .int()
      .min(1)
      .max(36_500)
      .default(1100)
      .describe("Days after which messages are deleted. Their hashes and the checkpoints stay."),
    onFull: z
      .enum(["count", "refuse"])
      .default("count")
      .describe(
        "When evidence can't be written. count: calls go on and the loss is told; refuse: new calls of screened trunks but emergency calls are answered 503.",
      ),
    perTrunk: z
      .strictObject({
        blocksPerSecond: z
          .int()
          .min(1)
          .max(1_000_000)
          .default(200)
          .describe("Messages kept in a second; of the others one line a second says how many."),
        megabytesPerDay: z
          .int()
          .min(1)
          .max(16_777_216)
          .default(2048)
          .describe("Megabytes (1024² octets) kept in a day of UTC."),
      })
      .prefault({})
      .describe("The budget of each trunk."),
    publish: pathSchema
      .exactOptional()
      .describe("A second path, on another machine if possible, to which every checkpoint is appended."),
    origin: z
      .string()
      .regex(originPattern, { error: 'a name of a log has no spaces and no "+", and at most 255 characters' })
      .exactOptional()
      .describe("Name of the log in its checkpoints. Default: sigwall/NODE."),
    timeStamp: z
      .strictObject({
        url: z.url({ protocol: /^https?$/ }).describe("URL of the authority, http or https (RFC 3161)."),
        everyMinutes: z.number().min(1).max(10_080).default(60).describe("Minutes between two stamps."),
      })
      .exactOptional()
      .describe("Asks a time stamping authority for stamps of checkpoints."),
  })
  .describe("Keeps refused messages as received, in a signed log. Absent: no evidence is kept.");

/** The key `evidence`; paths are relative to the working directory of the program. */
export interface EvidenceConfig {
  readonly folder: string;
  readonly keyFile: string;
  readonly durability: "async" | "before-reject";
  readonly checkpointSeconds: number;
  readonly keepDays: number;
  readonly onFull: "count" | "refuse";
  readonly perTrunk: { readonly blocksPerSecond: number; readonly megabytesPerDay: number };
  readonly publish: string | undefined;
  /** Undefined: `sigwall/NODE`. */
  readonly origin: string | undefined;
  readonly timeStamp: { readonly url: string; readonly everyMinutes: number } | undefined;
}

/** Reads the key. */
export function readEvidence(
  written: z.output<typeof evidenceSchema> | undefined,
  sigwallPath: string,
): EvidenceConfig | undefined {
  if (written === undefined) return undefined;
  const { folder, keyFile, publish, origin, timeStamp } = written;
  return {
    ...written,
    folder: resolvePath(sigwallPath, folder),
    keyFile: resolvePath(sigwallPath, keyFile),
    publish: publish === undefined ? undefined : resolvePath(sigwallPath, publish),
    origin,
    timeStamp,
  };
}

/** Warns where the key, or the second path, lies in the folder: who can change the one can change the other. */
export function findEvidenceIssues(
  source: Source,
  config: EvidenceConfig | undefined,
): readonly ConfigIssue[] {
  if (config === undefined) return [];
  const { folder, keyFile, publish } = config;
  return [
    ...(isBelow(keyFile, folder)
      ? [
          source.issueAt(
            ["evidence", "keyFile"],
            "the key lies in the folder of the evidence: whoever copies or changes the folder has the key too; keep it elsewhere",
            "warning",
          ),
        ]
      : []),
    ...(publish !== undefined && isBelow(publish, folder)
      ? [
          source.issueAt(
            ["evidence", "publish"],
            "the second path lies in the folder of the evidence: who rolls back the one rolls back the other; name a path on another disk or machine",
            "warning",
          ),
        ]
      : []),
  ];
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !way.startsWith(sep);
}
