// Finds which policy revisions the blocks of an evidence folder name: their policies must stay.
import { join } from "node:path";
import type { Millis } from "../../domain/time.ts";
import { type BlockReader, createBlockReader, isPacket, lineOf } from "./block-reader.ts";
import { messageOf } from "./evidence-fault.ts";
import { dayOf, namesIn, nodesIn } from "./log-files.ts";

/** A revision that is looked for, and when it was in force. */
export interface AskedRevision {
  readonly revision: string;
  readonly spans: readonly { readonly node: string; readonly from: Millis; readonly to: Millis }[];
}

/** What was found. */
export interface NamedRevisions {
  readonly found: ReadonlySet<string>;
  /** What could not be read, in words: a revision that was not found may stand there. */
  readonly unread: readonly string[];
}

interface SegmentPlace {
  readonly path: string;
  readonly day: string;
  readonly node: string;
}

/**
 * Reads blocks until each revision is found, or everything is read. Segments of the days on which a revision was in
 * force are read first. Never throws. At most one chunk of a segment is in memory.
 */
export function findNamedRevisions(folder: string, asked: readonly AskedRevision[]): NamedRevisions {
  const found = new Set<string>();
  const unread: string[] = [];
  try {
    // An empty folder may be a disk that is not mounted.
    if (nodesIn(folder).length === 0)
      return { found, unread: [`${folder} holds no evidence log: no file NODE.pub is there`] };
    const missing = new Set(asked.map(({ revision }) => revision));
    const reader = createBlockReader();
    for (const { path, isLast } of likelyFirst(listAllSegments(folder), asked)) {
      if (missing.size === 0) break;
      const why = readSegment(path, reader, missing, found);
      // The last block of the newest segment may be half-written.
      if (why !== undefined && !isLast) unread.push(`${path}: ${why}`);
    }
  } catch (error) {
    unread.push(`${folder}: ${messageOf(error)}`);
  }
  return { found, unread };
}

function readSegment(
  path: string,
  reader: BlockReader,
  missing: Set<string>,
  found: Set<string>,
): string | undefined {
  try {
    const fault = reader.read(path, (block) => {
      if (!isPacket(block)) return true;
      for (const revision of revisionsIn(lineOf(block))) if (missing.delete(revision)) found.add(revision);
      return missing.size > 0;
    });
    return fault?.why;
  } catch (error) {
    return messageOf(error);
  }
}

/** In text of a peer the quotes are escaped: the key stands nowhere but where a line has the field. */
const KEY = '"revision":"';

function* revisionsIn(line: string): Generator<string> {
  for (let at = line.indexOf(KEY); at >= 0; at = line.indexOf(KEY, at + KEY.length)) {
    const start = at + KEY.length;
    yield line.slice(start, line.indexOf('"', start));
  }
}

const segmentPattern = /^\d{8,}-(.+)\.pcapng$/;

/** The segments of every node, also of one whose public key is gone. In the order of days and names. */
function listAllSegments(folder: string): readonly SegmentPlace[] {
  return namesIn(folder)
    .filter((day) => /^\d{4}-\d{2}-\d{2}$/.test(day))
    .toSorted()
    .flatMap((day) =>
      namesIn(join(folder, day))
        .toSorted()
        .flatMap((name) => {
          const node = segmentPattern.exec(name)?.[1];
          return node === undefined ? [] : [{ path: join(folder, day, name), day, node }];
        }),
    );
}

/** Puts the segments in front in which a revision is likely, and marks the last one of each node. */
function likelyFirst(
  segments: readonly SegmentPlace[],
  asked: readonly AskedRevision[],
): readonly { readonly path: string; readonly isLast: boolean }[] {
  const spans = asked.flatMap(({ spans: of }) =>
    of.map(({ node, from, to }) => ({ node, first: dayOf(from), last: dayOf(to) })),
  );
  const isLikely = ({ day, node }: SegmentPlace): boolean =>
    spans.some((span) => span.node === node && span.first <= day && day <= span.last);
  const lasts = new Map(segments.map(({ node, path }) => [node, path]));
  return segments
    .map((segment) => ({
      path: segment.path,
      isLast: lasts.get(segment.node) === segment.path,
      rank: isLikely(segment) ? 0 : 1,
    }))
    .toSorted((a, b) => a.rank - b.rank);
}
