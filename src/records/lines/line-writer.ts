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
import { createLineFiles } from "./line-files.ts";
import { formatLineTime } from "./line-time.ts";
import type { GapLine, NoteLine, RecordLine } from "./record-line.ts";

/** Where the messages of refused and marked calls are kept. Synchronous: the records thread has nothing else to do. */
export interface EvidenceLog {
  /**
   * Takes a message with the line that decided on it. The bytes are overwritten afterwards.
   *
   * @returns the number of its leaf
   */
  readonly append: (entry: FrameEvidence & { readonly at: Millis; readonly line: string }) => number;
  /** Waits until the disk has everything that was appended. Throws when the disk fails. */
  readonly commit: () => void;
}

/** What a batch did. */
export interface Batch {
  /** Frames that were read. 0: the ring is empty. */
  readonly frames: number;
  /** Frames with evidence among them: the tickets of the call thread, in its order. */
  readonly tickets: number;
  /** True when the disk has everything of the batch. */
  readonly isDurable: boolean;
}

/** Writes the lines of one node. */
export interface LineWriter {
  /**
   * Reads frames, writes their lines and gives back their room in the ring. With a frame that is waited for, the disk is
   * waited for too. Throws when nothing can be written: the same frames are tried again by the next call.
   */
  readonly batch: () => Batch;
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
  readonly folder: string;
  readonly evidence?: EvidenceLog | undefined;
  /** Why events found no room, in words: what hindered the writing last. */
  readonly whyLost: () => string;
  /** Takes every line that was made. */
  readonly made: (line: RecordLine) => void;
  /** Takes an error of ours: a line could not be made. */
  readonly fault: (error: unknown) => void;
}

/** About so many characters are written at a time. */
const BATCH = 1 << 19;

export function createLineWriter(parts: LineWriterParts): LineWriter {
  const { ring, folder, node, evidence } = parts;
  const reader = readRing(ring);
  const frames = createFrameReader(parts);
  const files = createLineFiles(folder, node);
  // The frame is read from a copy: functions of strings are faster on memory that is not shared.
  let copy = Buffer.alloc(1 << 16);
  const batch = { frames: 0, tickets: 0, isDurable: false };
  let isAwaited = false;

  const addLine = (at: Millis, line: RecordLine): string => {
    const text = JSON.stringify(line);
    files.add(at, text);
    parts.made(line);
    return text;
  };

  function takeFrame(): void {
    const length = reader.end - reader.start;
    if (copy.length < length) copy = Buffer.alloc(length);
    copy.set(ring.octets.subarray(reader.start, reader.end));
    const frame = copy.subarray(0, length);
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
      if (read.evidence !== undefined) {
        batch.tickets++;
        evidence?.append({ ...read.evidence, at, line: text });
      }
    }
    isAwaited ||= read.isAwaited;
  }

  return {
    batch() {
      while (files.waiting() < BATCH && reader.next()) {
        batch.frames++;
        takeFrame();
      }
      files.flush();
      if (isAwaited) {
        files.sync();
        evidence?.commit();
      }
      reader.release();
      const done = { ...batch, isDurable: isAwaited };
      batch.frames = 0;
      batch.tickets = 0;
      isAwaited = false;
      return done;
    },
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
      let count = batch.frames;
      while (reader.next()) count++;
      reader.release();
      return count;
    },
    close: files.close,
  };
}

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
