// Opens the quarantine of a running filter: read from its state folder, written behind the calls, looked at every second.
import { createHash } from "node:crypto";
import type { Millis } from "../../domain/time.ts";
import type { Log } from "../../observe/log.ts";
import type { Policy } from "../../policy/policy.ts";
import type { FindingInForce } from "../../screening/detectors/findings.ts";
import type { ScreeningState } from "../../screening/state.ts";
import {
  appendJournal,
  type JournalLine,
  readJournal,
  replaceJournal,
  setAsideJournal,
  wholeJournal,
  writeJournalLine,
} from "./quarantine-journal.ts";
import { createFewNotes } from "./few-notes.ts";
import { type FindingNote, logSubject } from "./quarantine-lines.ts";
import { createQuarantine, type Quarantine } from "./quarantine.ts";

export interface OpenQuarantineParts {
  /** The state folder; `why` says why nothing can be kept there. `epoch` is part of the ids. */
  readonly folder: { readonly path: string; readonly why: string | undefined; readonly epoch: number };
  /** Part of the ids, where other nodes tell theirs too: the name of this node. Left out: it is alone. */
  readonly node?: string;
  readonly state: ScreeningState;
  readonly policy: () => Policy;
  readonly findings: () => Iterable<FindingInForce>;
  /** Takes each order, for the records. */
  readonly note: (line: FindingNote) => void;
  readonly log: Log;
  readonly fault: (error: unknown) => void;
}

/** The quarantine of a running filter. */
export interface OpenedQuarantine extends Pick<
  Quarantine,
  "take" | "join" | "order" | "list" | "policyChanged" | "counts" | "shared"
> {
  /** False: an entry may be missing, or a restart forgets entries. */
  readonly isKept: () => boolean;
  /** Gives a finding its id. */
  readonly nameFinding: () => string;
  readonly close: () => Promise<void>;
}

/** How often entries are looked at that have ended. The rule itself is exact. Milliseconds. */
const LOOK_INTERVAL: Millis = 1000;
/** When a writing that failed is tried again. Milliseconds. */
const RETRY_AFTER: Millis = 5000;
/** A journal of so many lines beyond its entries is shortened. */
const MOST_SPARE = 50_000;
/** Time between two alarms that there is no room. Milliseconds. */
const ALARM_INTERVAL: Millis = 60_000;
/** Characters that the name of a node gives to ids. */
const NODE_LETTERS = 4;

/** Reads what was kept, and puts it in force. The log tells a damaged file. */
export function openQuarantine(parts: OpenQuarantineParts): OpenedQuarantine {
  const { folder, state, policy, log, fault } = parts;
  const table = state.quarantine;
  const found =
    folder.why === undefined
      ? readJournal(folder.path, wallClock())
      : { entries: [], lines: 0, trouble: undefined };
  if (found.trouble !== undefined) {
    log.error(`quarantine: ${found.trouble}`);
    setAsideJournal(folder.path);
  }
  const prefix = prefixOf(folder.epoch, parts.node);
  /** What was lost with the file is missing until an operator has looked and ordered. */
  let isDamaged = found.trouble !== undefined;
  let isKept = folder.why === undefined;
  let findings = 0;
  let orders = 0;
  let alarmed = -Infinity;
  let told = 0;

  /** Text that is not being written yet, and who waits for it. */
  let pending = "";
  let waiting: { readonly done: () => void; readonly failed: (error: unknown) => void }[] = [];
  let writing: Promise<void> | undefined;
  let lines = found.lines;
  /** The next writing writes every entry: the file is long, or has lines that were cut. */
  let isWhole = found.lines > 0 || isDamaged;

  async function write(): Promise<void> {
    while (pending !== "" || isWhole) {
      const [text, waiters, whole] = [pending, waiting, isWhole];
      pending = "";
      waiting = [];
      isWhole = false;
      try {
        if (whole) {
          const held = [...table.entries()].map((entry) => entry.held);
          await replaceJournal(folder.path, wholeJournal(held));
          lines = held.length;
        } else {
          await appendJournal(folder.path, text);
          lines += text.split("\n").length - 1;
        }
        isKept = true;
        for (const { done } of waiters) done();
        if (lines > table.count + MOST_SPARE) isWhole = true;
      } catch (error) {
        // A part of a line may be in the file.
        isKept = false;
        isWhole = true;
        for (const { failed } of waiters) failed(error);
        setTimeout(start, RETRY_AFTER).unref();
        return;
      }
    }
  }

  function start(): void {
    writing ??= write().finally(() => {
      writing = undefined;
      if (pending !== "") start();
    });
  }

  /** What comes while one writing is under way is the next one's. */
  async function settled(): Promise<void> {
    if (writing === undefined) return;
    await writing;
    await settled();
  }

  function keep(line: JournalLine): Promise<void> {
    pending += writeJournalLine(line);
    return new Promise((done, failed) => {
      waiting.push({ done, failed });
      start();
    });
  }

  // A node that starts hears all of them at once.
  const few = createFewNotes(log);
  const quarantine = createQuarantine({
    table,
    kept: found.entries,
    policy,
    now: wallClock,
    keep,
    unkept: () =>
      folder.why === undefined ? undefined : `the state folder ${folder.path} can't be used: ${folder.why}`,
    note(line) {
      noteInLog(log, line);
      parts.note(line);
    },
    heard(line, from) {
      if (few.hasRoom(wallClock(), "quarantine orders")) noteInLog(log, line, from);
    },
    findings: parts.findings,
    name: () => `o${prefix}-${++orders}`,
    fault,
  });
  if (isWhole) start();

  function look(): void {
    quarantine.tick();
    if (table.full === told || wallClock() - alarmed < ALARM_INTERVAL) return;
    log.error("the quarantine is full: findings bind nobody until entries end or are released", {
      entries: table.count,
      lost: table.full - told,
    });
    told = table.full;
    alarmed = wallClock();
  }
  const timer = setInterval(look, LOOK_INTERVAL);
  return {
    ...quarantine,
    async order(request) {
      const answer = await quarantine.order(request);
      if (answer.result === "taken") isDamaged = false;
      return answer;
    },
    isKept: () => isKept && !isDamaged,
    nameFinding: () => `f${prefix}-${++findings}`,
    async close() {
      clearInterval(timer);
      await settled();
    },
  };
}

const wallClock = (): Millis => Date.now();

/** Two processes that began in the same second give other ids, unless their nodes have one name. */
function prefixOf(epoch: number, node: string | undefined): string {
  const started = epoch.toString(36);
  if (node === undefined) return started;
  return (
    started + createHash("sha256").update(node).digest().readUInt32BE().toString(36).slice(0, NODE_LETTERS)
  );
}

/**
 * Writes an order to the log. Reasons may hold numbers of people: the records have them.
 *
 * @param from the node that took the order. Left out: this one
 */
function noteInLog(log: Log, { id, order, detector, subject, until }: FindingNote, from?: string): void {
  log.info("quarantine order", {
    order: order ?? "",
    finding: id ?? "",
    detector,
    ...logSubject(subject),
    until,
    ...(from === undefined ? {} : { node: from }),
  });
}
