// From the ring to the disk: reads frames, writes their lines, and tells how far everything is durable.
import { Buffer } from "node:buffer";
import type { Millis } from "../../domain/time.ts";
import { readRing, type RingMemory } from "../../state/byte-ring.ts";
import {
  createFrameReader,
  type FrameContext,
  type FrameEvidence,
  type FrameLife,
  type FrameReading,
} from "./frame-lines.ts";
import { FrameFlag } from "./frame-layout.ts";
import { createLineFiles, type LineFiles } from "./line-files.ts";
import { formatLineTime } from "./line-time.ts";
import type { GapLine, NoteLine } from "./record-line.ts";

/** Takes a message that is evidence, with the line that decided on it. The bytes are overwritten afterwards. */
export type KeepEvidence = (entry: FrameEvidence & { readonly at: Millis; readonly line: string }) => void;

/** What a batch did. */
export interface Batch {
  /** True when frames may be left in the ring. */
  readonly hasMore: boolean;
  /** Frames with evidence among them: the tickets of the call thread, in its order. */
  readonly tickets: number;
  /** True when somebody waits until the disk has the batch. */
  readonly isAwaited: boolean;
  /** Why no line could be written; undefined: all are. Evidence was handed over all the same. */
  readonly failure: unknown;
}

/** Writes the lines of one node. */
export interface LineWriter {
  /**
   * Reads frames, hands over their evidence, writes their lines and gives back their room in the ring. When nothing can
   * be written, the frames keep their room, and the next call writes their lines.
   */
  readonly batch: () => Batch;
  /** False while so much waits that lines that no call makes should wait elsewhere. */
  readonly hasRoom: () => boolean;
  /** Takes a line that no call makes. The next {@link LineWriter.batch} writes it. */
  readonly note: (line: NoteLine, now: Millis) => void;
  /** Octets written so far. */
  readonly written: () => number;
  /** Counts the frames that are not written yet. They are gone from the ring then. */
  readonly abandon: () => number;
  readonly close: () => void;
}

export interface LineWriterParts extends FrameContext {
  readonly ring: RingMemory;
  /** Undefined: no lines are kept, and evidence alone is. */
  readonly folder: string | undefined;
  readonly keep?: KeepEvidence | undefined;
  /** Makes the folder ready for lines. Throws while it can't be written. */
  readonly ready: () => void;
  /** Why events found no room, in words: what hindered the writing last. */
  readonly whyLost: () => string;
  /** Learns of every call that was forwarded, and of every end. */
  readonly lived: (life: FrameLife) => void;
  /** Takes an error of ours: a line could not be made. */
  readonly fault: (error: unknown) => void;
}

/** About so many characters are written at a time. */
const BATCH = 1 << 19;
/** At most so many characters wait while no line can be written, but evidence can. */
const MOST_WAITING = 1 << 24;
/** At most this many frames are read at a time. */
const MOST_FRAMES = 2048;

export function createLineWriter(parts: LineWriterParts): LineWriter {
  const { ring, folder, node, keep } = parts;
  const reader = readRing(ring);
  const frames = createFrameReader(parts);
  const files = folder === undefined ? noFiles : createLineFiles(folder, node);
  // The frame is read from a copy: functions of strings are faster on memory that is not shared.
  let copy = Buffer.alloc(1 << 16);
  const batch = { tickets: 0, isAwaited: false };
  /** Frames that were read, and are not released. */
  let held = 0;
  let most = BATCH;

  function takeFrame(): void {
    const length = reader.end - reader.start;
    if (copy.length < length) copy = Buffer.alloc(length);
    copy.set(ring.octets.subarray(reader.start, reader.end));
    const frame = copy.subarray(0, length);
    // Every ticket of the call thread is counted, also of a line that can't be made.
    if (((frame[1] ?? 0) & FrameFlag.evidence) !== 0) batch.tickets++;
    let read: FrameReading;
    try {
      read = frames(frame);
    } catch (error) {
      // A fault of ours costs one line, and the loss is told.
      parts.fault(error);
      return;
    }
    const { at, lost, line, life, evidence } = read;
    if (lost !== undefined) {
      const gap = gapLine(node, at, { from: lost.from, to: at, lost: lost.count, why: parts.whyLost() });
      files.add(at, JSON.stringify(gap));
    }
    if (line !== undefined) files.add(at, line);
    if (life !== undefined) parts.lived(life);
    if (line !== undefined && evidence !== undefined && keep !== undefined) keep({ ...evidence, at, line });
    batch.isAwaited ||= read.isAwaited;
  }

  return {
    batch() {
      let hasMore = true;
      let failure: unknown;
      for (let taken = 0; hasMore && taken < MOST_FRAMES && files.waiting() < most; taken++) {
        hasMore = reader.next();
        if (!hasMore) break;
        held++;
        takeFrame();
      }
      try {
        parts.ready();
        files.flush();
        reader.release();
        held = 0;
        most = BATCH;
      } catch (error) {
        failure = error;
        // The disk of the lines must not hold up evidence on another disk.
        if (keep !== undefined) most = MOST_WAITING;
      }
      const { tickets, isAwaited } = batch;
      batch.tickets = 0;
      batch.isAwaited = false;
      return { hasMore, tickets, isAwaited, failure };
    },
    hasRoom: () => files.waiting() < BATCH,
    note(note, now) {
      const at = note.time === undefined ? now : Date.parse(note.time);
      const { record, ...fields } = note;
      const stamped = { record, time: formatLineTime(at), node, ...fields };
      // Texts of operators may hold half a surrogate pair.
      const text = JSON.stringify(stamped, (_, value: unknown) =>
        typeof value === "string" ? Buffer.from(value).toString() : value,
      );
      files.add(at, text);
    },
    written: files.written,
    abandon() {
      let count = held;
      while (reader.next()) count++;
      reader.release();
      return count;
    },
    close: files.close,
  };
}

const noFiles: LineFiles = {
  add: () => undefined,
  waiting: () => 0,
  flush: () => undefined,
  written: () => 0,
  close: () => undefined,
};

/** Makes the line of a gap. */
export function gapLine(
  node: string,
  at: Millis,
  {
    from,
    to,
    lost,
    why,
  }: { readonly from: Millis; readonly to: Millis; readonly lost: number; readonly why: string },
): GapLine {
  return {
    record: "gap",
    time: formatLineTime(at),
    node,
    from: formatLineTime(from),
    to: formatLineTime(to),
    lost,
    why,
  };
}
