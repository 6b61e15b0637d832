// Writes evidence in the records thread: blocks, checkpoints, retention, and the gaps of what could not be taken.
import type { EvidenceConfig } from "../../config/sigwall/evidence-schema.ts";
import type { Millis } from "../../domain/time.ts";
import { deleteSegments, firstKeptDay } from "../../records/evidence/deletion-notes.ts";
import { type EvidenceLog, NO_ROOM, openEvidenceLog } from "../../records/evidence/evidence-log.ts";
import type { FrameEvidence } from "../../records/lines/frame-lines.ts";
import { formatLineTime } from "../../records/lines/line-time.ts";
import type { Checkpoint } from "../../records/tree/signed-note.ts";
import { describeFailure } from "../read-file.ts";

/** The evidence of one node, as the records thread writes it. Nothing here throws: a disk that fails is told. */
export interface EvidenceWriting {
  /** Takes a message with the line that decided on it. The bytes are overwritten afterwards. */
  readonly append: (entry: FrameEvidence & { readonly at: Millis; readonly line: string }) => void;
  /** Takes the line of a gap. */
  readonly gap: (line: string, at: Millis) => void;
  /**
   * Writes what was taken, so that it outlives this process. Where somebody waits, and else twice a second, it waits
   * until the disk has it.
   *
   * @returns true when the disk has everything, and has the gap of what was not taken
   */
  readonly commit: (now: Millis, isAwaited: boolean) => boolean;
  /** What is due: the log is opened, signed, and cleared of old days. @returns lines for the records */
  readonly work: (now: Millis) => readonly string[];
  /** In words, why nothing can be written. */
  readonly failure: () => string | undefined;
  /** Messages that were not taken, since the start. */
  readonly lost: () => number;
  /** Signs and closes. Call {@link EvidenceWriting.commit} first. */
  readonly close: (now: Millis) => void;
}

export interface EvidenceWritingParts {
  readonly config: EvidenceConfig;
  readonly node: string;
  readonly checkpoint: (checkpoint: Checkpoint) => void;
  readonly trouble: (what: string) => void;
}

const HOUR: Millis = 3_600_000;
/** Time between two tries to open the log. Milliseconds. */
const OPEN_EVERY: Millis = 1000;
/** Time between two waits for the disk where nobody waits for evidence: a wait costs as much as ten messages. Milliseconds. */
const COMMIT_EVERY: Millis = 500;
/** More octets than these do not wait for the disk. */
const MOST_UNCOMMITTED: number = 4 * 2 ** 20;
/** At most this many gap lines wait while the log can't be opened. */
const MOST_LINES = 1024;

export function createEvidenceWriting(parts: EvidenceWritingParts): EvidenceWriting {
  const { config, node, checkpoint, trouble } = parts;
  let log: EvidenceLog | undefined;
  let failure: string | undefined;
  let lost = 0;
  /** What was lost and is not told yet. */
  let gap: { from: Millis; to: Millis; lost: number } | undefined;
  let lines: { readonly line: string; readonly at: Millis }[] = [];
  let signedAt = -Infinity;
  let clearedAt = -Infinity;
  let triedAt = -Infinity;
  let committedAt = -Infinity;

  /** Runs a step that needs the disk. @returns false when it failed */
  function attempt(step: () => void): boolean {
    try {
      step();
      failure = undefined;
      return true;
    } catch (error) {
      failure = describeFailure(error);
      return false;
    }
  }

  function open(): EvidenceLog {
    const { folder, origin, keyFile, publish } = config;
    return openEvidenceLog({
      folder,
      node,
      keyFile,
      origin,
      publish,
      onCheckpoint: checkpoint,
      onTrouble: trouble,
    });
  }

  function lose(at: Millis): void {
    lost++;
    gap ??= { from: at, to: at, lost: 0 };
    gap.to = Math.max(gap.to, at);
    gap.lost++;
  }

  /** Tells in the log what was lost, as soon as it takes lines. @returns the line */
  function tellLost(now: Millis): string | undefined {
    if (gap === undefined || log === undefined) return undefined;
    const { from, to } = gap;
    const line = JSON.stringify({
      record: "gap",
      time: formatLineTime(now),
      node,
      from: formatLineTime(from),
      to: formatLineTime(to),
      lost: gap.lost,
      why: "evidence: it could not be written",
    });
    if (log.gap(line, now) === NO_ROOM) return undefined;
    gap = undefined;
    return line;
  }

  /** After a failure every turn tries: only a commit shows that the disk is well again. */
  function isCommitDue(opened: EvidenceLog, now: Millis): boolean {
    if (failure !== undefined || opened.state().pending > MOST_UNCOMMITTED) return true;
    return now - committedAt >= COMMIT_EVERY || now < committedAt;
  }

  function tellGaps(): void {
    if (log === undefined) return;
    const waiting = lines;
    lines = [];
    for (const entry of waiting) if (log.gap(entry.line, entry.at) === NO_ROOM) lines.push(entry);
  }

  return {
    append(entry) {
      const leaf = log?.append(entry) ?? NO_ROOM;
      if (leaf === NO_ROOM) lose(entry.at);
    },
    gap(line, at) {
      if (lines.length < MOST_LINES) lines.push({ line, at });
    },
    commit(now, isAwaited) {
      const opened = log;
      if (opened === undefined) return false;
      const isWhole = gap === undefined;
      const isWritten = attempt(() => {
        tellGaps();
        if (isAwaited || isCommitDue(opened, now)) {
          opened.commit();
          committedAt = now;
        } else opened.write();
        if (now - signedAt < config.checkpointSeconds * 1000 && now >= signedAt) return;
        signedAt = now;
        opened.checkpoint(now);
      });
      return isWritten && isWhole && opened.state().pending === 0;
    },
    work(now) {
      const told: string[] = [];
      if (log === undefined && (now - triedAt >= OPEN_EVERY || now < triedAt)) {
        triedAt = now;
        attempt(() => (log = open()));
      }
      const line = tellLost(now);
      if (line !== undefined) told.push(line);
      const opened = log;
      if (opened === undefined || (now - clearedAt < HOUR && now >= clearedAt)) return told;
      clearedAt = now;
      attempt(() => {
        const before = firstKeptDay(now, config.keepDays);
        const deleted = deleteSegments(opened, {
          folder: config.folder,
          node,
          before,
          at: now,
          why: "retention",
        });
        if (deleted.line !== undefined) told.push(deleted.line);
      });
      return told;
    },
    failure: () => failure,
    lost: () => lost,
    close(now) {
      const opened = log;
      if (opened === undefined) return;
      attempt(() => opened.checkpoint(now));
      attempt(() => opened.close());
    },
  };
}
