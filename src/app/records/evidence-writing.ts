// Writes evidence in the records thread: blocks, checkpoints, retention, and the gaps of what could not be taken.
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { EvidenceConfig } from "../../config/sigwall/evidence-schema.ts";
import type { Millis } from "../../domain/time.ts";
import { deleteSegments, firstKeptDay } from "../../records/evidence/deletion-notes.ts";
import { type EvidenceLog, NO_ROOM, openEvidenceLog } from "../../records/evidence/evidence-log.ts";
import { EvidenceFault } from "../../records/evidence/evidence-fault.ts";
import { listSegments } from "../../records/evidence/log-files.ts";
import type { FrameEvidence } from "../../records/lines/frame-lines.ts";
import { gapLine } from "../../records/lines/line-writer.ts";
import type { Checkpoint } from "../../records/tree/signed-note.ts";
import { type FolderLock, lockFile } from "../../records/sealed/folder-lock.ts";
import { describeFailure } from "../read-file.ts";

/** The evidence of one node, as the records thread writes it. Nothing here throws: a disk that fails is told. */
export interface EvidenceWriting {
  /** Takes a message with the line that decided on it. The bytes are overwritten afterwards. */
  readonly append: (entry: FrameEvidence & { readonly at: Millis; readonly line: string }) => void;
  /** Takes the line of a gap, which tells of so many messages. */
  readonly gap: (line: string, at: Millis, lost: number) => void;
  /** Takes note of messages that were lost on their way. */
  readonly lose: (count: number, at: Millis) => void;
  /**
   * Writes what was taken, so that it outlives this process. Where somebody waits, and else twice a second, it waits
   * until the disk has it.
   *
   * @returns true when the disk has everything, and has the gap of what was not taken
   */
  readonly commit: (now: Millis, isAwaited: boolean) => boolean;
  /**
   * What is due: the log is opened, and cleared of old days.
   *
   * @param believed the clock of retention
   * @returns lines for the records
   */
  readonly work: (now: Millis, believed: Millis) => readonly string[];
  /** In words, why nothing can be written. */
  readonly failure: () => string | undefined;
  /** Messages that were not taken, since the start. */
  readonly lost: () => number;
  /**
   * Signs and closes. Call {@link EvidenceWriting.commit} first.
   *
   * @returns true when nothing was lost: the next start has no gap to tell
   */
  readonly close: (now: Millis) => boolean;
}

export interface EvidenceWritingParts {
  readonly config: EvidenceConfig;
  readonly node: string;
  /** True when this process holds the lock of the log; false: the folder could not be written. */
  readonly isLocked: boolean;
  /** True when the process before this one was killed. */
  readonly isAfterKill: boolean;
  readonly checkpoint: (checkpoint: Checkpoint, keyLine: string) => void;
  readonly trouble: (what: string) => void;
}

const WHY_KILLED =
  "evidence: the process before this one was killed: messages that it had taken and not written yet are lost, and nobody knows how many";
const HOUR: Millis = 3_600_000;
/** Time between two tries to open the log. Milliseconds. */
const OPEN_EVERY: Millis = 1000;
/** Time between two waits for the disk where nobody waits for evidence: a wait costs as much as ten messages. Milliseconds. */
const COMMIT_EVERY: Millis = 500;
/** More octets than these do not wait for the disk. */
const MOST_UNCOMMITTED: number = 4 * 2 ** 20;
/** Time between two tries to sign after a failure. Milliseconds. */
const SIGN_AGAIN: Millis = 1000;
/** At most this many gap lines wait while the log can't be opened. What more of them tell goes into one gap. */
const MOST_LINES = 1024;

export function createEvidenceWriting(parts: EvidenceWritingParts): EvidenceWriting {
  const { config, node, checkpoint, trouble } = parts;
  let log: EvidenceLog | undefined;
  /** What fails, and why. Blocks that are written and not signed are no evidence that stands. */
  const failures: { blocks?: string | undefined; signing?: string | undefined } = {};
  let { isAfterKill } = parts;
  /** The lock, where it could be taken only now. */
  let lock: FolderLock | undefined;
  /** True when the log belongs to somebody else: nothing of it may be changed. */
  let isForeign = false;
  let signTriedAt = -Infinity;
  let lost = 0;
  /** What was lost and is not told yet. */
  let gap: { from: Millis; to: Millis; lost: number } | undefined;
  let lines: { readonly line: string; readonly at: Millis; readonly lost: number }[] = [];
  let signedAt = -Infinity;
  let clearedAt = -Infinity;
  let triedAt = -Infinity;
  let committedAt = -Infinity;

  /** Runs a step that needs the disk. @returns false when it failed */
  function attempt(what: keyof typeof failures, step: () => void): boolean {
    try {
      step();
      failures[what] = undefined;
      return true;
    } catch (error) {
      failures[what] = describeFailure(error);
      isForeign = error instanceof EvidenceFault;
      return false;
    }
  }

  function takeLock(folder: string): void {
    if (parts.isLocked || lock !== undefined) return;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const taken = lockFile(join(folder, `${node}.lock`));
    if (typeof taken === "string") throw new Error(`${taken} writes the evidence of node ${node} there`);
    lock = taken;
  }

  function open(now: Millis): EvidenceLog {
    const { folder, origin, keyFile, publish } = config;
    takeLock(folder);
    const before = isAfterKill ? lastWriting(folder, node, now) : now;
    const opened = openEvidenceLog({
      folder,
      node,
      keyFile,
      origin,
      publish,
      onCheckpoint: (made, _at, keyLine) => checkpoint(made, keyLine),
      onTrouble: trouble,
    });
    if (isAfterKill) lines.unshift({ line: gapText(before, now, 0, WHY_KILLED), at: now, lost: 0 });
    isAfterKill = false;
    return opened;
  }

  function lose(count: number, at: Millis): void {
    lost += count;
    addToGap(count, at);
  }

  function addToGap(count: number, at: Millis): void {
    gap ??= { from: at, to: at, lost: 0 };
    gap.to = Math.max(gap.to, at);
    gap.lost += count;
  }

  function gapText(from: Millis, to: Millis, count: number, why: string): string {
    return JSON.stringify(gapLine(node, to, { from: Math.min(from, to), to, lost: count, why }));
  }

  /** Tells in the log what was lost, as soon as the disk takes blocks: one gap for the whole time. @returns the line */
  function tellLost(now: Millis): string | undefined {
    if (gap === undefined || log === undefined || failures.blocks !== undefined) return undefined;
    const line = gapText(gap.from, gap.to, gap.lost, "evidence: it could not be written");
    if (log.gap(line, now) === NO_ROOM) return undefined;
    gap = undefined;
    return line;
  }

  /** After a failure every turn tries: only a commit shows that the disk is well again. */
  function isCommitDue(opened: EvidenceLog, now: Millis): boolean {
    if (failures.blocks !== undefined || opened.state().pending > MOST_UNCOMMITTED) return true;
    return now - committedAt >= COMMIT_EVERY || now < committedAt;
  }

  function tellGaps(): void {
    if (log === undefined) return;
    const waiting = lines;
    lines = [];
    for (const entry of waiting) if (log.gap(entry.line, entry.at) === NO_ROOM) lines.push(entry);
  }

  /** Signs when it is due. What can't be signed now is tried again. */
  function sign(opened: EvidenceLog, now: Millis): void {
    const since = failures.signing === undefined ? signedAt : signTriedAt;
    const pause = failures.signing === undefined ? config.checkpointSeconds * 1000 : SIGN_AGAIN;
    if (now - since < pause && now >= since) return;
    signTriedAt = now;
    attempt("signing", () => {
      opened.checkpoint(now);
      signedAt = now;
    });
  }

  return {
    append(entry) {
      const leaf = log?.append(entry) ?? NO_ROOM;
      if (leaf === NO_ROOM) lose(1, entry.at);
    },
    gap(line, at, count) {
      if (lines.length < MOST_LINES) lines.push({ line, at, lost: count });
      else addToGap(count, at);
    },
    lose,
    commit(now, isAwaited) {
      const opened = log;
      if (opened === undefined) return false;
      const isWhole = gap === undefined;
      const isWritten = attempt("blocks", () => {
        tellGaps();
        if (isAwaited || isCommitDue(opened, now)) {
          opened.commit();
          committedAt = now;
        } else opened.write();
      });
      if (isWritten) sign(opened, now);
      return isWritten && isWhole && opened.state().pending === 0;
    },
    work(now, believed) {
      const told: string[] = [];
      if (log === undefined && (now - triedAt >= OPEN_EVERY || now < triedAt)) {
        triedAt = now;
        attempt("blocks", () => (log = open(now)));
      }
      const line = tellLost(now);
      if (line !== undefined) told.push(line);
      const opened = log;
      if (opened === undefined || (now - clearedAt < HOUR && now >= clearedAt)) return told;
      clearedAt = now;
      try {
        const before = firstKeptDay(believed, config.keepDays);
        const deleted = deleteSegments(opened, {
          folder: config.folder,
          node,
          before,
          at: now,
          why: "retention",
        });
        if (deleted.line !== undefined) told.push(deleted.line);
      } catch (error) {
        trouble(`old segments can't be deleted: ${describeFailure(error)}`);
      }
      return told;
    },
    failure: () => failures.blocks ?? failures.signing,
    lost: () => lost,
    close(now) {
      const opened = log;
      // The log of somebody else keeps its lock file as it was.
      let isWhole =
        opened === undefined ? isForeign && !isAfterKill : gap === undefined && lines.length === 0;
      if (opened !== undefined) {
        isWhole = attempt("signing", () => opened.checkpoint(now)) && isWhole;
        isWhole = attempt("blocks", () => opened.close()) && isWhole;
      }
      if (isWhole) lock?.release();
      return isWhole;
    },
  };
}

/** When the newest segment was written last. */
function lastWriting(folder: string, node: string, now: Millis): Millis {
  const newest = listSegments(folder, node).at(-1);
  return newest === undefined ? now : Math.floor(statSync(newest.path).mtimeMs);
}
