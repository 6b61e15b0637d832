// Ends calls of some trunks by order: REL to both exchanges (Q.764 section 2.3), repeated and reset like a refusal.
import { across, type LinkSide } from "./links.ts";
import { NO_CALL } from "../calls/calls.ts";
import type { ReleaseWork } from "../calls/release.ts";
import type { Millis } from "../domain/time.ts";
import type { TrunkId } from "../domain/trunk.ts";
import { turnLabel } from "../ss7/m3ua-reply.ts";
import { endCall } from "./call-progress.ts";
import type { Circuit, PassedCall } from "./circuits.ts";
import { ANY_IAM, NO_IAM } from "./circuit-release.ts";
import { causeFor } from "./iam.ts";
import type { IsupState } from "./isup-turn.ts";

/** Circuits that one step looks at, and calls that one step ends, at most. */
const MOST_SEEN = 4096;
const MOST_ENDED = 32;

const sides = [0, 1] as const;

interface FoundCall {
  readonly circuit: Circuit;
  readonly side: LinkSide;
  readonly call: PassedCall;
}

/**
 * Begins to release the calls that these trunks have begun. Emergency calls go on; they are not counted here.
 *
 * @param guard runs a step, and catches its error
 */
export function beginIsupRelease(
  relay: IsupState,
  trunks: ReadonlySet<TrunkId>,
  guard: (step: () => void) => void,
): ReleaseWork {
  const circuits = relay.circuits.all()[Symbol.iterator]();
  const found: FoundCall[] = [];
  let isSearching = true;
  let next = 0;
  let released = 0;
  let gone = 0;

  const search = (): void => {
    for (let left = MOST_SEEN; left > 0; left--) {
      const seen = circuits.next();
      if (seen.done === true) {
        isSearching = false;
        return;
      }
      for (const side of sides) {
        const call = seen.value.calls[side];
        const isMeant = call !== undefined && trunks.has(call.attempt.trunk.id);
        if (isMeant && call.emergency === undefined) found.push({ circuit: seen.value, side, call });
      }
    }
  };

  const end = ({ circuit, side, call }: FoundCall, now: Millis): void => {
    if (circuit.calls[side] !== call || isOver(relay, call)) {
      gone++;
      return;
    }
    releaseCircuit(relay, circuit, side, call, now);
    released++;
  };

  return {
    step(now) {
      if (isSearching) {
        search();
        return false;
      }
      for (const last = Math.min(next + MOST_ENDED, found.length); next < last; next++) {
        const each = found[next]!;
        guard(() => end(each, now));
      }
      return next >= found.length;
    },
    waiting: () => 0,
    count: () => ({ released, gone, notReleasable: 0 }),
  };
}

/** True when a REL of the call has passed already. A call without a row counts as one that stands. */
function isOver({ calls }: IsupState, { name }: PassedCall): boolean {
  if (name === undefined) return false;
  const slot = calls.named(name);
  return slot === NO_CALL || calls.stateOf(slot) === "over";
}

/** Sends REL to both exchanges. Each side is absorbed until its RLC; then the circuit is free. */
function releaseCircuit(
  relay: IsupState,
  circuit: Circuit,
  side: LinkSide,
  call: PassedCall,
  now: Millis,
): void {
  const { circuits, releases } = relay;
  const { label, link, stream } = call;
  const cause = causeFor(relay, link, "line-stopped");
  endCall(relay, call, { by: "filter", how: "released", cause }, now);
  circuits.setCall(circuit, side, undefined);
  // Nobody seizes a circuit whose call both exchanges know.
  const iam = call.phase === "begun" ? NO_IAM : ANY_IAM;
  releases.releaseKept(circuit, across(side), { label, link, stream, cause, iam }, now);
  releases.releaseKept(circuit, side, { label: turnLabel(label), link, stream, cause, iam }, now);
}
