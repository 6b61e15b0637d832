// Reads a configuration for a reload: files in, a policy and issues out.
import { type ConfigIssue, hasErrors } from "../config/yaml/issue.ts";
import { loadStatic } from "../config/load-static.ts";
import { packPolicy, type PolicyParcel } from "../config/policy/policy-transfer.ts";
import { type CustodyList, type CustodyNote, custodyOf, findTakenOut } from "../config/change/custody.ts";
import type { TableSizes } from "../policy/policy.ts";
import { loadTls, type TlsMaterial } from "../config/sigwall/tls-files.ts";
import type { HeldLists } from "./lists/held-lists.ts";
import { createListMemory } from "./lists/list-memory.ts";
import type { FileStamps, TrackedFiles } from "./tracked-files.ts";
import { partsOf, readPolicy } from "../config/load-policy.ts";
import { keepPolicy, type PolicyPlace } from "../records/policies/policy-keeping.ts";

/** What to read, and what runs now. */
export interface ReadRequest {
  readonly configPath: string;
  /** Fingerprint of the static configuration in force. */
  readonly fingerprint: string;
  readonly tables: TableSizes;
  /** Where the policy is kept before it comes into force. Left out: nowhere. */
  readonly keep?: PolicyPlace | undefined;
  /** Only a policy of this revision is kept: another one will not come into force. Left out: any. */
  readonly keepOnly?: string | undefined;
  /** The lists in force. Those whose files did not change are not read again. Left out: all are read. */
  readonly held?: HeldLists | undefined;
  /** The lists in force whose numbers may leave only when released. Left out: they can't be known. */
  readonly custody?: readonly CustodyList[] | undefined;
}

/** The result. `parcel` is there unless `issues` holds an error. */
export interface ReadReply {
  readonly parcel: PolicyParcel | undefined;
  /** The certificates of tls listeners, where there are any. */
  readonly tls: TlsMaterial | undefined;
  readonly issues: readonly ConfigIssue[];
  /** The lists of the policy, for the next reading. */
  readonly held?: HeldLists | undefined;
  /** Every file that was read or looked for. */
  readonly stamps: FileStamps;
  /** Why the policy could not be kept; it may come into force all the same. Undefined: it is kept, or need not be. */
  readonly unkept?: string | undefined;
  /** The lists in custody of the policy, for the next reading. */
  readonly custody?: readonly CustodyList[] | undefined;
  /** What is to be recorded of numbers that leave lists: releases where the policy comes into force, else refusals. */
  readonly notes?: readonly CustodyNote[] | undefined;
}

/** The reading could not come to an end. `issue` says why, and at which file. */
export class ReadingFailure extends Error {
  readonly issue: ConfigIssue;
  constructor(issue: ConfigIssue) {
    super(issue.message);
    this.issue = issue;
  }
}

/**
 * Reads a configuration for a running filter. Big lists take seconds, so `policy-thread.ts` runs this in a thread of
 * its own.
 */
export function readForReload(
  files: TrackedFiles,
  { configPath, fingerprint, tables, keep, keepOnly, held, custody: inForce }: ReadRequest,
): ReadReply {
  const reply = (issues: readonly ConfigIssue[], parcel?: PolicyParcel, tls?: TlsMaterial): ReadReply => ({
    parcel,
    tls,
    issues,
    stamps: files.stamps(),
  });
  const { config, issues: staticIssues } = loadStatic(files.readFile, configPath);
  if (config === undefined) return reply(staticIssues);
  if (config.fingerprint !== fingerprint) {
    const message = "changed since the start; nothing was reloaded: restart to apply it, or put it back";
    return reply([issueOf(configPath, message)]);
  }
  const listeners = config.listen.map(({ id }) => id);
  const memory = createListMemory({ held, stamp: files.stamp });
  const { material, issues: policyIssues } = readPolicy(
    files.readFile,
    config.policy,
    listeners,
    config.engine,
    memory,
  );
  const certificates = config.tls === undefined ? undefined : loadTls(files.readFile, config.tls, Date.now());
  const issues = [...policyIssues, ...(certificates?.issues ?? [])];
  if (material === undefined || hasErrors(issues)) return reply(issues);
  const taken = findTakenOut(inForce ?? [], material, Date.now());
  if (taken.issues.length > 0) return { ...reply([...issues, ...taken.issues]), notes: taken.notes };
  const custody = { custody: custodyOf(material), notes: taken.notes };
  const tls = certificates?.material;
  const { engine } = config;
  const isKept = keepOnly === undefined || keepOnly === material.revision;
  const unkept =
    keep && isKept
      ? keepPolicy(keep, material, { engine, listeners }, files.readAgain, Date.now())
      : undefined;
  const parcel = packPolicy(partsOf(material));
  if (JSON.stringify(parcel.file.tables) === JSON.stringify(tables))
    return { ...reply(issues, parcel, tls), unkept, held: memory.held(), ...custody };
  const message = "table sizes change with a restart; the running ones stay as they are";
  const warning = material.file.source.issueAt(["tables"], message, "warning");
  return { ...reply([...issues, warning], parcel, tls), unkept, held: memory.held(), ...custody };
}

/** An error that concerns a file as a whole. */
export function issueOf(file: string, message: string): ConfigIssue {
  return { severity: "error", file, line: 1, column: 1, path: "", message };
}
