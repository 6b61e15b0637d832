// Ends calls of some trunks by order: BYE to both sides of those that stand, CANCEL and a final answer for those in set-up.
import { NO_CALL, type CallName, type CallSlot } from "../../calls/calls.ts";
import type { ReleaseWork } from "../../calls/release.ts";
import type { Millis } from "../../domain/time.ts";
import type { TrunkId } from "../../domain/trunk.ts";
import { readDialogs } from "../memory/kept-dialogs.ts";
import type { ReleasedCall, ReleaseTally } from "../memory/released-calls.ts";
import { guard, type ProxyState } from "../turn/proxy-state.ts";
import { beginMoment, type Moment } from "../turn/turn.ts";
import { RELEASE_CAUSE, sendBye } from "./bye.ts";
import { releaseSetup } from "./setup-release.ts";

/** Calls that one step ends, at most: some 60 µs each. */
const MOST_ENDED = 16;

/** Begins to release the calls that these trunks have begun. */
export function beginRelease(proxy: ProxyState, trunks: ReadonlySet<TrunkId>): ReleaseWork {
  const tally: ReleaseTally = { released: 0, gone: 0, notReleasable: 0, waiting: 0 };
  const found: CallName[] = [];
  let from: CallSlot = 0;
  let next = 0;
  return {
    step(now) {
      if (from !== NO_CALL) {
        from = proxy.calls.findOfTrunks(trunks, from, found);
        return false;
      }
      const moment = beginMoment(proxy, now);
      for (const end = Math.min(next + MOST_ENDED, found.length); next < end; next++) {
        const name = found[next]!;
        guard(proxy, () => releaseCall(moment, name, tally));
      }
      return next >= found.length;
    },
    waiting: () => tally.waiting,
    count: () => ({
      released: tally.released + tally.waiting,
      gone: tally.gone,
      notReleasable: tally.notReleasable,
    }),
  };
}

function releaseCall(moment: Moment, name: CallName, tally: ReleaseTally): void {
  const { calls } = moment.proxy;
  const slot = calls.named(name);
  const state = slot === NO_CALL ? "over" : calls.stateOf(slot);
  if (state === "setup") releaseSetup(moment, slot, tally);
  else if (state === "answered") releaseAnswered(moment, slot, tally);
  else tally.gone++;
}

/** Sends a BYE to both sides of each dialog that stands, then ends the call. */
function releaseAnswered(moment: Moment, slot: CallSlot, tally: ReleaseTally): void {
  const { proxy, now } = moment;
  const { calls } = proxy;
  const text = calls.textOf(slot);
  const dialogs = text === undefined ? [] : readDialogs(text);
  const standing = dialogs.filter(({ calledTag }) => calls.stands(slot, calledTag));
  if (standing.length === 0) {
    tally.notReleasable++;
    return;
  }
  const call: ReleasedCall = {
    name: calls.nameOf(slot),
    tally,
    invite: undefined,
    targets: [],
    cancelled: [],
    tags: dialogs.map(({ calledTag }) => calledTag),
    cseq: calls.highestSequence(slot, "caller"),
    open: 0,
    sent: 0,
    unknown: 0,
  };
  const toCaller = calls.highestSequence(slot, "called") + 1;
  for (const dialog of standing) {
    sendBye(moment, call, dialog, "called", call.cseq + 1);
    sendBye(moment, call, dialog, "caller", toCaller);
  }
  proxy.released.add(call, now);
  tally.waiting++;
  settle(call);
  calls.ended(slot, { by: "filter", how: "released", status: 200, cause: RELEASE_CAUSE }, now);
}

/** Counts a call once no BYE of its waits for an answer any more. */
function settle({ open, sent, unknown, tally }: ReleasedCall): void {
  if (open > 0) return;
  tally.waiting--;
  if (sent > 0 && unknown === sent) tally.gone++;
  else tally.released++;
}

/**
 * Notes that a BYE of ours was answered, or will not be.
 *
 * @param status 0: no answer came
 */
export function noteByeAnswered(call: ReleasedCall, status: number): void {
  if (call.open === 0) return;
  call.open--;
  // The side had no such call any more (RFC 3261 section 15.1.2), or there is nobody behind it.
  if (status === 481 || status === 408) call.unknown++;
  if (call.invite === undefined) settle(call);
}

/** Repeats what was not answered, and forgets what ended long enough ago. */
export function tickReleases(proxy: ProxyState, now: Millis): void {
  proxy.released.tick(now);
  proxy.ownRequests.tick(
    now,
    ({ listener, address, port, bytes }) => {
      if (bytes !== undefined)
        guard(proxy, () => proxy.sink.send(listener, address, port, bytes, bytes.length));
    },
    ({ method, call }) => {
      if (method === "BYE") noteByeAnswered(call, 0);
    },
  );
}
