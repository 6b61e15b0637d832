// Finds the blocks of a call in the segments of an evidence log, without an index.
import { Buffer } from "node:buffer";
import { createBlockReader, isPacket, lineOf, readJson, readSegmentHead } from "./block-reader.ts";
import { listSegments } from "./log-files.ts";

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

/** At most this many blocks are found: a caller may repeat one Call-ID for ever. */
export const MOST_FOUND = 10_000;

/**
 * Finds the blocks whose line has one of the values, in the order of leaves. A block that can't be read is passed over:
 * `evidence verify` names it. Throws what the operating system says.
 */
export function findBlocks(
  folder: string,
  node: string,
  queries: readonly CallQuery[],
): readonly FoundBlock[] {
  const wanted = queries.map((query) => ({ query, text: Buffer.from(JSON.stringify(query.value)) }));
  const found: FoundBlock[] = [];
  const reader = createBlockReader();
  for (const { path } of listSegments(folder, node)) {
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
    if (found.length >= MOST_FOUND) break;
  }
  return found;
}
