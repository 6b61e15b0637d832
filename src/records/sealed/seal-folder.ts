// Seals every closed hour of a records folder, and finishes what an earlier sealing left.
import { closeSync, openSync, readdirSync, readSync, rmSync, statSync } from "node:fs";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Millis } from "../../domain/time.ts";
import { HOUR, type HourFiles, listHours, openPath, sealedPath } from "./hour-files.ts";
import { readOrigin } from "./parquet-writing.ts";
import { type SealedHour, sealHour, type SealParts } from "./seal-hour.ts";
import { removeFile, settle } from "./settled-files.ts";

/** An hour is closed so long after its end. Milliseconds. */
export const CLOSED_AFTER: Millis = 5 * 60_000;

/** What happened to an hour: it was sealed, it had been sealed, or it could not be. */
export type SealOutcome =
  | ({ readonly kind: "sealed"; readonly hour: HourFiles } & SealedHour)
  | { readonly kind: "finished"; readonly hour: HourFiles }
  | { readonly kind: "failed"; readonly hour: HourFiles; readonly why: string };

/**
 * Seals the closed hours, the earliest first. An hour that fails is told, and the next one is tried. Invariant: the
 * caller holds `seal.lock`. Throws when the folder can't be read.
 *
 * @param now Unix milliseconds
 * @param told gets the outcome of each hour at once
 */
export async function sealFolder(
  parts: SealParts,
  now: Millis,
  told: (outcome: SealOutcome) => void,
): Promise<void> {
  const hours = listHours(parts.records);
  for (const folder of new Set(hours.map((hour) => hour.folder))) removeLeftovers(folder);
  for (const hour of hours) {
    if (!hour.isOpen || hour.start + HOUR + CLOSED_AFTER > now) continue;
    try {
      const stem = await findStem(parts, hour, hours);
      if (stem === undefined) {
        removeFile(openPath(hour));
        settle(hour.folder);
        told({ kind: "finished", hour });
      } else told({ kind: "sealed", hour, ...(await sealHour(parts, hour, stem)) });
    } catch (error) {
      told({ kind: "failed", hour, why: error instanceof Error ? error.message : String(error) });
    }
  }
}

/** Removes the working folders of a sealing that was killed. */
function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder))
    if (name.endsWith(".sealing")) rmSync(join(folder, name), { recursive: true, force: true });
}

/**
 * Finds the name under which the open lines of an hour are sealed. Lines that come after the sealing get a number:
 * nothing sealed is ever replaced by something else.
 *
 * @returns resolves with undefined when these lines are sealed
 */
async function findStem(
  { database }: SealParts,
  hour: HourFiles,
  hours: readonly HourFiles[],
): Promise<string | undefined> {
  const source = openPath(hour);
  const { size } = statSync(source);
  const siblings = hours.filter(
    (other) => other.folder === hour.folder && other.node === hour.node && other.start === hour.start,
  );
  for (const sibling of siblings.filter(({ isSealed }) => isSealed)) {
    const { octets, digest } = await readOrigin(database, sealedPath(sibling, "attempts"));
    if (octets < 0 || octets > size || digestOf(source, octets) !== digest) continue;
    return octets === size ? undefined : sibling.stem;
  }
  const taken = new Set(siblings.filter(({ isSealed }) => isSealed).map(({ stem }) => stem));
  let stem = hour.stem;
  for (let count = 1; taken.has(stem); count++) stem = `${hour.stem}~${count}`;
  return stem;
}

/** SHA-256 of the first octets of a file, in hex. */
function digestOf(path: string, octets: number): string {
  const hash = createHash("sha256");
  const chunk = Buffer.allocUnsafe(1 << 20);
  const file = openSync(path, "r");
  try {
    for (let left = octets; left > 0;) {
      const length = readSync(file, chunk, 0, Math.min(left, chunk.length), null);
      if (length === 0) break;
      hash.update(chunk.subarray(0, length));
      left -= length;
    }
  } finally {
    closeSync(file);
  }
  return hash.digest("hex");
}
