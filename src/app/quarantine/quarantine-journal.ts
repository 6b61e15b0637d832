// Keeps the quarantine in the state folder: a journal of changes, appended durably, read and shortened at the start.
import { createHash } from "node:crypto";
import { readFileSync, renameSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import {
  detectorIds,
  type FindingSubject,
  MOST_PARTICIPANTS,
  type Participant,
} from "../../domain/finding.ts";
import { readKey } from "../../domain/number.ts";
import { LAST_MOMENT, type Millis } from "../../domain/time.ts";
import { renameDurably } from "../../records/tree/durable-writing.ts";
import { endOf, type Held, type Holder, keyOfHeld } from "../../state/quarantine/held.ts";

const FILE = "quarantine.journal";
/** A larger file is no file of ours. Octets. */
const MOST_OCTETS = 256 * 2 ** 20;

/** Entries that are written at a time. */
const PIECE = 200;

/** A change that is kept: an entry as it is from now on, or a caller that has joined a shield. */
export type JournalLine =
  | { readonly held: Held }
  | { readonly join: string; readonly participant: Participant };

/** What was found of a journal. */
export interface FoundJournal {
  /** The entries that have not ended, the oldest first. */
  readonly entries: readonly Held[];
  /** Lines of the file, one that was cut included. */
  readonly lines: number;
  /** What is wrong with the file, and what holds. Undefined: nothing. */
  readonly trouble: string | undefined;
}

export function journalPath(folder: string): string {
  return join(folder, FILE);
}

/** A line of the file: its checksum, a space, JSON. */
export function writeJournalLine(line: JournalLine): string {
  const text = JSON.stringify(line);
  return `${checksum(text)} ${text}\n`;
}

/** Reads the journal of a state folder, and changes nothing. Never throws. */
export function readJournal(folder: string, now: Millis): FoundJournal {
  const path = journalPath(folder);
  try {
    if (statSync(path).size > MOST_OCTETS) return { entries: [], lines: 0, trouble: `${path} is too large` };
    return readLines(path, readFileSync(path, "utf8"), now);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return { entries: [], lines: 0, trouble: undefined };
    const why = error instanceof Error ? error.message : String(error);
    return { entries: [], lines: 0, trouble: `${path} can't be read: ${why}` };
  }
}

/** Sets a damaged journal aside as `quarantine.journal.damaged`. */
export function setAsideJournal(folder: string): void {
  try {
    renameSync(journalPath(folder), `${journalPath(folder)}.damaged`);
  } catch {
    // It stays where it is until it is written anew.
  }
}

function readLines(path: string, text: string, now: Millis): FoundJournal {
  const entries = new Map<string, Held>();
  const keys = new Map<string, string>();
  const lines = text.split("\n");
  // Behind the last line end stands nothing, or a line that a kill has cut. What is written next must not stand behind it.
  const cut = lines.pop() === "" ? 0 : 1;
  let damaged = 0;
  for (const line of lines) {
    // A failed writing leaves an empty line behind it.
    if (line === "") continue;
    const change = readLine(line);
    if (change === undefined) damaged++;
    else if ("held" in change) {
      const key = keyOfHeld(change.held.holder, change.held.subject);
      entries.delete(key);
      entries.set(key, change.held);
      keys.set(change.held.id, key);
    } else {
      const key = keys.get(change.join);
      const held = key === undefined ? undefined : entries.get(key);
      if (key === undefined || held === undefined || held.participants.length >= MOST_PARTICIPANTS) continue;
      entries.set(key, { ...held, participants: [...held.participants, change.participant] });
    }
  }
  const trouble =
    damaged === 0
      ? undefined
      : `${path} has ${damaged} lines that can't be read; what they said is forgotten: look at sigwall quarantine list`;
  return {
    entries: [...entries.values()].filter((held) => endOf(held) > now),
    lines: lines.length + cut,
    trouble,
  };
}

function readLine(line: string): JournalLine | undefined {
  const space = line.indexOf(" ");
  const text = line.slice(space + 1);
  if (space < 0 || line.slice(0, space) !== checksum(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (!isMap(value)) return undefined;
    if (isMap(value["held"])) {
      const held = readHeld(value["held"]);
      return held === undefined ? undefined : { held };
    }
    const [participant] = readParticipants([value["participant"]]);
    const id = value["join"];
    return participant === undefined || typeof id !== "string" ? undefined : { join: id, participant };
  } catch {
    return undefined;
  }
}

/** Reads an entry as it is kept. @returns undefined for what is none */
export function readHeld(value: unknown): Held | undefined {
  if (!isMap(value)) return undefined;
  const holder = readHolder(value["holder"]);
  const subject = readSubjectOf(value["subject"]);
  const { id, profile, mark, reason, released, changed, participants } = value;
  if (holder === undefined || subject === undefined || typeof id !== "string") return undefined;
  const number = (key: string): number => {
    const written = value[key];
    return typeof written === "number" && written >= 0 && written <= LAST_MOMENT ? written : 0;
  };
  return {
    id,
    holder,
    profile: typeof profile === "string" ? profile : "",
    subject,
    since: number("since"),
    until: number("until"),
    mark: mark === "label" || mark === "withhold" ? mark : undefined,
    markUntil: number("markUntil"),
    calls: number("calls"),
    strength: number("strength"),
    ...(typeof reason === "string" ? { reason } : {}),
    ...(typeof released === "number" ? { released: number("released") } : {}),
    ...(typeof changed === "number" ? { changed: number("changed") } : {}),
    participants: readParticipants(participants),
  };
}

function readHolder(value: unknown): Holder | undefined {
  return value === "command" ? value : detectorIds.find((id) => id === value);
}

/** Reads a subject as it is kept. @returns undefined for what is none */
export function readSubjectOf(value: unknown): FindingSubject | undefined {
  if (!isMap(value)) return undefined;
  const { kind, trunk, number } = value;
  if (kind === "trunk") return typeof trunk === "string" ? { kind, trunk } : undefined;
  if (typeof number !== "string" || readKey(number) === undefined) return undefined;
  if (kind === "called") return { kind, number };
  if (kind !== "caller" && kind !== "callerBlock") return undefined;
  return typeof trunk === "string" ? { kind, trunk, number } : undefined;
}

/** Reads the callers that an entry names. What is none is left out. */
export function readParticipants(value: unknown): readonly Participant[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MOST_PARTICIPANTS).flatMap((each: unknown) => {
    if (!isMap(each)) return [];
    const { trunk, number } = each;
    return typeof trunk === "string" && typeof number === "string" ? [{ trunk, number }] : [];
  });
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checksum(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** The whole text of a journal, in pieces that are made quickly. */
export function* wholeJournal(entries: Iterable<Held>): Generator<string, void, void> {
  let text = "";
  let count = 0;
  for (const held of entries) {
    text += writeJournalLine({ held });
    if (++count % PIECE !== 0) continue;
    yield text;
    text = "";
  }
  yield text;
}

/** Writes a new journal in place of the old one. Between two pieces other work goes on. Rejects with what failed. */
export async function replaceJournal(folder: string, pieces: Iterable<string>): Promise<void> {
  const path = journalPath(folder);
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", 0o600);
  try {
    for (const piece of pieces) await file.appendFile(piece);
    await file.sync();
  } finally {
    await file.close();
  }
  await renameDurably(temporary, path);
}

/** Appends text. It is on the disk when the promise resolves. Runs beside calls: threads of the runtime write. */
export async function appendJournal(folder: string, text: string): Promise<void> {
  const file = await open(journalPath(folder), "a", 0o600);
  try {
    await file.appendFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
