// Orders, quarantine and findings as entries for other nodes: written, and read as the readers of the state folder do.
import { Buffer } from "node:buffer";
import { detectorIds, formatSubject } from "../../domain/finding.ts";
import { LAST_MOMENT, type Millis } from "../../domain/time.ts";
import { type Fields, isFields } from "../../records/lines/line-fields.ts";
import type { KeptKind } from "../../cluster/exchange.ts";
import type { SharedFinding } from "../../screening/detectors/findings.ts";
import { endOf, type Held, keyOfHeld } from "../../state/quarantine/held.ts";
import type { LineChange } from "../../domain/line-change.ts";
import { isLineId, plainOrder, readOrder, readStamp } from "../lines/lines-document.ts";
import { readHeld, readParticipants, readSubjectOf } from "../quarantine/quarantine-journal.ts";

/** Entries of another version are not read. */
const VERSION = 1;
const MOST_ID = 64;

/** How entries of one kind are written, read and told apart. */
export interface EntryForm<Entry> {
  readonly kind: KeptKind;
  /** One entry stands under one subject. */
  readonly subjectOf: (entry: Entry) => string;
  readonly write: (entry: Entry) => Fields;
  /** @returns undefined for what is none */
  readonly read: (fields: Fields, subject: string) => Entry | undefined;
  /** From when on the entry says nothing. Unix milliseconds. */
  readonly endOf: (entry: Entry) => Millis;
  /** Differs where entries of one subject do. */
  readonly versionOf: (entry: Entry) => string;
  /** True: each node keeps what it has heard too, so that it outlives the node that began it. */
  readonly isKeptByAll: boolean;
}

export const lineForm: EntryForm<LineChange> = {
  kind: "line",
  subjectOf: ({ line }) => line,
  write: ({ stamp, order }) => ({ stamp, ...(order === undefined ? {} : { order: plainOrder(order) }) }),
  read({ stamp: written, order: given }, line) {
    const stamp = readStamp(written);
    if (stamp === undefined || stamp.node === "" || !isLineId(line)) return undefined;
    if (given === undefined) return { line, stamp, order: undefined };
    const order = readOrder(given);
    return order === undefined ? undefined : { line, stamp, order };
  },
  // That a line was opened must be known as long as a node may have the order on its disk.
  endOf: () => Infinity,
  versionOf: ({ stamp }) => `${stamp.at} ${stamp.node}`,
  isKeptByAll: true,
};

export const heldForm: EntryForm<Held> = {
  kind: "quarantine",
  subjectOf: ({ holder, subject }) => keyOfHeld(holder, subject),
  write: (held) => ({ held }),
  read({ held: written }, subject) {
    const held = readHeld(written);
    if (held === undefined || held.id.length > MOST_ID) return undefined;
    return keyOfHeld(held.holder, held.subject) === subject ? held : undefined;
  },
  endOf,
  versionOf: ({ id, changed, participants }) => `${id} ${changed ?? 0} ${participants.length}`,
  isKeptByAll: false,
};

export const findingForm: EntryForm<SharedFinding> = {
  kind: "finding",
  subjectOf: findingSubject,
  write: (finding) => ({ finding }),
  read({ finding: written }, under) {
    if (!isFields(written)) return undefined;
    const { id, profile, isEnforced, participants, ...rest } = written;
    const detector = detectorIds.find((known) => known === rest["detector"]);
    const subject = readSubjectOf(rest["subject"]);
    const [at, until] = [readMoment(rest["at"]), readMoment(rest["until"])];
    const [strength, calls] = [readMoment(rest["strength"]), readMoment(rest["calls"])];
    if (detector === undefined || subject === undefined || typeof id !== "string" || id.length > MOST_ID)
      return undefined;
    if (at === undefined || until === undefined || strength === undefined || calls === undefined)
      return undefined;
    const finding: SharedFinding = {
      id,
      detector,
      profile: typeof profile === "string" ? profile.slice(0, MOST_ID) : "",
      subject,
      at,
      until,
      strength,
      calls,
      participants: readParticipants(participants),
      isEnforced: isEnforced === true,
    };
    return findingSubject(finding) === under ? finding : undefined;
  },
  endOf: ({ until }) => until,
  versionOf: ({ id, at }) => `${id} ${at}`,
  isKeptByAll: false,
};

function findingSubject({ detector, subject }: SharedFinding): string {
  return `${detector} ${formatSubject(subject)}`;
}

/** A number from 0 to the last moment of dates. */
function readMoment(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 && value <= LAST_MOMENT ? value : undefined;
}

/** Writes an entry as octets. */
export function writeEntry<Entry>(form: EntryForm<Entry>, entry: Entry): Uint8Array {
  return Buffer.from(JSON.stringify({ version: VERSION, ...form.write(entry) }));
}

/** Reads an entry that stands under a subject. Never throws. @returns undefined for octets that are none */
export function readEntry<Entry>(
  form: EntryForm<Entry>,
  subject: string,
  bytes: Uint8Array,
): Entry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString());
  } catch {
    return undefined;
  }
  return isFields(value) && value["version"] === VERSION ? form.read(value, subject) : undefined;
}
