// Keeps who answered whom in a file of the state folder, under a checksum.
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Millis } from "../../domain/time.ts";
import { type AnsweredPairs, forgetOld } from "../../state/quarantine/answered-pairs.ts";
import { writeDurably } from "../durable-file.ts";
import { describeFailure } from "../read-file.ts";

const MAGIC = Buffer.from("SWANSW01");
const DIGEST = 32;
/** The secret of the filter, at the head of its memory. */
const SECRET = 8;

/** Forgets what is old, and writes the file. Runs in another thread than calls. Throws what the operating system says. */
export function keepAnswered(path: string, shared: SharedArrayBuffer, at: Millis): void {
  forgetOld(shared, at);
  // Copied first: calls write on, and the checksum must fit.
  const content = Buffer.concat([MAGIC, Buffer.from(new Uint8Array(shared).slice())]);
  const digest = createHash("sha256").update(content).digest();
  writeDurably(path, Buffer.concat([content, digest]));
}

/** @returns why the file can't be read; undefined: it was taken, or there is none */
export function restoreAnswered(path: string, pairs: AnsweredPairs): string | undefined {
  let octets: Buffer;
  try {
    octets = readFileSync(path);
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    return isMissing ? undefined : describeFailure(error);
  }
  const cells = octets.length - MAGIC.length - SECRET - DIGEST;
  if (!octets.subarray(0, MAGIC.length).equals(MAGIC) || cells < 1 || (cells & (cells - 1)) !== 0)
    return "it is no such file";
  const content = octets.subarray(0, -DIGEST);
  if (!createHash("sha256").update(content).digest().equals(octets.subarray(-DIGEST)))
    return "it was cut or changed after it was written";
  const head = MAGIC.length;
  pairs.restore([content.readInt32LE(head), content.readInt32LE(head + 4)], content.subarray(head + SECRET));
  return undefined;
}
