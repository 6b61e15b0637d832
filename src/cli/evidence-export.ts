// `sigwall evidence export`: writes the evidence of calls with its proofs into a folder that stands by itself.
import { join } from "node:path";
import { readFromDisk } from "../app/read-file.ts";
import { formatIssue } from "../config/yaml/issue.ts";
import { loadStatic } from "../config/load-static.ts";
import { type CallQuery, findBlocks, MOST_FOUND } from "../records/evidence/call-search.ts";
import { messageOf } from "../records/evidence/evidence-fault.ts";
import { chooseCheckpoint, type ExportOrder, writeExport } from "../records/evidence/export-folder.ts";
import { logFiles, nodesIn } from "../records/evidence/log-files.ts";
import { openCheckpoint, readKeyLine } from "../records/tree/signed-note.ts";
import { readIfThere } from "../records/tree/durable-writing.ts";

/** Options of `sigwall evidence export`. */
export interface EvidenceExportOptions {
  /** Call-IDs, and ids of calls (NODE-EPOCH-COUNT). */
  readonly callIds: readonly string[];
  readonly ids: readonly string[];
  /** Path of `sigwall.yaml`, used where `folder` is undefined. */
  readonly config: string;
  /** Folder of the evidence. */
  readonly folder: string | undefined;
  /** The node whose log is searched; undefined: every one of the folder. */
  readonly node: string | undefined;
  /** Folder of the records; undefined: `records` beside the evidence. */
  readonly records: string | undefined;
  /** Folder of the kept policies; undefined: `policies` beside the evidence. */
  readonly policies: string | undefined;
  readonly out: string;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/** The folder of the evidence, or the exit code when the configuration names none. */
function folderOf({ folder, config, stderr }: EvidenceExportOptions): string | number {
  if (folder !== undefined) return folder;
  const { config: read, issues } = loadStatic(readFromDisk, config);
  if (read?.evidence !== undefined) return read.evidence.folder;
  for (const issue of read === undefined ? issues : []) stderr.write(`${formatIssue(issue)}\n`);
  if (read !== undefined)
    stderr.write(
      `sigwall evidence export: ${config} has no key \`evidence\`; name the folder with --folder\n`,
    );
  return 2;
}

/**
 * Runs `sigwall evidence export`.
 * @returns exit code: 0; 1 when no block of the call is found, signed and proved; 2 for an unusable command line
 */
export async function exportEvidence(options: EvidenceExportOptions): Promise<number> {
  const { stdout, stderr, callIds, ids, out } = options;
  const complain = (what: string, code: number): number => {
    stderr.write(`sigwall evidence export: ${what}\n`);
    return code;
  };
  const queries: readonly CallQuery[] = [
    ...callIds.map((value) => ({ field: "callId", value }) as const),
    ...ids.map((value) => ({ field: "id", value }) as const),
  ];
  if (queries.length === 0) return complain("name a call with --call-id or --id", 2);
  const folder = folderOf(options);
  if (typeof folder === "number") return folder;
  try {
    const nodes = options.node === undefined ? nodesIn(folder) : [options.node];
    if (nodes.length === 0) return complain(`${folder} holds no evidence log: no file NODE.pub is there`, 2);
    let exported = 0;
    let waiting = 0;
    for (const node of nodes) {
      const found = await exportNode(
        folder,
        node,
        queries,
        nodes.length > 1 ? join(out, node) : out,
        options,
      );
      exported += found.exported;
      waiting += found.waiting;
    }
    if (waiting > 0)
      stderr.write(
        `sigwall evidence export: ${waiting} blocks are not signed yet: try again after the next checkpoint\n`,
      );
    if (exported === 0) return complain(`${folder}: no signed block of this call was found`, 1);
    stdout.write(`${exported} blocks with their proofs are in ${out}: open ${join(out, "index.html")}\n`);
    return 0;
  } catch (error) {
    return complain(messageOf(error), 1);
  }
}

async function exportNode(
  folder: string,
  node: string,
  queries: readonly CallQuery[],
  out: string,
  options: EvidenceExportOptions,
): Promise<{ readonly exported: number; readonly waiting: number }> {
  const files = logFiles(folder, node);
  const key = readKeyLine(readIfThere(files.publicKey)?.toString("utf8") ?? "");
  if (typeof key === "string") throw new Error(`${files.publicKey}: ${key}`);
  const found = findBlocks(folder, node, queries);
  if (found.length >= MOST_FOUND)
    options.stderr.write(`sigwall evidence export: only the first ${MOST_FOUND} blocks are taken\n`);
  if (found.length === 0) return { exported: 0, waiting: 0 };
  const order: ExportOrder = {
    folder,
    node,
    key,
    records: options.records ?? join(folder, "..", "records"),
    policies: options.policies ?? join(folder, "..", "policies"),
    out,
  };
  const newest = openCheckpoint(readIfThere(files.checkpoint)?.toString("utf8") ?? "", key);
  const signed = typeof newest === "string" ? 0 : newest.size;
  const blocks = found.filter(({ leaf }) => leaf < signed);
  const last = blocks.at(-1);
  if (last === undefined) return { exported: 0, waiting: found.length };
  await writeExport(order, chooseCheckpoint(order, last.leaf), blocks);
  return { exported: blocks.length, waiting: found.length - blocks.length };
}
