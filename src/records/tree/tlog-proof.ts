// The proof that one block is in the log, as a text that stands by itself (C2SP tlog-proof).
import { Buffer } from "node:buffer";
import { rootByInclusion } from "./tree-proofs.ts";
import { type Checkpoint, type NoteKey, openCheckpoint } from "./signed-note.ts";

// Source: c2sp.org/tlog-proof (version 1 of the format). The extra data is the revision of the policy; it is not signed.

const FIRST_LINE = "c2sp.org/tlog-proof@v1";

/** Writes a proof. @param extra the policy revision; "" for none */
export function writeProof(
  leaf: number,
  path: readonly Buffer[],
  checkpoint: Checkpoint,
  extra: string,
): string {
  return [
    FIRST_LINE,
    ...(extra === "" ? [] : [`extra ${Buffer.from(extra).toString("base64")}`]),
    `index ${leaf}`,
    ...path.map((hash) => hash.toString("base64")),
    "",
    checkpoint.note,
  ].join("\n");
}

/** What a proof says when it holds. */
export interface ProvedLeaf {
  readonly leaf: number;
  readonly checkpoint: Checkpoint;
  readonly extra: string;
}

/**
 * Checks a proof of the leaf with the hash `leafHash`.
 * @returns in words why it does not hold
 */
export function checkProof(text: string, leafHash: Buffer, key: NoteKey): ProvedLeaf | string {
  const split = text.indexOf("\n\n");
  const [first, ...lines] = text.slice(0, Math.max(split, 0)).split("\n");
  if (split < 0 || first !== FIRST_LINE) return `no proof: expected ${FIRST_LINE} in the first line`;
  const extra = lines[0]?.startsWith("extra ") === true ? lines.shift()!.slice("extra ".length) : "";
  const index = lines.shift() ?? "";
  const leaf = Number(index.slice("index ".length));
  if (!index.startsWith("index ") || !Number.isSafeInteger(leaf) || `index ${leaf}` !== index)
    return "no proof: the index of the leaf is missing";
  const checkpoint = openCheckpoint(text.slice(split + 2), key);
  if (typeof checkpoint === "string") return checkpoint;
  const path = lines.map((line) => Buffer.from(line, "base64"));
  const root = rootByInclusion(leafHash, leaf, checkpoint.size, path);
  if (root === undefined || !root.equals(checkpoint.root))
    return `the path of leaf ${leaf} does not lead to the root of the checkpoint`;
  return { leaf, checkpoint, extra: Buffer.from(extra, "base64").toString("utf8") };
}
