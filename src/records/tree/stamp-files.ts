// Asks a time stamping authority for stamps of checkpoints, keeps its replies by tree size, and checks those kept.
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { readdirSync } from "node:fs";
import { codeOf, makeFolder, readIfThere, replaceFile } from "./durable-writing.ts";
import { type Checkpoint, type NoteKey, openCheckpoint } from "./signed-note.ts";
import { queryType, readTimeStampReply, replyType, writeTimeStampQuery } from "./time-stamp.ts";

/** Longest reply that is read. */
const MOST_REPLY = 65_536;
/** Longest time for a reply. Milliseconds. */
const PATIENCE = 10_000;

/** The name of the files of a checkpoint: SIZE.checkpoint is what was stamped, SIZE.tsr is the reply. */
function stampPath(folder: string, size: number, end: "checkpoint" | "tsr"): string {
  return join(folder, `${size}.${end}`);
}

/**
 * Asks the authority at `url` for a stamp of a checkpoint, and keeps the reply in `folder`.
 * Rejects never. @returns in words why there is no stamp, or undefined
 */
export async function stampCheckpoint(
  url: string,
  folder: string,
  checkpoint: Checkpoint,
): Promise<string | undefined> {
  const message = Buffer.from(checkpoint.note);
  const query = writeTimeStampQuery(message);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": queryType, Accept: replyType },
      body: new Uint8Array(query.bytes),
      redirect: "error",
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (!response.ok) return `${url}: no time stamp: HTTP status ${response.status}`;
    const reply = await readBody(response);
    if (reply === undefined) return `${url}: no time stamp: the reply is longer than ${MOST_REPLY} octets`;
    const stamp = readTimeStampReply(reply, message);
    if (typeof stamp === "string") return `${url}: ${stamp}`;
    if (stamp.nonce?.equals(query.nonce) !== true)
      return `${url}: the time stamp is an answer to another request`;
    makeFolder(folder);
    replaceFile(stampPath(folder, checkpoint.size, "checkpoint"), message);
    replaceFile(stampPath(folder, checkpoint.size, "tsr"), reply);
    return undefined;
  } catch (error) {
    return `${url}: no time stamp: ${describe(error)}`;
  }
}

/** Reads a reply of a bounded length. @returns undefined for a longer one */
async function readBody(response: Response): Promise<Buffer | undefined> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response.body ?? []) {
    size += piece.length;
    if (size > MOST_REPLY) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

/** The tree sizes that have a stamp, the smallest first. */
export function stampedSizes(folder: string): readonly number[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d+\.tsr$/.test(name))
      .map((name) => Number.parseInt(name, 10))
      .toSorted((a, b) => a - b);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

/** A stamp with the checkpoint that it is of. */
export interface KeptStamp {
  readonly size: number;
  readonly note: Buffer;
  readonly reply: Buffer;
  /** As the authority writes it: `20261130120000Z`. */
  readonly time: string;
}

/** Reads a stamp that is kept. @returns in words what is wrong */
export function readStamp(folder: string, size: number, key: NoteKey): KeptStamp | string {
  const note = readIfThere(stampPath(folder, size, "checkpoint"));
  const path = stampPath(folder, size, "tsr");
  const reply = readIfThere(path);
  if (note === undefined || reply === undefined) return `${path}: the stamp or its checkpoint is missing`;
  const checkpoint = openCheckpoint(note.toString("utf8"), key);
  if (typeof checkpoint === "string") return `${stampPath(folder, size, "checkpoint")}: ${checkpoint}`;
  if (checkpoint.size !== size)
    return `${path}: the checkpoint beside it is one of ${checkpoint.size} leaves`;
  const stamp = readTimeStampReply(reply, note);
  return typeof stamp === "string" ? `${path}: ${stamp}` : { size, note, reply, time: stamp.time };
}

/** Checks every stamp of a folder. @returns how many fit their checkpoint */
export function verifyStamps(folder: string, key: NoteKey, fault: (what: string) => void): number {
  let right = 0;
  for (const size of stampedSizes(folder)) {
    const stamp = readStamp(folder, size, key);
    if (typeof stamp === "string") fault(stamp);
    else right += 1;
  }
  return right;
}
