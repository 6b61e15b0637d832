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
  /** Events that were let go in this batch: they get no line, and a gap will tell them. */
  readonly lost: number;
}

/** Writes the lines of one node. */
export interface LineWriter {
  /**
   * Reads frames, hands over their evidence, writes their lines and gives back their room in the ring. When nothing can
   * be written, the next call writes the lines. The frames keep their room until then, unless evidence is kept: evidence
   * must go on, so that lines wait here, at most {@link MOST_WAITING}. What finds no room is let go, and told by a gap.
   */
  readonly batch: () => Batch;
  /** False while so much waits that lines that no call makes should wait elsewhere. */
  readonly hasRoom: () => boolean;
  /** Takes a line that no call makes. The next {@link LineWriter.batch} writes it. */
  readonly note: (line: NoteLine, now: Millis) => void;
  /** Octets written so far. */
  readonly written: () => number;
  /** Events that are gone from the ring and have no line yet. */
  readonly unwritten: () => UnwrittenEvents;
  /** Counts the events that are not written and not let go. They are gone from the ring then. */
  readonly abandon: () => number;
  readonly close: () => void;
}

/** Events without a line. */
export interface UnwrittenEvents {
  /** Their lines wait for the disk. */
  readonly waiting: number;
  /** They were let go, and no gap has told them yet. */
  readonly untold: number;
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
/** At most about so many characters wait while no line can be written and evidence is kept. */
const MOST_WAITING: number = 1 << 24;
/** At most this many frames are read at a time. */
const MOST_FRAMES = 2048;

export function createLineWriter(parts: LineWriterParts): LineWriter {
  const { ring, folder, node, keep } = parts;
  const reader = readRing(ring);
  const frames = createFrameReader(parts);
  const files = folder === undefined ? noFiles : createLineFiles(folder, node);
  // The frame is read from a copy: functions of strings are faster on memory that is not shared.
  let copy = Buffer.alloc(1 << 16);
  const batch = { tickets: 0, isAwaited: false, lost: 0 };
  /** Events that were read and are not written. */
  let waiting = 0;
  /** True while the disk of the lines must not hold up evidence, which may be on another disk. */
  let isBypassed = false;
  /** Events that were let go, until a gap tells them. */
  let letGo: { from: Millis; to: Millis; lost: number } | undefined;

  function lose(from: Millis, to: Millis, lost: number): void {
    letGo ??= { from, to, lost: 0 };
    letGo.to = to;
    letGo.lost += lost;
  }

  /** Takes what the call thread has counted: events that found no room in the ring. */
  function takeGap(from: Millis, to: Millis, lost: number): void {
    if (letGo === undefined) addGap({ from, to, lost });
    else lose(from, to, lost);
  }

  function addGap(gap: { readonly from: Millis; readonly to: Millis; readonly lost: number }): void {
    files.add(gap.to, JSON.stringify(gapLine(node, gap.to, { ...gap, why: parts.whyLost() })));
  }

  function takeLine(at: Millis, line: string, life: FrameLife | undefined): void {
    if (isBypassed && files.waiting() >= MOST_WAITING) {
      lose(at, at, 1);
      batch.lost++;
      return;
    }
    waiting++;
    files.add(at, line);
    if (life !== undefined) parts.lived(life);
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
    const { at, lost, line, life, evidence } = read;
    if (lost !== undefined) takeGap(lost.from, at, lost.count);
    if (line !== undefined) takeLine(at, line, life);
    if (line !== undefined && evidence !== undefined && keep !== undefined) keep({ ...evidence, at, line });
    batch.isAwaited ||= read.isAwaited;
  }

  function flush(): void {
    parts.ready();
    files.flush();
    waiting = 0;
    if (letGo === undefined) return;
    addGap(letGo);
    letGo = undefined;
    files.flush();
  }

  return {
    batch() {
      let hasMore = true;
      let failure: unknown;
      const most = isBypassed ? Infinity : BATCH;
      for (let taken = 0; taken < MOST_FRAMES && files.waiting() < most; taken++) {
        hasMore = reader.next();
        if (!hasMore) break;
        takeFrame();
      }
      try {
        flush();
        isBypassed = false;
      } catch (error) {
        failure = error;
        isBypassed = keep !== undefined;
      }
      if (failure === undefined || isBypassed) reader.release();
      const { tickets, isAwaited, lost } = batch;
      batch.tickets = 0;
      batch.isAwaited = false;
      batch.lost = 0;
      return { hasMore, tickets, isAwaited, failure, lost };
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
    unwritten: () => ({ waiting: isBypassed ? waiting : 0, untold: letGo?.lost ?? 0 }),
    abandon() {
      let count = waiting;
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
