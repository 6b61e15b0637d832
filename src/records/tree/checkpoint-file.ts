// Reads the file with every checkpoint of a log, which may be long, and finds where its last whole checkpoint ends.
import { Buffer } from "node:buffer";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { codeOf } from "./durable-writing.ts";
import { type Checkpoint, type NoteKey, openCheckpoint } from "./signed-note.ts";

/** A note of the file. */
export interface PlacedNote {
  readonly note: string;
  /** Octets before the note, and up to its end. */
  readonly from: number;
  readonly to: number;
}

const CHUNK = 2 ** 20;
const NEWLINE = 10;
const dash = Buffer.from("— ");

/**
 * Gives the notes of a file, from octet `from` on. What is left at the end without a signature line is given as it is.
 * A missing file has none.
 */
export function* readNotes(path: string, from = 0): Generator<PlacedNote> {
  const file = openIfThere(path);
  if (file === undefined) return;
  try {
    let note: Buffer[] = [];
    let start = from;
    let at = from;
    let isSigned = false;
    for (const line of readLines(file, from)) {
      const isSignature = line.subarray(0, dash.length).equals(dash);
      if (isSigned && !isSignature) {
        yield { note: Buffer.concat(note).toString("utf8"), from: start, to: at };
        note = [];
        start = at;
        isSigned = false;
      }
      isSigned ||= isSignature;
      note.push(Buffer.from(line));
      at += line.length;
    }
    if (note.length > 0) yield { note: Buffer.concat(note).toString("utf8"), from: start, to: at };
  } finally {
    closeSync(file);
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Gives lines with their newline. A line of more than 1 MiB is given in pieces. */
function* readLines(file: number, from: number): Generator<Buffer> {
  const buffer = Buffer.alloc(2 * CHUNK);
  let held = 0;
  let position = from;
  for (;;) {
    const got = readSync(file, buffer, held, CHUNK, position);
    position += got;
    held += got;
    let at = 0;
    for (let end = buffer.indexOf(NEWLINE, at); end >= 0 && end < held; end = buffer.indexOf(NEWLINE, at)) {
      yield buffer.subarray(at, end + 1);
      at = end + 1;
    }
    if (held - at >= CHUNK || (got === 0 && held > at)) {
      yield buffer.subarray(at, held);
      at = held;
    }
    if (got === 0) return;
    buffer.copy(buffer, 0, at, held);
    held -= at;
    buffer.fill(0, held);
  }
}

/** The newest checkpoint of a file. */
export interface LastCheckpoint {
  readonly checkpoint: Checkpoint | undefined;
  /** Octets up to the end of this checkpoint. */
  readonly end: number;
  /** Octets behind it: a checkpoint that was not written to its end. */
  readonly torn: number;
}

/** Octets of the end of the file that are looked at. */
const TAIL = 65_536;

/** Finds the last checkpoint in the file that `key` has signed. */
export function findLastCheckpoint(path: string, key: NoteKey): LastCheckpoint {
  const file = openIfThere(path);
  if (file === undefined) return { checkpoint: undefined, end: 0, torn: 0 };
  const { size } = fstatSync(file);
  const tail = Buffer.alloc(Math.min(size, TAIL));
  readSync(file, tail, 0, tail.length, size - tail.length);
  closeSync(file);
  // In the middle of the file the first whole note begins behind a line that is no signature.
  const skipped = tail.length < size ? tail.indexOf(`\n${key.name}\n`) + 1 : 0;
  let found: LastCheckpoint = { checkpoint: undefined, end: 0, torn: size };
  for (const { note, to } of readNotes(path, size - tail.length + skipped)) {
    const checkpoint = openCheckpoint(note, key);
    if (typeof checkpoint !== "string") found = { checkpoint, end: to, torn: size - to };
  }
  return found;
}
