// Writes evidence in the records thread: blocks, checkpoints, retention, and the gaps of what could not be taken.
import { statSync } from "node:fs";
import type { EvidenceConfig } from "../../config/sigwall/evidence-schema.ts";
import type { SignallingSource } from "../../domain/attempt.ts";
import type { Millis } from "../../domain/time.ts";
import { parseEndpoint } from "../../net/address.ts";
import { deleteSegments, firstKeptDay } from "../../records/evidence/deletion-notes.ts";
import { type EvidenceLog, NO_ROOM, openEvidenceLog } from "../../records/evidence/evidence-log.ts";
import { listSegments } from "../../records/evidence/log-files.ts";
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
   * Waits until the disk has everything that was taken.
   *
   * @returns true when it has, and has the gap of what was not taken
   */
  readonly commit: (now: Millis) => boolean;
  /** What is due: the log is opened, signed, and cleared of old days. @returns lines for the records */
  readonly work: (now: Millis) => readonly string[];
  /** In words, why nothing can be written. */
  readonly failure: () => string | undefined;
  /** Messages that were not taken, since the start. */
  readonly lost: () => number;
  /** Signs and closes. @returns how many messages the log has not, and does not tell as lost */
  readonly close: (now: Millis) => number;
}

export interface EvidenceWritingParts {
  readonly config: EvidenceConfig;
  readonly node: string;
  /** Takes the lock of the node in the folder. Throws when another process has it, or the folder can't be written. */
  readonly lock: () => void;
  /** True when the process before this one has left no sign of an orderly end. */
  readonly isAfterKill: boolean;
  /** Messages that a thread before this one had taken and not put on the disk. */
  readonly lostBefore: number;
  readonly checkpoint: (checkpoint: Checkpoint) => void;
  readonly trouble: (what: string) => void;
}

const HOUR: Millis = 3_600_000;
/** Time between two tries to open the log. Milliseconds. */
const OPEN_EVERY: Millis = 1000;
/** At most this many gap lines wait while the log can't be opened. */
const MOST_LINES = 1024;

export function createEvidenceWriting(parts: EvidenceWritingParts): EvidenceWriting {
  const { config, node, checkpoint, trouble } = parts;
  let log: EvidenceLog | undefined;
  let failure: string | undefined;
  let lost = 0;
  /** Messages that the disk has neither as evidence nor as told by a gap. */
  let uncommitted = 0;
  /** What was lost and is not told yet. */
  let gap: { from: Millis; to: Millis; lost: number } | undefined;
  let lines: { readonly line: string; readonly at: Millis }[] = [];
  let signedAt = -Infinity;
  let clearedAt = -Infinity;
  let triedAt = -Infinity;
  let { lostBefore } = parts;

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

  function open(now: Millis): void {
    const { folder, origin, keyFile, publish } = config;
    parts.lock();
    const last = parts.isAfterKill ? timeOfLast(folder, node) : undefined;
    log = openEvidenceLog({
      folder,
      node,
      keyFile,
      origin,
      publish,
      onCheckpoint: checkpoint,
      onTrouble: trouble,
    });
    if (parts.isAfterKill)
      lines.unshift({ line: killedLine(Math.min(last ?? now, now), now, node), at: now });
  }

  function lose(at: Millis, count = 1): void {
    lost += count;
    gap ??= { from: at, to: at, lost: 0 };
    gap.to = Math.max(gap.to, at);
    gap.lost += count;
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
    uncommitted += gap.lost;
    gap = undefined;
    return line;
  }

  function tellGaps(): void {
    if (log === undefined) return;
    const waiting = lines;
    lines = [];
    for (const entry of waiting) if (log.gap(entry.line, entry.at) === NO_ROOM) lines.push(entry);
  }

  return {
    append({ origin, bytes, originalLength, at, line }) {
      const leaf = log?.append({ at, origin: sourceOf(origin), bytes, originalLength, line }) ?? NO_ROOM;
      if (leaf === NO_ROOM) lose(at);
      else uncommitted++;
    },
    gap(line, at) {
      if (lines.length < MOST_LINES) lines.push({ line, at });
    },
    commit(now) {
      const opened = log;
      if (opened === undefined) return false;
      const isWhole = gap === undefined;
      const isWritten = attempt(() => {
        tellGaps();
        if (opened.state().pending > 0) opened.commit();
        uncommitted = 0;
        if (now - signedAt < config.checkpointSeconds * 1000 && now >= signedAt) return;
        signedAt = now;
        opened.checkpoint(now);
      });
      return isWritten && isWhole;
    },
    work(now) {
      const told: string[] = [];
      if (log === undefined && (now - triedAt >= OPEN_EVERY || now < triedAt)) {
        triedAt = now;
        attempt(() => open(now));
      }
      if (lostBefore > 0) lose(now, lostBefore);
      lostBefore = 0;
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
      if (opened !== undefined) {
        attempt(() => {
          tellLost(now);
          tellGaps();
          opened.commit();
          uncommitted = 0;
        });
        attempt(() => opened.checkpoint(now));
        attempt(() => opened.close());
      }
      return uncommitted + (gap?.lost ?? 0);
    },
  };
}

/** When the newest segment was written last. Undefined: there is none. */
function timeOfLast(folder: string, node: string): Millis | undefined {
  const last = listSegments(folder, node).at(-1);
  return last === undefined ? undefined : Math.floor(statSync(last.path).mtimeMs);
}

function killedLine(from: Millis, to: Millis, node: string): string {
  return JSON.stringify({
    record: "gap",
    time: formatLineTime(to),
    node,
    from: formatLineTime(from),
    to: formatLineTime(to),
    lost: 0,
    why: "the process before this one was killed: messages that it had not written yet are lost, and nobody knows how many",
  });
}

function sourceOf({ signalling, transport, source, destination }: FrameEvidence["origin"]): SignallingSource {
  const from = parseEndpoint(source ?? "");
  const to = parseEndpoint(destination ?? "");
  return {
    signalling,
    transport,
    sourceAddress: from?.address ?? "",
    sourcePort: from?.port ?? 0,
    destinationAddress: to?.address ?? "",
    destinationPort: to?.port ?? 0,
  };
}
