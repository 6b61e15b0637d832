// The records in the call thread: puts events into the ring, counts what finds no room, and runs the thread that writes.
import { isMainThread, workerData } from "node:worker_threads";
import type { RecordsConfig } from "../../config/sigwall/records-schema.ts";
import type { CallEvent } from "../../domain/call.ts";
import type { Millis } from "../../domain/time.ts";
import type { Log } from "../../observe/log.ts";
import type { EvidenceConfig } from "../../config/sigwall/evidence-schema.ts";
import { type BudgetGap, budgetGapLine } from "../../records/evidence/evidence-budget.ts";
import { createSecondShare } from "../../records/lines/second-share.ts";
import { gapLine } from "../../records/lines/line-writer.ts";
import { makesLine, writeEvent, writeGap } from "../../records/lines/event-frames.ts";
import { FrameFlag, LONGEST_FRAME } from "../../records/lines/frame-layout.ts";
import { createFramePen } from "../../records/lines/frame-pen.ts";
import type { Records, TrunkFacts } from "../../records/lines/recording.ts";
import { createRingMemory, writeRing } from "../../state/byte-ring.ts";
import { wallNow } from "../../wire/kernel/clock.ts";
import { createEvidenceChooser, type EvidenceChoice } from "./evidence-choice.ts";
import { stateOf, takeFolders } from "./node-folders.ts";
import { createPeerPost } from "./peer-post.ts";
import {
  DURABLE,
  EVIDENCE_FAILING,
  FAILING,
  type FromRecords,
  RECORDS_CELLS,
  type RecordsThreadData,
  type ToRecords,
  WAKE,
} from "./records-messages.ts";
import { startStandingThread } from "../threads/standing-thread.ts";

/** What is kept, and where. At least one of the two is there. */
export interface KeptThings {
  readonly records: RecordsConfig | undefined;
  readonly evidence: EvidenceConfig | undefined;
}

export interface RecordsParts {
  readonly node: string;
  readonly log: Log;
  /** Octets of the ring; a power of two. */
  readonly ringOctets?: number;
}

const NO_BYTES = new Uint8Array(0);

/** The flags of a frame, by what becomes of its message. */
const flagsOf: Readonly<Record<EvidenceChoice, number>> = {
  none: 0,
  beyond: 0,
  kept: FrameFlag.evidence,
  awaited: FrameFlag.evidence | FrameFlag.wait,
};

/** Octets of the ring: some seconds of a thousand calls a second. */
const RING: number = 1 << 24;
/** The share of the ring at which the records thread is woken at once. */
const NUDGE_AT = 0.25;
/** The share of the ring beyond which no trunk gets more than {@link MOST_CROWDED}: the rest is for the others. */
const CROWDED = 0.5;
/** Events of one trunk in a second, while the ring is crowded. */
const MOST_CROWDED = 1000;
/** Time between two looks for losses that are not told yet. Milliseconds. */
const TELL_EVERY: Millis = 200;
/** At most this many messages wait for a thread. */
const MOST_MESSAGES = 4096;
/** Longest time that the end of the filter waits for the last lines. Milliseconds. */
const MOST_FAREWELL: Millis = 5000;

/**
 * Takes the folder for this node, and starts the thread. A folder that can't be written is no error: calls go on, or are
 * refused, as `onFull` says.
 *
 * @returns in words, why the filter must not start: another process writes the records of this node
 */
export function openRecords({ records, evidence }: KeptThings, parts: RecordsParts): Records | string {
  const { node, log } = parts;
  const folder = records?.folder ?? evidence?.folder ?? ".";
  const onFull = records?.onFull ?? "count";
  const folders = takeFolders(records?.folder, evidence?.folder, node);
  if (typeof folders === "string") return folders;
  const { records: linesFolder, evidence: evidenceFolder } = folders;
  const chooser = createEvidenceChooser(evidence);
  const ring = createRingMemory(parts.ringOctets ?? RING, RECORDS_CELLS);
  const { cells } = ring;
  const writer = writeRing(ring, LONGEST_FRAME);
  const pen = createFramePen(ring.octets);
  const share = createSecondShare(MOST_CROWDED);
  const peers = createPeerPost(log);
  const figures = {
    isOk: true,
    lost: 0,
    bytes: 0,
    evidence: { isOk: true, full: 0, beyond: 0, disk: 0, late: 0, peers: peers.outcomes },
  };
  let trunks: readonly TrunkFacts[] = [];
  let ticket = 0;
  let lastTicket = 0;
  let lost = 0;
  let lostFrom = 0;
  let lostTo = 0;
  /** Messages that found no room, and are not told in the log of evidence yet. */
  let full: { from: Millis; to: Millis; lost: number } | undefined;
  let starts = 0;
  let durable: (() => void) | undefined;
  let newCheckpoint: ((packed: Uint8Array) => void) | undefined;
  let isEvidenceWhole = false;
  /** What waits for a thread. */
  let waiting: ToRecords[] = [];

  function wake(): void {
    Atomics.add(cells, WAKE, 1);
    Atomics.notify(cells, WAKE);
  }

  function lose(at: Millis): void {
    figures.lost++;
    if (lost++ === 0) lostFrom = at;
    lostTo = at;
  }

  /** Tells the events that found no room, as soon as there is room. @returns false while there is none */
  function tellLost(): boolean {
    if (lost === 0) return true;
    const place = writer.begin();
    if (place < 0) return false;
    pen.moveTo(place);
    writeGap(pen, lostFrom, lostTo, lost);
    writer.commit(pen.place() - place);
    lost = 0;
    return true;
  }

  function push(event: CallEvent): void {
    if (!makesLine(event)) return;
    const choice = chooser.choose(event);
    const hasEvidence = choice === "kept" || choice === "awaited";
    lastTicket = 0;
    if (choice === "beyond") figures.evidence.beyond++;
    const at = event.kind === "shed" ? event.to : event.at;
    const trunk = event.kind === "shed" || event.kind === "request" ? event.trunk : event.call.trunk;
    const hasShare = writer.used() < CROWDED || share.take(trunk, at, writer.released());
    const place = hasShare && tellLost() ? writer.begin() : -1;
    if (place < 0) {
      lose(at);
      if (!hasEvidence) return;
      figures.evidence.full++;
      full ??= { from: at, to: at, lost: 0 };
      full.to = at;
      full.lost++;
      lastTicket = Infinity;
      return;
    }
    pen.moveTo(place);
    // What a flood says is not worth the room of its messages.
    const isSpent = choice === "beyond" && (event.kind === "decided" || event.kind === "request");
    writeEvent(pen, isSpent ? { ...event, bytes: NO_BYTES } : event, flagsOf[choice]);
    writer.commit(pen.place() - place);
    if (hasEvidence) lastTicket = ++ticket;
    if (choice === "awaited" || writer.used() > NUDGE_AT) wake();
  }

  /** Tells the messages beyond the budgets of their trunks. */
  function tellBeyond(gaps: readonly BudgetGap[]): void {
    for (const gap of gaps) send({ kind: "gap", line: budgetGapLine(gap, node), at: gap.to, lost: gap.lost });
  }

  /** Tells the messages that found no room, as soon as there is room again. */
  function tellFull(): void {
    if (full === undefined || !writer.hasRoom()) return;
    const why = "evidence: memory was full";
    const line = JSON.stringify(gapLine(node, full.to, { ...full, why }));
    send({ kind: "gap", line, at: full.to, lost: full.lost });
    full = undefined;
  }

  function hear(message: FromRecords): void {
    switch (message.kind) {
      case "durable":
        durable?.();
        break;
      case "bytes":
        figures.bytes = message.bytes;
        break;
      case "failing":
        if (figures.isOk) log.error(describeFailing(folder, onFull), { why: message.why });
        figures.isOk = false;
        break;
      case "writing":
        if (!figures.isOk) log.info(`records are written to ${folder} again`);
        figures.isOk = true;
        break;
      case "lost":
        figures.lost += message.lost;
        break;
      case "evidence":
        figures.evidence.disk += message.lost;
        if (message.why !== undefined && figures.evidence.isOk)
          log.error(describeNoEvidence(evidence?.folder ?? "", evidence?.onFull ?? "count"), {
            why: message.why,
          });
        if (message.why === undefined && !figures.evidence.isOk) log.info("evidence is written again");
        figures.evidence.isOk = message.why === undefined;
        break;
      case "checkpoint":
        log.info("evidence checkpoint", { size: message.size, root: message.root });
        newCheckpoint?.(message.packed);
        break;
      case "peer":
        peers.hear(message);
        break;
      case "trouble":
        log.warn(`evidence: ${message.what}`);
        break;
      case "clock":
        log.warn(message.why);
        break;
      case "fault":
        figures.lost++;
        log.fault(new Error(message.error));
        break;
      case "closed":
        figures.lost += message.lost;
        isEvidenceWhole = message.isEvidenceWhole;
        thread.lastWord();
        break;
    }
  }

  function send(message: ToRecords): void {
    if (!thread.post(message) && waiting.length < MOST_MESSAGES) waiting.push(message);
    wake();
  }

  const thread = startStandingThread<FromRecords, ToRecords>({
    script: new URL(import.meta.url),
    name: "records",
    dataFor: (port): RecordsThreadData => ({
      thread: "records",
      port,
      ring,
      node,
      lines: records,
      evidence,
      names: pen.names(),
      trunks,
      linesFolder: stateOf(linesFolder, starts),
      evidenceFolder: stateOf(evidenceFolder, starts++),
    }),
    hear,
    started(post) {
      for (const message of waiting.splice(0)) post(message);
      wake();
    },
    ended(why) {
      hear({ kind: "failing", why });
      Atomics.store(cells, FAILING, 1);
    },
  });
  const telling = setInterval(() => {
    tellLost();
    tellFull();
    tellBeyond(chooser.due(wallNow()));
    peers.take().forEach(send);
  }, TELL_EVERY).unref();
  return {
    happened: push,
    evidence: {
      holds: chooser.holds,
      ticket: () => lastTicket,
      // The records thread counts modulo 2^32.
      kept: () => ticket - ((ticket - Atomics.load(cells, DURABLE)) >>> 0),
    },
    onDurable: (callback) => void (durable = callback),
    onCheckpoint: (callback) => void (newCheckpoint = callback),
    keepCheckpoint: peers.keepCheckpoint,
    endedElsewhere: peers.endedElsewhere,
    note(line) {
      // The time is that of the note, not that of the writing.
      const dated = { ...line, time: line.time ?? new Date(wallNow()).toISOString() };
      send({ kind: "note", line: dated });
    },
    know(facts) {
      trunks = facts;
      send({ kind: "trunks", trunks: facts });
    },
    figures: () => figures,
    isFull: (trunk) =>
      (onFull === "refuse" &&
        (Atomics.load(cells, FAILING) === 1 ||
          !writer.hasRoom() ||
          (writer.used() >= CROWDED && share.isSpent(trunk)))) ||
      (evidence?.onFull === "refuse" && Atomics.load(cells, EVIDENCE_FAILING) === 1),
    async close() {
      clearInterval(telling);
      tellLost();
      tellFull();
      tellBeyond(chooser.rest());
      peers.take().forEach(send);
      const before = figures.lost;
      const isClosed = await thread.close({ kind: "close" }, MOST_FAREWELL);
      waiting = [];
      const isWritten = isClosed && figures.isOk && lost === 0 && figures.lost === before;
      const isProved = evidence === undefined || (isClosed && isEvidenceWhole && full === undefined);
      if (!isProved)
        log.error(
          `the last evidence could not be written to ${evidence.folder}; the next start tells it as a gap`,
        );
      if (!isWritten)
        log.error(`the last record lines could not be written to ${folder}`, {
          lost: figures.lost - before + lost,
        });
      // The lock file of an end without loss is empty: the next start sees the difference.
      if (isProved) evidenceFolder?.lock?.release();
      if (isWritten && (isProved || evidenceFolder?.isShared !== true)) linesFolder?.lock?.release();
    },
  };
}

function describeNoEvidence(folder: string, onFull: EvidenceConfig["onFull"]): string {
  const then =
    onFull === "count"
      ? "calls go on, and what finds no room in memory is counted as lost"
      : "new calls of screened trunks are refused as `overload`, but for emergency calls";
  return `evidence can't be written to ${folder}: ${then}; the filter tries again, look at the disk`;
}

function describeFailing(folder: string, onFull: RecordsConfig["onFull"]): string {
  const then =
    onFull === "count"
      ? "calls go on, and what finds no room in memory is counted as lost"
      : "new calls of screened trunks are refused as `overload`, but for emergency calls";
  return `records can't be written to ${folder}: ${then}; the filter tries again, look at the disk`;
}

function isRecordsData(value: unknown): value is RecordsThreadData {
  return typeof value === "object" && value !== null && "thread" in value && value.thread === "records";
}

if (!isMainThread && isRecordsData(workerData)) {
  const { serveRecords } = await import("./serve-records.ts");
  serveRecords(workerData);
}
