// Keeps what the clock of retention has read last, in NODE.retention, over restarts.
import { Buffer } from "node:buffer";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { Millis } from "../../domain/time.ts";
import { formatLineTime } from "../../records/lines/line-time.ts";
import { writeDurably } from "../durable-file.ts";
import { createRetentionClock } from "./retention-clock.ts";

/** The clock of retention, in the records thread. */
export interface KeptClock {
  readonly read: (wall: Millis) => Millis;
  /** Writes the last reading. Throws when it can't be written. */
  readonly keep: () => void;
  /** In words, why nothing old is deleted now; undefined: the wall clock is believed. */
  readonly doubt: (wall: Millis) => string | undefined;
}

/** Opens the clock of `node`. @param folder that of the records, else that of the evidence */
export function openKeptClock(folder: string, node: string): KeptClock {
  const path = join(folder, `${node}.retention`);
  const last = readKept(path) ?? newestDay(folder);
  const clock = createRetentionClock(last);
  let read: Millis | undefined;
  return {
    read: (wall) => (read = clock.read(wall, performance.now())),
    keep() {
      if (read !== undefined) writeDurably(path, Buffer.from(`${formatLineTime(read)}\n`));
    },
    doubt(wall) {
      if (!clock.isDoubtful() || read === undefined) return undefined;
      return `the clock says ${formatLineTime(wall)}, long after ${formatLineTime(read)}: old records and evidence are deleted when it has said so for 24 hours; set the clock right if it is wrong`;
    },
  };
}

function readKept(path: string): Millis | undefined {
  try {
    const at = Date.parse(readFileSync(path, "latin1").trim());
    return Number.isNaN(at) ? undefined : at;
  } catch {
    return undefined;
  }
}

/** The end of the newest day that the folder holds. */
function newestDay(folder: string): Millis | undefined {
  try {
    const ends = readdirSync(folder)
      .map((name) => Date.parse(`${name}T23:59:59.999Z`))
      .filter((at) => !Number.isNaN(at));
    return ends.length === 0 ? undefined : Math.max(...ends);
  } catch {
    return undefined;
  }
}
