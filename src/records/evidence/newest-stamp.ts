// Stamps the newest checkpoint of an evidence log, and says when the last stamp was kept.
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Millis } from "../../domain/time.ts";
import { readIfThere } from "../tree/durable-writing.ts";
import { openCheckpoint, readKeyLine } from "../tree/signed-note.ts";
import { stampCheckpoint, stampedSizes } from "../tree/stamp-files.ts";
import { messageOf } from "./evidence-fault.ts";
import { logFiles } from "./log-files.ts";

/**
 * `stamped`: `size` leaves have a stamp now. `same`: the newest checkpoint has one already. `none`: the log has no
 * checkpoint yet. `failed`: `why` says in words what an operator can act on.
 */
export type StampOutcome =
  | { readonly kind: "stamped"; readonly size: number }
  | { readonly kind: "same" | "none" }
  | { readonly kind: "failed"; readonly why: string };

/** Asks the authority at `url` for a stamp of the newest checkpoint of a node. Rejects never. */
export async function stampNewest(folder: string, node: string, url: string): Promise<StampOutcome> {
  const files = logFiles(folder, node);
  try {
    const note = readIfThere(files.checkpoint)?.toString("utf8");
    const line = readIfThere(files.publicKey)?.toString("utf8");
    if (note === undefined || line === undefined) return { kind: "none" };
    const key = readKeyLine(line);
    if (typeof key === "string") return { kind: "failed", why: `${files.publicKey}: ${key}` };
    const checkpoint = openCheckpoint(note, key);
    if (typeof checkpoint === "string") return { kind: "failed", why: `${files.checkpoint}: ${checkpoint}` };
    if (stampedSizes(files.stamps).includes(checkpoint.size)) return { kind: "same" };
    const why = await stampCheckpoint(url, files.stamps, checkpoint);
    return why === undefined ? { kind: "stamped", size: checkpoint.size } : { kind: "failed", why };
  } catch (error) {
    return { kind: "failed", why: messageOf(error) };
  }
}

/** When the last stamp of a node was kept. Unix milliseconds; undefined: there is none, or nobody knows. */
export function lastStamped(folder: string, node: string): Millis | undefined {
  const { stamps } = logFiles(folder, node);
  try {
    const size = stampedSizes(stamps).at(-1);
    return size === undefined ? undefined : statSync(join(stamps, `${size}.tsr`)).mtimeMs;
  } catch {
    return undefined;
  }
}
