// Finds the blocks of a call in the segments of an evidence log, without an index.
import { Buffer } from "node:buffer";
import type { Millis } from "../../domain/time.ts";
import {
  type BlockReader,
  createBlockReader,
  isPacket,
  lineOf,
  microsOf,
  readJson,
  readSegmentHead,
} from "./block-reader.ts";
import { listSegments, type Segment } from "./log-files.ts";

/** Which blocks are asked for: those of a Call-ID, or of the id of a call (NODE-EPOCH-COUNT). */
export interface CallQuery {
  readonly field: "callId" | "id";
  readonly value: string;
}

/** A block of a call. */
export interface FoundBlock {
  readonly leaf: number;
  readonly segment: string;
  /** The number of the block in its segment, from 1. */
  readonly number: number;
  readonly bytes: Buffer;
  /** The decision line, as it stands in the block. */
  readonly line: string;
  /** The same as an object. */
  readonly decision: Readonly<Record<string, unknown>>;
}

/** A decision that is known from its record line, and whose block is looked for. */
export interface KnownDecision {
  readonly id: string | undefined;
  readonly at: Millis;
}

/** At most this many blocks are found: a caller may repeat one Call-ID for ever. */
export const MOST_FOUND = 10_000;

/**
 * Finds the blocks whose line has one of the values, in the order of leaves. A block that can't be read is passed over:
 * `evidence verify` names it. Throws what the operating system says.
 *
 * @param known every decision of these calls that may have a block: the segments of their times are read first, and no
 *   other one when all of their blocks are found. Undefined: every segment is read
 */
export function findBlocks(
  folder: string,
  node: string,
  queries: readonly CallQuery[],
  known?: readonly KnownDecision[],
): readonly FoundBlock[] {
  const wanted = queries.map((query) => ({ query, text: Buffer.from(JSON.stringify(query.value)) }));
  const missing = known && new Set(known.map(nameOf));
  const found: FoundBlock[] = [];
  const reader = createBlockReader();
  const segments = listSegments(folder, node);
  for (const { path } of known === undefined ? segments : nearestFirst(segments, known)) {
    if (found.length >= MOST_FOUND || missing?.size === 0) break;
    let first = 0;
    reader.read(path, (block) => {
      if (block.number === 1) {
        const head = readSegmentHead(block);
        first = head?.firstLeaf ?? -1;
        return first >= 0;
      }
      const { buffer, start, end, number } = block;
      const octets = buffer.subarray(start, end);
      if (!isPacket(block) || !wanted.some(({ text }) => octets.includes(text))) return true;
      const line = lineOf(block);
      const decision = readJson(line);
      if (decision === undefined || !wanted.some(({ query }) => decision[query.field] === query.value))
        return true;
      const { id, time } = decision;
      missing?.delete(nameOf({ id: typeof id === "string" ? id : undefined, at: Date.parse(String(time)) }));
      found.push({
        leaf: first + number - 1,
        segment: path,
        number,
        bytes: Buffer.from(octets),
        line,
        decision,
      });
      return found.length < MOST_FOUND;
    });
  }
  return found.toSorted((a, b) => a.leaf - b.leaf);
}

function nameOf({ id = "", at }: KnownDecision): string {
  return `${at} ${id}`;
}

const DAY: Millis = 86_400_000;

/** Puts the segments that hold the times in front, and their neighbours behind them: a clock may have stepped back. */
function nearestFirst(segments: readonly Segment[], known: readonly KnownDecision[]): readonly Segment[] {
  const reader = createBlockReader(0);
  const times = [...new Set(known.map(({ at }) => at))].toSorted((a, b) => a - b);
  const [earliest = NaN] = times;
  const latest = times.at(-1) ?? NaN;
  const starts = segments.map(({ day, path }) => {
    const start = Date.parse(day);
    const isNear = start > earliest - 2 * DAY && start < latest + DAY;
    return isNear ? (timeOfFirst(path, reader) ?? start) : start;
  });
  const distances = new Float64Array(segments.length).fill(Infinity);
  for (const at of times) {
    const holder = Math.max(
      starts.findLastIndex((start) => start <= at),
      0,
    );
    for (let index = 0; index < distances.length; index++)
      distances[index] = Math.min(distances[index] ?? Infinity, Math.abs(index - holder));
  }
  return segments
    .map((segment, index) => ({ segment, distance: distances[index] ?? Infinity }))
    .toSorted((a, b) => a.distance - b.distance)
    .map(({ segment }) => segment);
}

/** When the first message of a segment was received; undefined: none is there. */
function timeOfFirst(path: string, reader: BlockReader): Millis | undefined {
  let micros: number | undefined;
  reader.read(path, (block) => {
    if (isPacket(block)) micros = microsOf(block);
    return micros === undefined;
  });
  return micros === undefined ? undefined : micros / 1000;
}
