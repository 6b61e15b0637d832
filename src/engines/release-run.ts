// Runs a release of calls: a piece in each turn of the event loop, then waits for the answers of the peers.
import { NO_CALL, type CallName, type Calls, type CallSlot } from "../calls/calls.ts";
import { nothingReleased, type ReleaseCount, type ReleaseWork } from "../calls/release.ts";
import type { Millis } from "../domain/time.ts";
import type { TrunkId } from "../domain/trunk.ts";
import { engineNow } from "../wire/kernel/clock.ts";

/**
 * How long a release waits for the answers to its BYEs before it counts. A peer that is alive answers in less; the BYEs
 * are repeated for 64·T1 all the same. Milliseconds.
 */
const PATIENCE: Millis = 5000;

/** Time between two looks at what waits. Milliseconds. */
const LOOK: Millis = 20;

/** Does one work after the other; their counts are added up. */
export function inTurn(works: readonly ReleaseWork[]): ReleaseWork {
  let at = 0;
  return {
    step(now) {
      if (works[at]?.step(now) !== false) at++;
      return at >= works.length;
    },
    waiting: () => works.reduce((sum, work) => sum + work.waiting(), 0),
    count: () =>
      works
        .map((work) => work.count())
        .reduce(
          (sum, each) => ({
            released: sum.released + each.released,
            gone: sum.gone + each.gone,
            notReleasable: sum.notReleasable + each.notReleasable,
          }),
          nothingReleased,
        ),
  };
}

/** Counts the calls of the trunks that still stand as not releasable. Ends none. */
export function remaining(
  calls: Pick<Calls<never>, "findOfTrunks">,
  trunks: ReadonlySet<TrunkId>,
): ReleaseWork {
  const found: CallName[] = [];
  let from: CallSlot = 0;
  return {
    step() {
      if (from !== NO_CALL) from = calls.findOfTrunks(trunks, from, found);
      return from === NO_CALL;
    },
    waiting: () => 0,
    count: () => ({ ...nothingReleased, notReleasable: found.length }),
  };
}

/** Ends the calls of the work. Other messages are handled between its pieces. */
export async function runRelease(work: ReleaseWork): Promise<ReleaseCount> {
  while (!work.step(engineNow())) await new Promise((resolve) => setImmediate(resolve));
  for (const end = engineNow() + PATIENCE; work.waiting() > 0 && engineNow() < end;)
    await new Promise((resolve) => setTimeout(resolve, LOOK));
  return work.count();
}
