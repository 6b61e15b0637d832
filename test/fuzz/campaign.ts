import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { readCorpus } from "./corpus.ts";
import { type Extent, openExtent } from "./extent.ts";
import { minimise } from "./minimise.ts";
import { runSession, type Session } from "./session.ts";
import { createProxy } from "./setting.ts";

/** What a campaign did and found. */
export interface Campaign {
  readonly seed: number;
  readonly sessions: number;
  readonly datagrams: number;
  readonly answered: number;
  readonly accepted: number;
  /** What the heap holds more after all of them than after the first, in bytes: a proxy of their own lives through all sessions. */
  readonly growth: number;
  /** Smallest sessions by what was wrong, with the seed of the session each was found in. */
  readonly failures: ReadonlyMap<string, { readonly seed: number; readonly session: Session }>;
}

/** More kinds of failure than anybody reads at once. */
const MOST_FAILURES = 5;

/** Sessions until every table is full and all code is compiled. */
const WARM_UP = 100;

/** Runs sessions, each with a seed of its own that follows from `seed`. */
export function runCampaign(seed: number, extent: Extent): Campaign {
  const corpus = readCorpus();
  const veteran = createProxy();
  const failures = new Map<string, { seed: number; session: Session }>();
  const goesOn = openExtent(extent);
  let [sessions, datagrams, answered, accepted, heap] = [0, 0, 0, 0, 0];
  for (; goesOn(sessions) && failures.size < MOST_FAILURES; sessions++) {
    if (sessions === WARM_UP) heap = measureHeap();
    const session = runSession(seed + sessions, corpus);
    datagrams += session.datagrams.length;
    answered += session.answered;
    accepted += session.accepted;
    for (const { after, from, bytes } of session.datagrams) {
      veteran.now += after;
      veteran.receive(from, bytes);
    }
    veteran.decisions.length = 0;
    const { complaint } = session;
    if (complaint !== undefined && !failures.has(complaint.kind))
      failures.set(complaint.kind, { seed: seed + sessions, session: minimise(session) });
  }
  const growth = heap === 0 ? 0 : measureHeap() - heap;
  return { seed, sessions, datagrams, answered, accepted, growth, failures };
}

/** Bytes in use once everything that can be collected is. */
function measureHeap(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}
