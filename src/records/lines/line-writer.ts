// From the ring to the disk: reads frames, writes their lines, and tells how far everything is durable.
import { Buffer } from "node:buffer";
import type { Millis } from "../../domain/time.ts";
import { readRing, type RingMemory } from "../../state/byte-ring.ts";
import {
  createFrameReader,
  type FrameContext,
  type FrameEvidence,
  type FrameReading,
} from "./frame-lines.ts";
import { FrameFlag } from "./frame-layout.ts";
import { createLineFiles, type LineFiles } from "./line-files.ts";
import { formatLineTime } from "./line-time.ts";
import type { GapLine, NoteLine, RecordLine } from "./record-line.ts";

/** Takes a message that is evidence, with the line that decided on it. The bytes are overwritten afterwards. */
export type KeepEvidence = (entry: FrameEvidence & { readonly at: Millis; readonly line: string }) => void;

/** What was read at a time. */
export interface Batch {
  /** Frames that were read. 0: the ring is empty, or too much waits. */
  readonly frames: number;
  /** Frames with evidence among them: the tickets of the call thread, in its order. */
  readonly tickets: number;
  /** True when somebody waits until the disk has the evidence of the batch. */
  readonly isAwaited: boolean;
  /** Lines that found no room while nothing could be written. A gap tells them later. */
  readonly dropped: number;
}

/** Writes the lines of one node. */
export interface LineWriter {
  /** Reads frames and hands their messages to `keep`. Their lines wait for {@link LineWriter.flush}. Needs no disk. */
  readonly take: () => Batch;
  /**
   * Writes the lines that wait, and gives back the room of their frames in the ring. Throws when nothing can be written:
   * the same lines are tried again by the next call.
   */
  readonly flush: () => void;
  /** Gives back the room in the ring of lines that still wait: evidence goes on while no line can be written. */
  readonly letGo: () => void;
  /** Takes a line that no call makes. The next {@link LineWriter.flush} writes it. */
  readonly note: (line: NoteLine, now: Millis) => void;
  /** Octets written so far. */
  readonly written: () => number;
  /** Lines of frames that are not written yet. */
  readonly unwritten: () => number;
  /** Counts the lines that are not written yet. Their frames are gone from the ring then. */
  readonly abandon: () => number;
  readonly close: () => void;
}

export interface LineWriterParts extends FrameContext {
  readonly ring: RingMemory;
  /** Undefined: no lines are kept, and evidence alone is. */
  readonly folder: string | undefined;
  readonly keep?: KeepEvidence | undefined;
  /** Why events found no room, in words: what hindered the writing last. */
  readonly whyLost: () => string;
  /** Takes every line that was made. */
  readonly made: (line: RecordLine) => void;
  /** Takes an error of ours: a line could not be made. */
  readonly fault: (error: unknown) => void;
}

/** About so many characters are written at a time. */
const BATCH = 1 << 19;
/** At most this many frames are read at a time. */
const MOST_FRAMES = 2048;
/** At most about so many characters wait while evidence goes on and no line can be written. */
const MOST_WAITING = 1 << 24;

export function createLineWriter(parts: LineWriterParts): LineWriter {
  const { ring, folder, node, keep } = parts;
  const reader = readRing(ring);
  const frames = createFrameReader(parts);
  const files = folder === undefined ? noFiles : createLineFiles(folder, node);
  // The frame is read from a copy: functions of strings are faster on memory that is not shared.
  let copy = Buffer.alloc(1 << 16);
  let batch = { frames: 0, tickets: 0, isAwaited: false, dropped: 0 };
  /** Frames whose lines wait. */
  let unwritten = 0;
  /** Lines that found no room, until a gap tells them. */
  let gap: { readonly from: Millis; to: Millis; lost: number } | undefined;

  const addLine = (at: Millis, line: RecordLine): string => {
    const text = JSON.stringify(line);
    if (files.waiting() < MOST_WAITING) files.add(at, text);
    else drop(at, line);
    parts.made(line);
    return text;
  };

  function drop(at: Millis, line: RecordLine): void {
    gap ??= { from: at, to: at, lost: 0 };
    gap.to = Math.max(gap.to, at);
    // The call thread has counted what the line of a gap tells.
    gap.lost += line.record === "gap" ? line.lost : 1;
    if (line.record === "gap") return;
    batch.dropped++;
    unwritten--;
  }

  function tellDropped(): void {
    if (gap === undefined || files.waiting() >= MOST_WAITING) return;
    const told = gap;
    gap = undefined;
    files.add(told.to, JSON.stringify(gapLine(node, told.to, { ...told, why: parts.whyLost() })));
  }

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
    const { at, lost, line } = read;
    if (lost !== undefined)
      addLine(at, gapLine(node, at, { from: lost.from, to: at, lost: lost.count, why: parts.whyLost() }));
    if (line !== undefined) {
      const text = addLine(at, line);
      if (read.evidence !== undefined) keep?.({ ...read.evidence, at, line: text });
    }
    batch.isAwaited ||= read.isAwaited;
  }

  return {
    take() {
      batch = { frames: 0, tickets: 0, isAwaited: false, dropped: 0 };
      tellDropped();
      // Evidence does not wait for lines that can't be written. Without evidence the frames may wait in the ring.
      const most = keep === undefined ? BATCH : files.waiting() + BATCH;
      while (batch.frames < MOST_FRAMES && files.waiting() < most && reader.next()) {
        batch.frames++;
        unwritten++;
        takeFrame();
      }
      return batch;
    },
    flush() {
      files.flush();
      unwritten = 0;
      reader.release();
    },
    letGo: reader.release,
    unwritten: () => unwritten,
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
      let count = unwritten;
      while (reader.next()) count++;
      reader.release();
      unwritten = 0;
      return count;
    },
    close: files.close,
  };
}

const noFiles: LineFiles = {
  add: () => undefined,
  waiting: () => 0,
  flush: () => undefined,
  sync: () => undefined,
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
