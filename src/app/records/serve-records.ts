// The body of the records thread: takes events out of the ring, and writes them until it is told to close.
import { Buffer } from "node:buffer";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { receiveMessageOnPort } from "node:worker_threads";
import type { Millis } from "../../domain/time.ts";
import { openPeerCheckpoints, packCheckpoint, peersFolder } from "../../records/peers/peer-checkpoints.ts";
import { formatLineTime } from "../../records/lines/line-time.ts";
import { createLineWriter, type LineWriter } from "../../records/lines/line-writer.ts";
import { deleteOldDays, sumOctets } from "../../records/lines/record-days.ts";
import type { NoteLine } from "../../records/lines/record-line.ts";
import type { HeardCheckpoint, TrunkFacts } from "../../records/lines/recording.ts";
import { cutTornLines } from "../../records/lines/torn-lines.ts";
import { wallNow } from "../../wire/kernel/clock.ts";
import { type FolderLock, lockFile } from "../../records/sealed/folder-lock.ts";
import { describeFailure } from "../read-file.ts";
import { createEvidenceWriting, type EvidenceWriting } from "./evidence-writing.ts";
import { openKeptClock } from "./kept-clock.ts";
import { createOpenCalls } from "./open-calls.ts";
import { createRecordsPriority } from "./records-priority.ts";
import {
  DURABLE,
  EVIDENCE_FAILING,
  FAILING,
  type FromRecords,
  type RecordsThreadData,
  RELEASED,
  type ToRecords,
  UNTOLD_LINES,
  WAITING_LINES,
  WAKE,
} from "./records-messages.ts";

/** How long lines wait for others to be written with. Milliseconds. A killed process loses the lines of this time. */
const PAUSE: Millis = 100;
/** Refusals that come within this time of a wait for the disk wait for the next one together. Milliseconds. */
const GROUP: Millis = 2;
/** Time between two tries while nothing can be written. Milliseconds. */
const RETRY: Millis = 200;
/** Time between two looks at old days and at the size of the folder. Milliseconds. */
const HOURLY: Millis = 3_600_000;
/** Time between two messages about the size. Milliseconds. */
const TOLD_EVERY: Millis = 1000;
/** Longest time for the last lines of the process. Milliseconds. */
const MOST_FAREWELL: Millis = 2000;
/** At most this many lines that no call makes wait while nothing can be written. */
const MOST_NOTES = 4096;
/** Why nothing could be written, for the thread after one that has ended. */
const ENDED = "the thread before this one has ended";

/** Serves until the call thread says `close`. Blocks its thread: nothing else runs there. */
export function serveRecords(data: RecordsThreadData): void {
  const { port, ring, node } = data;
  const kept = data.lines;
  const { cells } = ring;
  const send = (message: FromRecords): void => port.postMessage(message, []);
  const lessees = new Map<string, string | undefined>();
  const notes: NoteLine[] = [];
  let lostNotes = 0;
  let whyLost = "the records thread did not keep up";
  // A thread before this one may have ended while it could not write.
  let failure = Atomics.load(cells, FAILING) === 1 ? ENDED : undefined;
  let closeBy: Millis | undefined;
  let isReady = false;
  /** The lock of the node, where the call thread could not take it because the folder could not be written. */
  let lock: FolderLock | undefined;
  let tickets = Atomics.load(cells, RELEASED);
  const clock = openKeptClock(kept?.folder ?? data.evidence?.folder ?? ".", node);
  let doubt: string | undefined;
  let clockKept = -Infinity;
  let looked = -Infinity;
  let told = -Infinity;
  /** True while somebody waits for evidence that the disk has refused. */
  let isLate = false;
  /** True when answers have waited for this turn. */
  let wasAwaited = false;
  let base = 0;
  let writer: LineWriter | undefined;
  const open = kept === undefined ? undefined : createOpenCalls(kept.folder, node);
  let evidenceFailure = Atomics.load(cells, EVIDENCE_FAILING) === 1 ? ENDED : undefined;
  let evidenceLost = 0;
  const evidence =
    data.evidence === undefined
      ? undefined
      : createEvidenceWriting({
          config: data.evidence,
          node,
          ...data.evidenceFolder,
          checkpoint: ({ size, root, note: signed }, keyLine) =>
            send({
              kind: "checkpoint",
              size,
              root: Buffer.from(root).toString("base64"),
              packed: packCheckpoint(keyLine, signed),
            }),
          trouble: (what) => send({ kind: "trouble", what }),
        });

  const peers =
    data.evidence === undefined ? undefined : openPeerCheckpoints(peersFolder(data.evidence.folder));

  function note(line: NoteLine): void {
    if (notes.length < MOST_NOTES) notes.push(line);
    else lostNotes++;
  }

  const setPriority = createRecordsPriority(data.evidence, (what) => send({ kind: "trouble", what }));

  function know(trunks: readonly TrunkFacts[]): void {
    setPriority(trunks);
    lessees.clear();
    for (const { id, lessee } of trunks) lessees.set(id, lessee);
    open?.know(trunks);
  }

  function takeMessages(): void {
    for (let got = receiveMessageOnPort(port); got !== undefined; got = receiveMessageOnPort(port)) {
      const message: ToRecords = got.message;
      if (message.kind === "note") note(message.line);
      else if (message.kind === "trunks") know(message.trunks);
      else if (message.kind === "peers") message.heard.forEach(keepPeer);
      else if (message.kind === "ended-elsewhere") for (const id of message.ids) open?.endedElsewhere(id);
      else if (message.kind === "gap") takeGap(message.line, message.at, message.lost);
      else closeBy ??= performance.now() + MOST_FAREWELL;
    }
  }

  /** Keeps the checkpoint of another node. A disk that fails is told: the next checkpoint comes soon. */
  function keepPeer(heard: HeardCheckpoint): void {
    if (peers === undefined) return;
    const { node: peer } = heard;
    try {
      const outcome = peers.take(heard, wallNow());
      if (outcome !== "known") send({ kind: "peer", node: peer, outcome, why: "" });
    } catch (error) {
      send({ kind: "peer", node: peer, outcome: "disk", why: describeFailure(error) });
    }
  }

  /** Takes a line that the evidence log has, or is to have. */
  function takeGap(line: string, at: Millis, lost: number): void {
    evidence?.gap(line, at, lost);
    noteText(line);
  }

  function noteText(line: string): void {
    const read: NoteLine = JSON.parse(line);
    note(read);
  }

  /** Makes the folder ready before the first line. Throws when it can't be written. */
  function prepareFolder(folder: string): void {
    const now = wallNow();
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!data.linesFolder.isLocked) {
      const taken = lock ?? lockFile(join(folder, `${node}.lock`));
      if (typeof taken === "string") throw new Error(`${taken} writes the records of node ${node} there`);
      lock = taken;
    }
    const { torn, last = now } = cutTornLines(folder, node);
    if (data.linesFolder.isAfterKill || torn > 0)
      note(gapNote(Math.min(last, now), now, torn, whyKilled(torn)));
    open?.load();
  }

  /** Throws while the folder can't be written. */
  function makeReady(): void {
    if (isReady) return;
    if (kept !== undefined) prepareFolder(kept.folder);
    isReady = true;
  }

  /** Tells the lines that a thread before this one has taken out of the ring and not written. */
  function tellBuried(): void {
    const buried = Atomics.exchange(cells, WAITING_LINES, 0);
    const lost = buried + Atomics.exchange(cells, UNTOLD_LINES, 0);
    if (buried > 0) send({ kind: "lost", lost: buried });
    if (lost > 0) note(gapNote(wallNow(), wallNow(), lost, `nothing could be written: ${ENDED}`));
  }

  function createWriter(): LineWriter {
    return createLineWriter({
      ring,
      node,
      folder: kept?.folder,
      keep: evidence?.append,
      ready: makeReady,
      names: data.names,
      lesseeOf: (trunk) => lessees.get(trunk),
      whyLost: () => whyLost,
      lived: (life) => open?.take(life),
      fault(error) {
        const at = wallNow();
        note(gapNote(at, at, 1, "the line could not be made: a fault of the filter"));
        send({
          kind: "fault",
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
      },
    });
  }

  /** Reads the clock of retention, keeps it, and tells a doubt once. */
  function readClock(now: Millis): Millis {
    const believed = clock.read(now);
    const why = clock.doubt(now);
    if (why !== undefined && doubt === undefined) send({ kind: "clock", why });
    doubt = why;
    if (performance.now() - clockKept >= HOURLY && isReady) {
      clockKept = performance.now();
      keepClock();
    }
    return believed;
  }

  function keepClock(): void {
    try {
      clock.keep();
    } catch {
      // The folder can't be written: it is told, and tried again in an hour.
    }
  }

  /** What is due once an hour: old days, and the size of the folder. */
  function look(now: Millis, believed: Millis): void {
    if (kept === undefined || (now - looked < HOURLY && now >= looked)) return;
    const { folder, keepDays } = kept;
    looked = now;
    for (const day of deleteOldDays(folder, node, keepDays, believed))
      note({ record: "deleted", ...day, why: "retention", keepDays });
    base = sumOctets(folder) - (writer?.written() ?? 0);
  }

  /** Writes what is evidence. A disk that fails costs evidence, and no lines. */
  function workEvidence(log: EvidenceWriting, more: number, isAwaited: boolean, now: Millis): void {
    wasAwaited ||= isAwaited;
    const isDurable = log.commit(now, isAwaited || isLate);
    tickets = (tickets + more) | 0;
    if (isDurable && ((tickets - Atomics.load(cells, DURABLE)) | 0) > 0) {
      Atomics.store(cells, DURABLE, tickets);
      if (isAwaited || isLate) send({ kind: "durable" });
    }
    isLate = !isDurable && (isLate || isAwaited);
    const why = log.failure();
    if (why === evidenceFailure && log.lost() === evidenceLost) return;
    const lost = log.lost() - evidenceLost;
    evidenceFailure = why;
    evidenceLost += lost;
    Atomics.store(cells, EVIDENCE_FAILING, why === undefined ? 0 : 1);
    send({ kind: "evidence", why, lost });
  }

  /** Lines that no call makes. @returns why the folder can't be written; undefined: it can */
  function workLines(lines: LineWriter, now: Millis, believed: Millis): unknown {
    let failed: unknown;
    try {
      makeReady();
      look(now, believed);
      for (const line of open?.work(now, believed) ?? []) lines.note(line, now);
    } catch (error) {
      failed = error;
    }
    if (!lines.hasRoom()) return failed;
    for (const line of notes.splice(0)) lines.note(line, now);
    if (lostNotes > 0) lines.note(gapNote(now, now, lostNotes, whyLost), now);
    lostNotes = 0;
    return failed;
  }

  /** @returns true when there is more to do at once */
  function work(): boolean {
    const now = wallNow();
    writer ??= createWriter();
    const believed = readClock(now);
    for (const line of evidence?.work(now, believed) ?? []) noteText(line);
    // What hinders the lines must not hold up the evidence, which may be on another disk.
    const linesFailure = workLines(writer, now, believed);
    const { hasMore, tickets: more, isAwaited, failure: batchFailure, lost } = writer.batch();
    const { waiting, untold } = writer.unwritten();
    Atomics.store(cells, WAITING_LINES, waiting);
    Atomics.store(cells, UNTOLD_LINES, untold);
    if (evidence !== undefined) workEvidence(evidence, more, isAwaited, now);
    Atomics.store(cells, RELEASED, tickets);
    if (lost > 0) send({ kind: "lost", lost });
    const failed = linesFailure ?? batchFailure;
    settle(failed === undefined ? undefined : describeFailure(failed));
    // Without evidence nothing leaves the ring now.
    if (failed !== undefined) return hasMore && evidence !== undefined;
    if (now - told >= TOLD_EVERY || now < told) {
      told = now;
      send({ kind: "bytes", bytes: base + writer.written() });
    }
    return hasMore || open?.isLoading() === true;
  }

  function settle(why: string | undefined): void {
    if (why === failure) return;
    failure = why;
    Atomics.store(cells, FAILING, why === undefined ? 0 : 1);
    if (why === undefined) send({ kind: "writing" });
    else {
      whyLost = `nothing could be written: ${why}`;
      send({ kind: "failing", why });
    }
  }

  /** @param seen {@link WAKE} before the turn */
  function pause(seen: number): void {
    // Nobody notifies this cell: the time is the same for one refusal and for many.
    if (wasAwaited) Atomics.wait(cells, DURABLE, tickets, GROUP);
    wasAwaited = false;
    Atomics.wait(cells, WAKE, seen, failure === undefined ? PAUSE : RETRY);
  }

  know(data.trunks);
  // A thread before this one has taken them, and ended before the disk had them.
  const unwritten = (tickets - Atomics.load(cells, DURABLE)) | 0;
  if (unwritten > 0) evidence?.lose(unwritten, wallNow());
  tellBuried();
  for (;;) {
    const seen = Atomics.load(cells, WAKE);
    takeMessages();
    let hasMore = false;
    try {
      hasMore = work();
    } catch (error) {
      settle(describeFailure(error));
    }
    if (closeBy !== undefined && (!hasMore || performance.now() >= closeBy)) {
      const isWritten = failure === undefined && !hasMore;
      if (isWritten || performance.now() >= closeBy) {
        farewell();
        return;
      }
    }
    if (!hasMore) pause(seen);
  }

  function farewell(): void {
    let lost = 0;
    const isEvidenceWhole = evidence?.close(wallNow()) ?? true;
    peers?.close();
    try {
      if (failure !== undefined) lost = writer?.abandon() ?? 0;
      if (isReady) open?.keep(wallNow());
      if (isReady) keepClock();
      writer?.close();
      if (failure === undefined) lock?.release();
    } catch (error) {
      settle(describeFailure(error));
    }
    send({ kind: "closed", lost, isEvidenceWhole });
  }
}

function whyKilled(torn: number): string {
  const cut =
    torn === 0 ? "" : torn === 1 ? "; its last line was torn and was cut" : `; ${torn} torn lines were cut`;
  return `the process before this one was killed: what it had not written yet is lost beside ${torn} lines that are counted here${cut}`;
}

/** The line of a gap. Its time is that of its writing. */
function gapNote(from: Millis, to: Millis, lost: number, why: string): NoteLine {
  return { record: "gap", from: formatLineTime(from), to: formatLineTime(to), lost, why };
}
