// Bounds the refusals of one kind that are told one by one: a flood of calls must not become a flood of records.
import type { CallsShed } from "../domain/call.ts";
import type { ReasonCode } from "../domain/reason.ts";
import type { Millis, WallClock } from "../domain/time.ts";
import type { TrunkId } from "../domain/trunk.ts";

/** At most this many refusals of a share are told one by one in a second, for each trunk. */
const MOST_TOLD = 50;

const SECOND: Millis = 1000;

/**
 * Shed calls and answers of the protocol, or requests that are refused before any rule is asked. The first ones of a
 * second are told one by one, the others as a sum.
 */
export interface ToldShare {
  /** @returns true when this one is to be told by itself; otherwise it was added to the sum of its second */
  take(trunk: TrunkId, reason: ReasonCode, status: number, now: Millis): boolean;
  /** Tells the sums of seconds that are over. Call it several times a second. */
  flush(now: Millis, tell: (event: CallsShed) => void): void;
}

interface TrunkShare {
  begun: Millis;
  told: number;
  /** By reason and status. At most as many as there are reasons and answers of the protocol. */
  readonly sums: Map<string, { readonly reason: ReasonCode; readonly status: number; count: number }>;
}

/** `wall`: the sums of seconds are dated by it. `of`: what is refused; left out: call attempts. */
export function createToldShare(wall: WallClock = { ahead: 0 }, of?: CallsShed["of"]): ToldShare {
  const kind: Pick<CallsShed, "kind" | "of"> = of === undefined ? { kind: "shed" } : { kind: "shed", of };
  // Trunk ids come from the policy, so the map is bounded by what operators configured.
  const trunks = new Map<TrunkId, TrunkShare>();
  /** Trunks with a sum that is not told yet. */
  const waiting = new Set<TrunkId>();
  let ended: CallsShed[] = [];

  function close(trunk: TrunkId, share: TrunkShare): void {
    const { sums } = share;
    const from = share.begun + wall.ahead;
    for (const { reason, status, count } of sums.values())
      ended.push({ ...kind, trunk, reason, status, count, from, to: from + SECOND });
    sums.clear();
    waiting.delete(trunk);
  }

  function shareOf(trunk: TrunkId, now: Millis): TrunkShare {
    let share = trunks.get(trunk);
    if (share === undefined) trunks.set(trunk, (share = { begun: now, told: 0, sums: new Map() }));
    // A clock that was set back begins a second too.
    if (now - share.begun >= SECOND || now < share.begun) {
      close(trunk, share);
      share.begun = now;
      share.told = 0;
    }
    return share;
  }

  return {
    take(trunk, reason, status, now) {
      const share = shareOf(trunk, now);
      if (share.told < MOST_TOLD) {
        share.told++;
        return true;
      }
      const key = `${reason} ${status}`;
      const sum = share.sums.get(key);
      if (sum === undefined) share.sums.set(key, { reason, status, count: 1 });
      else sum.count++;
      waiting.add(trunk);
      return false;
    },
    flush(now, tell) {
      for (const trunk of waiting) shareOf(trunk, now);
      if (ended.length === 0) return;
      const told = ended;
      ended = [];
      for (const event of told) tell(event);
    },
  };
}
