// `sigwall evidence export`: writes the evidence of calls with its proofs into a folder that stands by itself.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readFromDisk } from "../app/read-file.ts";
import { formatIssue } from "../config/yaml/issue.ts";
import { loadStatic, type StaticConfig } from "../config/load-static.ts";
import type { Millis } from "../domain/time.ts";
import type { RecordPlace } from "../records/asking/ask-records.ts";
import { isLine } from "../records/asking/open-lines.ts";
import { type CallQuery, findBlocks, type FoundBlock, MOST_FOUND } from "../records/evidence/call-search.ts";
import { messageOf } from "../records/evidence/evidence-fault.ts";
import { chooseCheckpoint, type ExportOrder, writeExport } from "../records/evidence/export-folder.ts";
import { logFiles, nodesIn } from "../records/evidence/log-files.ts";
import { policiesBeside } from "../records/policies/kept-policy.ts";
import { policiesOf } from "../records/policies/policy-place.ts";
import { openCheckpoint, readKeyLine } from "../records/tree/signed-note.ts";
import { readIfThere } from "../records/tree/durable-writing.ts";
import { noteAccess, whoAsks } from "./asking/access-note.ts";
import { openForAsking } from "./asking/record-places.ts";
import { askDecisions, askWhole, expectedOf, type ToldDecisions } from "./asking/told-calls.ts";
import { describeGaps } from "./search.ts";

/** Options of `sigwall evidence export`. */
export interface EvidenceExportOptions {
  /** Call-IDs, and ids of calls (NODE-EPOCH-COUNT). */
  readonly callIds: readonly string[];
  readonly ids: readonly string[];
  /** Path of `sigwall.yaml`. Undefined: the one in the working directory, where `folder` is undefined too. */
  readonly config?: string | undefined;
  /** Folder of the evidence; undefined: the one of the configuration. */
  readonly folder?: string | undefined;
  /** The node whose log is searched; undefined: every one of the folder. */
  readonly node?: string | undefined;
  /** Folders of the records; empty: the one of the configuration, else `records` beside the evidence. */
  readonly records: readonly string[];
  /** Folder of the kept policies; undefined: those of the configuration, and beside evidence and records. */
  readonly policies?: string | undefined;
  readonly out: string;
  /** The case that the export is for; it stands in the `access` line. */
  readonly case?: string | undefined;
}

/** What the command may use. `now`: Unix milliseconds. */
export interface EvidenceExportOutput {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly now: Millis;
}

interface ExportPlace {
  readonly evidence: string;
  readonly records: readonly string[];
  readonly policies: readonly string[];
}

const DEFAULT_CONFIG = "sigwall.yaml";

/** @returns in words, why the places are not known */
function findPlace(options: EvidenceExportOptions): ExportPlace | string {
  const path = options.config ?? (options.folder === undefined ? DEFAULT_CONFIG : undefined);
  let config: StaticConfig | undefined;
  if (path !== undefined) {
    const { config: read, issues } = loadStatic(readFromDisk, path);
    if (read === undefined) return issues.map(formatIssue).join("\n");
    config = read;
  }
  const evidence = options.folder ?? config?.evidence?.folder;
  if (evidence === undefined) return `${path} has no key \`evidence\`; name the folder with --folder`;
  const missing = options.records.find((folder) => !existsSync(folder));
  if (missing !== undefined) return `${missing}: no such folder`;
  const usual = config?.records?.folder ?? join(evidence, "..", "records");
  const records = (options.records.length > 0 ? options.records : [usual]).filter(existsSync);
  const configured = config === undefined ? undefined : policiesOf(config);
  const policies = [configured, policiesBeside(evidence), ...records.map(policiesBeside)].filter(
    (folder) => folder !== undefined,
  );
  return {
    evidence,
    records,
    policies: options.policies === undefined ? [...new Set(policies)] : [options.policies],
  };
}

/**
 * Runs `sigwall evidence export`.
 * @returns exit code: 0; 1 when no block of the call is found, signed and proved; 2 for an unusable command line
 */
export async function exportEvidence(
  options: EvidenceExportOptions,
  output: EvidenceExportOutput,
): Promise<number> {
  const { stdout, stderr } = output;
  const { callIds, ids, out } = options;
  const say = (what: string): void => void stderr.write(`sigwall evidence export: ${what}\n`);
  const complain = (what: string, code: number): number => {
    say(what);
    return code;
  };
  const queries: readonly CallQuery[] = [
    ...callIds.map((value) => ({ field: "callId", value }) as const),
    ...ids.map((value) => ({ field: "id", value }) as const),
  ];
  if (queries.length === 0) return complain("name a call with --call-id or --id", 2);
  const place = findPlace(options);
  if (typeof place === "string") return complain(place, 2);
  const { evidence } = place;
  const opened = await openForAsking();
  const database = typeof opened === "string" ? undefined : opened;
  const asked: RecordPlace = { folders: place.records, database };
  try {
    const nodes = options.node === undefined ? nodesIn(evidence) : [options.node];
    if (nodes.length === 0)
      return complain(`${evidence} holds no evidence log: no file NODE.pub is there`, 2);
    const decisions = await askDecisions(asked, queries);
    for (const note of describeGaps({ ...decisions, items: [], isCut: false }, opened)) say(note);
    let exported = 0;
    let waiting = 0;
    for (const node of nodes) {
      const target = nodes.length > 1 ? join(out, node) : out;
      const found = await exportNode({ place, node, queries, asked, decisions, out: target, say });
      exported += found.exported;
      waiting += found.waiting;
    }
    if (waiting > 0) say(`${waiting} blocks are not signed yet: try again after the next checkpoint`);
    noteExport(place, options, exported, output.now, say);
    if (exported === 0) return complain(`${evidence}: no signed block of this call was found`, 1);
    const page = nodes.length > 1 ? "the file index.html of each node" : join(out, "index.html");
    stdout.write(`${exported} blocks with their proofs are in ${out}: open ${page}\n`);
    return 0;
  } catch (error) {
    return complain(messageOf(error), 1);
  } finally {
    database?.close();
  }
}

interface NodeExport {
  readonly place: ExportPlace;
  readonly node: string;
  readonly queries: readonly CallQuery[];
  readonly asked: RecordPlace;
  readonly decisions: ToldDecisions;
  readonly out: string;
  readonly say: (what: string) => void;
}

async function exportNode({
  place,
  node,
  queries,
  asked,
  decisions,
  out,
  say,
}: NodeExport): Promise<{ readonly exported: number; readonly waiting: number }> {
  const { evidence, policies } = place;
  const files = logFiles(evidence, node);
  const key = readKeyLine(readIfThere(files.publicKey)?.toString("utf8") ?? "");
  if (typeof key === "string") throw new Error(`${files.publicKey}: ${key}`);
  const found = findBlocks(evidence, node, queries, expectedOf(decisions, node));
  if (found.length >= MOST_FOUND) say(`only the first ${MOST_FOUND} blocks are taken`);
  if (found.length === 0) return { exported: 0, waiting: 0 };
  const newest = openCheckpoint(readIfThere(files.checkpoint)?.toString("utf8") ?? "", key);
  const signed = typeof newest === "string" ? 0 : newest.size;
  const blocks = found.filter(({ leaf }) => leaf < signed);
  const last = blocks.at(-1);
  if (last === undefined) return { exported: 0, waiting: found.length };
  const ofNode = decisions.lines.filter((line) => line["node"] === node);
  const told = await askWhole(asked, ofNode, blocks.map(decisionOf).filter(isLine));
  const order: ExportOrder = { folder: evidence, node, key, told, policies, out };
  writeExport(order, chooseCheckpoint(order, last.leaf), blocks);
  return { exported: blocks.length, waiting: found.length - blocks.length };
}

function decisionOf({ decision }: FoundBlock): unknown {
  return decision;
}

/** Somebody takes whole numbers away: an `access` line says who, and what for. */
function noteExport(
  { records }: ExportPlace,
  options: EvidenceExportOptions,
  found: number,
  now: Millis,
  say: (what: string) => void,
): void {
  if (records.length === 0)
    say("there is no records folder: no lines were taken from it, and no access line was written");
  const asked = {
    ...(options.callIds.length > 0 && { callId: options.callIds.join(" ") }),
    ...(options.ids.length > 0 && { id: options.ids.join(" ") }),
    out: options.out,
  };
  const access = { command: "evidence export", ...whoAsks(), case: options.case, found, asked };
  for (const failure of noteAccess(records, access, now)) say(failure);
}
