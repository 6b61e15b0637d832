// Keeps the line orders in the state folder: lines.json and its copy, written durably, read at the start.
import { readFileSync, renameSync, statSync } from "node:fs";
import { chown, open } from "node:fs/promises";
import { join } from "node:path";
import { isStricter, type LineId, type LineOrder } from "../../domain/line-state.ts";
import { renameDurably } from "../../records/tree/durable-writing.ts";
import type { ChangeStamp } from "../../domain/line-change.ts";
import { type KeptLines, NO_LINES, readLines, type ReadLines, writeLines } from "./lines-document.ts";

const FILE = "lines.json";
/** The same text once more: should one file be damaged, the other one holds. */
const COPY = "lines.copy.json";

/** A larger file is no file of ours. Octets. */
const MOST_OCTETS = 64 * 2 ** 20;

/** The orders that were found, and what is wrong with their files. */
export interface FoundLines extends KeptLines {
  /** What happened to the files, and what holds now. Undefined: they are sound, or there are none yet. */
  readonly trouble: string | undefined;
}

type FoundFile = ReadLines | "missing";

/**
 * Reads the orders of a state folder, and changes nothing. Never throws. Where `lines.json` is damaged or missing, every
 * order holds that can be read in it or in its copy, and of two orders for a line the stricter one.
 */
export function readKept(folder: string): FoundLines {
  const file = readFrom(join(folder, FILE));
  if (isSound(file)) return { ...file, trouble: undefined };
  const copy = readFrom(join(folder, COPY));
  if (file === "missing" && copy === "missing") return { ...NO_LINES, trouble: undefined };
  const found = mergeLines(file, copy);
  const why = file === "missing" ? "is missing" : `is damaged: ${file.damage}`;
  const holds = isSound(copy)
    ? `its copy ${COPY} holds`
    : `${COPY} is ${copy === "missing" ? "missing" : `damaged too: ${copy.damage}`}; an order that can't be read is forgotten: give it again with sigwall line`;
  const count = `${found.orders.size} order${found.orders.size === 1 ? "" : "s"} in force`;
  return { ...found, trouble: `${join(folder, FILE)} ${why}; ${holds}; ${count}` };
}

/** Reads the orders as {@link readKept} does, and sets a damaged file aside as `lines.json.damaged`. */
export function findLines(folder: string): FoundLines {
  const found = readKept(folder);
  if (found.trouble !== undefined) setAside(join(folder, FILE));
  return found;
}

function readFrom(path: string): FoundFile {
  try {
    const { size } = statSync(path);
    if (size > MOST_OCTETS) return { ...NO_LINES, damage: `it has ${size} octets` };
    return readLines(readFileSync(path, "utf8"));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    // No folder at all is told elsewhere.
    if (code === "ENOENT" || code === "ENOTDIR") return "missing";
    return {
      ...NO_LINES,
      damage: `it can't be read: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

function isSound(found: FoundFile): found is ReadLines & { readonly damage: undefined } {
  return found !== "missing" && found.damage === undefined;
}

function mergeLines(file: FoundFile, copy: FoundFile): KeptLines {
  const orders = new Map<LineId, LineOrder>();
  const sources = [copy, file].filter((found) => found !== "missing");
  const changes = new Map<LineId, ChangeStamp>(sources.flatMap((found) => [...found.changes]));
  for (const found of sources)
    for (const [line, order] of found.orders) {
      const known = orders.get(line);
      if (known !== undefined && !isStricter(order.state, known.state)) continue;
      orders.set(line, order);
      // Another node may know that the order was taken away since: its own time says so.
      changes.set(line, found.changes.get(line) ?? { at: 0, node: "" });
    }
  const [best = NO_LINES] = sources;
  return { orders, changes, states: best.states, untold: best.untold };
}

function setAside(path: string): void {
  try {
    renameSync(path, `${path}.damaged`);
  } catch {
    // It is missing, or it stays where it is until the next order is written over it.
  }
}

/**
 * Writes both files. They are on the disk when the promise resolves. Rejects with what the operating system says; then
 * `lines.json` is as it was. Runs beside calls: the writing is done by threads of the runtime.
 */
export async function keepLines(folder: string, lines: KeptLines): Promise<void> {
  const text = writeLines(lines);
  // The copy comes first: as long as lines.json is sound, it alone says what holds.
  await writeAside(folder, COPY, text);
  await writeAside(folder, FILE, text);
}

async function writeAside(folder: string, name: string, text: string): Promise<void> {
  const path = join(folder, name);
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.chmod(0o600);
    await file.sync();
  } finally {
    await file.close();
  }
  await giveToOwner(folder, temporary);
  await renameDurably(temporary, path);
}

/** A command of root leaves files that the filter can read: they belong to the owner of the folder. */
async function giveToOwner(folder: string, path: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(folder);
  if (uid !== 0) await chown(path, uid, gid);
}
