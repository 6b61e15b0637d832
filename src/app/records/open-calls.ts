// Keeps the calls without an end over restarts, in NODE.open, and gives those whose time is over their end.
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Millis } from "../../domain/time.ts";
import type { FrameLife } from "../../records/lines/frame-lines.ts";
import { hourOf } from "../../records/lines/line-time.ts";
import { type FoundLine, lineFilesIn, readLineFile } from "../../records/lines/read-lines.ts";
import { createEndsElsewhere } from "./ends-elsewhere.ts";
import {
  createUnendedCalls,
  readOpenText,
  type UnendedCall,
  type UnendedCalls,
} from "../../records/lines/unended-calls.ts";
import type { EndedLine } from "../../records/lines/record-line.ts";
import type { TrunkFacts } from "../../records/lines/recording.ts";
import { writeDurably } from "../durable-file.ts";

/** The calls without an end, in the records thread. */
export interface OpenCalls {
  readonly know: (trunks: readonly TrunkFacts[]) => void;
  /** Begins to read what the processes before this one have left. Lines of this process may be taken meanwhile. */
  readonly load: () => void;
  readonly isLoading: () => boolean;
  readonly take: (life: FrameLife) => void;
  /** A call that this node began has ended on another node, which writes its end. */
  readonly endedElsewhere: (id: string) => void;
  /**
   * Reads on, and keeps the calls once an hour.
   *
   * @param believed the clock of retention: a wall clock that jumps ahead ends no call
   * @returns the ends of calls that are lost
   */
  readonly work: (now: Millis, believed: Millis) => readonly LostEnd[];
  /** Writes the calls. Throws when they can't be written. */
  readonly keep: (now: Millis) => void;
}

/** The end of a call that nobody saw. */
export type LostEnd = Omit<EndedLine, "time" | "node">;

const HOUR: Millis = 3_600_000;
/** A set-up may ring, and `maxCallHours` counts from the answer. A row tells the end of its call itself before that. */
const GRACE: Millis = HOUR;
/** The limit of a call whose trunk is gone from the policy. */
const DEFAULT_LONGEST: Millis = 12 * HOUR;
/** Time between two looks for lost calls. Milliseconds. */
const LOOK_EVERY: Millis = 60_000;
/** Lines that are read between two batches. */
const LINES_AT_ONCE = 2000;
/** Files of this many hours are read when no file of open calls is there. */
const MOST_HOURS = 14;

export function createOpenCalls(folder: string, node: string): OpenCalls {
  const path = join(folder, `${node}.open`);
  const trunks = new Map<string, TrunkFacts>();
  let calls: UnendedCalls = createUnendedCalls(node);
  const elsewhere = createEndsElsewhere(folder, node);
  let reading: Generator<FoundLine, void, void> | undefined;
  let keptHour = -1;
  let looked = -Infinity;

  const isOver = ({ at, trunk }: UnendedCall, now: Millis): boolean =>
    now - at > (trunks.get(trunk)?.longestCall ?? DEFAULT_LONGEST) + GRACE;

  function keep(now: Millis): void {
    writeDurably(path, Buffer.from(calls.write(now)));
  }

  return {
    know(facts) {
      trunks.clear();
      for (const fact of facts) trunks.set(fact.id, fact);
    },
    load() {
      const kept = readKept(path, node);
      calls = createUnendedCalls(node, kept?.calls);
      const files = lineFilesIn([folder], { node });
      // Closed hours before the file was written are in it.
      const first = kept === undefined ? undefined : hourText(hourOf(kept.at) - 1);
      const unread =
        first === undefined ? files.slice(-MOST_HOURS) : files.filter(({ hour }) => hour >= first);
      reading = readFiles(unread.map((file) => file.path));
      const earliest = first ?? unread[0]?.hour;
      elsewhere.begin(earliest === undefined ? undefined : Date.parse(`${earliest}:00Z`));
    },
    isLoading: () => reading !== undefined || !elsewhere.isDone(),
    endedElsewhere: (id) => calls.end(id),
    take(life) {
      if (life.kind === "ended") calls.end(life.id);
      else calls.begin(life);
    },
    work(now, believed) {
      if (reading !== undefined) {
        for (let left = LINES_AT_ONCE; left > 0; left--) {
          const next = reading.next();
          if (next.done === true) {
            reading = undefined;
            break;
          }
          if (next.value.line !== undefined) calls.take(next.value.line);
        }
        return [];
      }
      const wasDone = elsewhere.isDone();
      for (const id of elsewhere.read(now)) calls.end(id);
      if (!wasDone || !elsewhere.isDone()) return [];
      const hour = hourOf(now);
      if (hour !== keptHour) {
        keep(now);
        keptHour = hour;
      }
      if (now - looked < LOOK_EVERY && now >= looked) return [];
      looked = now;
      return calls
        .takeOver((call) => isOver(call, believed))
        .map(({ id, trunk }) => ({
          record: "ended",
          id,
          trunk,
          lessee: trunks.get(trunk)?.lessee,
          by: "filter",
          how: "lost",
        }));
    },
    keep(now) {
      // Calls that were not read yet must not be forgotten.
      if (reading === undefined) keep(now);
    },
  };
}

function* readFiles(paths: readonly string[]): Generator<FoundLine, void, void> {
  for (const path of paths) yield* readLineFile(path);
}

function hourText(hour: number): string {
  return new Date(hour * HOUR).toISOString().slice(0, 13);
}

function readKept(path: string, node: string): ReturnType<typeof readOpenText> {
  try {
    return readOpenText(readFileSync(path, "latin1"), node);
  } catch {
    return undefined;
  }
}
