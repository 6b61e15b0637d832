// Finds for each call a line that stands in the records before it: an order, or a finding.
import type { Millis } from "../../domain/time.ts";
import { askRecords, type RecordPlace } from "../../records/asking/ask-records.ts";
import type { ReadLine } from "../../records/asking/record-filter.ts";

/** Which lines are looked at. */
export interface LinesAsked {
  readonly kind: "order" | "finding";
  /** How far back the records are asked, one after the other: most lines are young. */
  readonly spans: readonly Millis[];
  /** At most so many lines are read at a time. */
  readonly most: number;
}

/**
 * Finds a line for each call: one of the call's own node, else one of another node, which holds here too.
 *
 * @param choose gets a call and lines, the newest first
 * @returns resolves with the lines by call; a call whose line is not recorded is missing
 */
export async function findBefore(
  place: RecordPlace,
  calls: readonly ReadLine[],
  { kind, spans, most }: LinesAsked,
  choose: (call: ReadLine, lines: readonly ReadLine[]) => ReadLine | undefined,
): Promise<ReadonlyMap<ReadLine, ReadLine>> {
  const found = new Map<ReadLine, ReadLine>();
  let left = calls;
  for (const span of spans) {
    if (left.length === 0) break;
    const times = left.map(({ time }) => Date.parse(time));
    const from = Math.max(Math.min(...times) - span, 0);
    const asked = { kinds: [kind], from, to: Math.max(...times) + 1 };
    const { items } = await askRecords(place, asked, most);
    for (const call of left) {
      const own = items.filter(({ node }) => node === call["node"]);
      const line = choose(call, own) ?? choose(call, items);
      if (line !== undefined) found.set(call, line);
    }
    left = left.filter((call) => !found.has(call));
  }
  return found;
}
