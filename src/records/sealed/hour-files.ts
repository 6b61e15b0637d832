// The files of a records folder, hour by hour: what is open, what is sealed.
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import type { Millis } from "../../domain/time.ts";
import type { TableName } from "./record-columns.ts";

/** The lines of one node in one hour. */
export interface HourFiles {
  /** Path of the day's folder. */
  readonly folder: string;
  /** `2026-11-30`, UTC. */
  readonly day: string;
  /** `HH-NODE`; `HH-NODE~1` holds lines that came after the hour was sealed. */
  readonly stem: string;
  readonly node: string;
  /** The first moment of the hour. Unix milliseconds. */
  readonly start: Millis;
  readonly isOpen: boolean;
  readonly isSealed: boolean;
  /** Why the sealed file can't be used, though it is there. */
  readonly damage: string | undefined;
}

export const HOUR: Millis = 3_600_000;

/** Whether the lines of an hour are read: a reader that meets its lines and its tables takes the tables. */
export function isReadOpen({ isOpen, isSealed }: HourFiles): boolean {
  return isOpen && !isSealed;
}

/** The node of a command that was run has this in front of the host: it has lines of kind `access` alone. */
export const COMMAND_NODE = "console@";

export function isOfCommand(node: string): boolean {
  return node.startsWith(COMMAND_NODE);
}

const dayPattern = /^\d{4}-\d{2}-\d{2}$/;
const filePattern = /^((\d{2})-(.+?)(~\d+)?)\.(ndjson|attempts\.parquet)$/;

/** Path of a table of a sealed hour. */
export function sealedPath({ folder, stem }: Pick<HourFiles, "folder" | "stem">, table: TableName): string {
  return join(folder, `${stem}.${table}.parquet`);
}

/** Path of the lines of an open hour. */
export function openPath({ folder, stem }: Pick<HourFiles, "folder" | "stem">): string {
  return join(folder, `${stem}.ndjson`);
}

/** Path of the lines of an hour that could not be read. */
export function badPath({ folder, stem }: Pick<HourFiles, "folder" | "stem">): string {
  return join(folder, `${stem}.bad`);
}

/**
 * Lists the hours that touch a span of time, the earliest first. Files of other names are left alone. Throws when the
 * folder can't be read.
 *
 * @param from first moment, inclusive
 * @param to last moment, exclusive
 */
export function listHours(records: string, from: Millis = 0, to: Millis = Infinity): readonly HourFiles[] {
  return readdirSync(records, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .filter((day) => dayPattern.test(day) && touches(day, from, to))
    .toSorted()
    .flatMap((day) => listDay(join(records, day), day))
    .filter(({ start }) => start < to && start + HOUR > from);
}

function touches(day: string, from: Millis, to: Millis): boolean {
  const start = Date.parse(day);
  return start < to && start + 24 * HOUR > from;
}

function listDay(folder: string, day: string): readonly HourFiles[] {
  const stems = new Map<string, { node: string; start: Millis; isOpen: boolean; isSealed: boolean }>();
  for (const name of readdirSync(folder)) {
    const [, stem = "", hour = "", node = "", , kind = ""] = filePattern.exec(name) ?? [];
    if (stem === "" || Number(hour) > 23) continue;
    const known = stems.get(stem) ?? {
      node,
      start: Date.parse(day) + Number(hour) * HOUR,
      isOpen: false,
      isSealed: false,
    };
    if (kind === "ndjson") known.isOpen = true;
    else known.isSealed = true;
    stems.set(stem, known);
  }
  return [...stems]
    .map(([stem, known]) => {
      const damage = known.isSealed ? findDamage({ folder, stem }) : undefined;
      return { folder, day, stem, ...known, isSealed: known.isSealed && damage === undefined, damage };
    })
    .toSorted((a, b) => a.start - b.start || (a.stem < b.stem ? -1 : 1));
}

/** Tells whether a Parquet file is a part of one. A whole file begins and ends with the same four letters. */
function findDamage(hour: Pick<HourFiles, "folder" | "stem">): string | undefined {
  for (const table of ["attempts", "endings", "others"] as const) {
    const path = sealedPath(hour, table);
    if (!existsSync(path)) return `${path} is missing`;
    const file = openSync(path, "r");
    try {
      const { size } = fstatSync(file);
      const ends = Buffer.alloc(8);
      readSync(file, ends, 0, 4, 0);
      readSync(file, ends, 4, 4, Math.max(size - 4, 0));
      if (size < 12 || ends.toString("latin1") !== "PAR1PAR1") return `${path} is no whole Parquet file`;
    } finally {
      closeSync(file);
    }
  }
  return undefined;
}
