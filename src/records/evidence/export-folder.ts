// Writes an export: the blocks of a call with proofs, checkpoint, public key, record lines, policy lines and a page.
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { makeFolder, readIfThere, writeFileThrough } from "../tree/durable-writing.ts";
import { hashLeaf } from "../tree/merkle-tree.ts";
import { type Checkpoint, type NoteKey, openCheckpoint } from "../tree/signed-note.ts";
import { readStamp, stampedSizes } from "../tree/stamp-files.ts";
import { readTiles } from "../tree/tiles.ts";
import { writeProof } from "../tree/tlog-proof.ts";
import { proveInclusion, rootByInclusion } from "../tree/tree-proofs.ts";
import type { FoundBlock } from "./call-search.ts";
import { EvidenceFault } from "./evidence-fault.ts";
import { writePage, type ShownBlock, type ShownLog } from "./export-page.ts";
import type { Words } from "./export-words.ts";
import { writeSegmentHead } from "./evidence-block.ts";
import { logFiles, namesIn } from "./log-files.ts";
import { findPolicyLine } from "./policy-lines.ts";

/** What record lines say of calls. */
export interface ToldCalls {
  /** Record lines, beside the decisions that stand in the blocks. */
  readonly lines: readonly string[];
  /** Says what became of the call of a decision. */
  readonly endOf: (decision: FoundBlock["decision"]) => Words;
}

/** From where, and where to. */
export interface ExportOrder {
  readonly folder: string;
  readonly node: string;
  readonly key: NoteKey;
  /** What the records say of the calls. */
  readonly told: ToldCalls;
  /** Folders of kept policies. */
  readonly policies: readonly string[];
  /** The folder that is written. It must be empty or missing. */
  readonly out: string;
}

/** Proves a block by a checkpoint. Throws an {@link EvidenceFault} when the log does not prove the block. */
export function proveBlock(
  order: ExportOrder,
  checkpoint: Checkpoint,
  leaf: number,
  leafHash: Buffer,
): readonly Buffer[] {
  const path = proveInclusion(
    readTiles(logFiles(order.folder, order.node).tiles, checkpoint.size).node,
    leaf,
    checkpoint.size,
  );
  if (rootByInclusion(leafHash, leaf, checkpoint.size, path)?.equals(checkpoint.root) === true) return path;
  throw new EvidenceFault(
    `leaf ${leaf} was changed after the log was signed, or its hashes were: run \`sigwall evidence verify ${order.folder}\``,
  );
}

/** The checkpoint that an export is proved by, with its time stamp where there is one. */
export interface ProvingCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly stamp: { readonly reply: Buffer; readonly time: string } | undefined;
}

/**
 * Chooses the first checkpoint with a time stamp that holds every leaf up to `last`, else the newest checkpoint. Throws
 * an {@link EvidenceFault} when there is no checkpoint of this key.
 */
export function chooseCheckpoint({ folder, node, key }: ExportOrder, last: number): ProvingCheckpoint {
  const files = logFiles(folder, node);
  const note = readIfThere(files.checkpoint)?.toString("utf8");
  const newest = note === undefined ? "the file is missing" : openCheckpoint(note, key);
  if (typeof newest === "string") throw new EvidenceFault(`${files.checkpoint}: ${newest}`);
  const size = stampedSizes(files.stamps).find((one) => one > last && one <= newest.size);
  const stamp = size === undefined ? undefined : readStamp(files.stamps, size, key);
  if (stamp === undefined || typeof stamp === "string") return { checkpoint: newest, stamp: undefined };
  const stamped = openCheckpoint(stamp.note.toString("utf8"), key);
  if (typeof stamped === "string") return { checkpoint: newest, stamp: undefined };
  return { checkpoint: stamped, stamp: { reply: stamp.reply, time: stamp.time } };
}

/**
 * Writes an export of blocks. Throws an {@link EvidenceFault} when a block is not proved, or `out` is not empty.
 * @param blocks those that the checkpoint holds
 */
export function writeExport(
  order: ExportOrder,
  { checkpoint, stamp }: ProvingCheckpoint,
  blocks: readonly FoundBlock[],
): void {
  const { node, key, out } = order;
  if (namesIn(out).length > 0) throw new EvidenceFault(`${out} is not empty: give another folder`);
  const proved = blocks.map((block) => {
    const hash = hashLeaf(block.bytes);
    return { block, hash, path: proveBlock(order, checkpoint, block.leaf, hash) };
  });
  makeFolder(out);
  const write = (name: string, content: string | Buffer): void =>
    writeFileThrough(join(out, name), Buffer.from(content), "wx");
  // The head of this file is none of the log: only packet blocks are leaves.
  const head = writeSegmentHead({ node, origin: `${key.name} (export)`, segment: 0, firstLeaf: 0 });
  write("evidence.pcapng", Buffer.concat([...head, ...blocks.map(({ bytes }) => bytes)]));
  write("checkpoint", checkpoint.note);
  if (stamp !== undefined) write("checkpoint.tsr", stamp.reply);
  write("public.key", `${key.line}\n`);
  const shown = proved.map(({ block, hash, path }): ShownBlock => {
    const revision = textOf(block.decision["revision"]);
    const proofFile = `leaf-${block.leaf}.tlog-proof`;
    write(proofFile, writeProof(block.leaf, path, checkpoint, revision));
    const listLine = block.decision["listLine"];
    const policy = findPolicyLine(
      order.policies,
      revision,
      typeof listLine === "string" ? listLine : undefined,
    );
    const end = order.told.endOf(block.decision);
    return { block, leafHash: hash.toString("hex"), proofFile, policy, end };
  });
  const lines = new Set([...blocks.map(({ line }) => line), ...order.told.lines]);
  write("records.ndjson", [...lines].map((line) => `${line}\n`).join(""));
  const policies = new Set(shown.map(({ policy }) => JSON.stringify(policy)));
  write("policy.ndjson", [...policies].map((line) => `${line}\n`).join(""));
  const log: ShownLog = {
    node,
    origin: checkpoint.origin,
    keyLine: key.line,
    size: checkpoint.size,
    root: checkpoint.root.toString("base64"),
    stamp: stamp === undefined ? undefined : { time: stamp.time, file: "checkpoint.tsr" },
  };
  write("index.html", writePage(log, shown));
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
