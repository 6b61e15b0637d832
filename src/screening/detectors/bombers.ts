// Who takes part in the bombing of a called party: the callers whose own calls fit the pattern. Bounded.
import { MOST_PARTICIPANTS, type Participant } from "../../domain/finding.ts";
import { formatKey } from "../../domain/number.ts";
import type { Millis } from "../../domain/time.ts";
import type { SeenCall } from "./detector.ts";

/** Called parties whose callers are kept at one time. */
const MOST_PARTIES = 4096;
/** Calls that fit and are not kept: nearly every called party has some. */
const FIRST_CALLS = 2;
/**
 * What the calls of one caller must weigh by themselves: odds of some twenty to one. Two calls that she cut off, or three
 * that nobody answered. Who tries twice is not taken for a bomber.
 */
const OWN_WEIGHT = 3;

interface Caller {
  readonly trunk: string;
  readonly caller: number;
  weight: number;
  isIn: boolean;
}

interface Party {
  touched: Millis;
  readonly callers: Caller[];
}

export interface Bombers {
  /**
   * Takes a call.
   *
   * @param weight what it says
   * @param calls calls to the party that fitted, this one included; 0: nothing speaks against her callers any more
   * @returns the caller, where it takes part from this call on
   */
  add(call: SeenCall, weight: number, calls: number, now: Millis): Participant | undefined;
  /** The callers that take part. */
  of(called: number): readonly Participant[];
  /** Callers that were not kept, or not long enough. */
  full(): number;
  readonly octets: number;
}

/** @param lifetime a called party without calls for so long is forgotten */
export function createBombers(lifetime: Millis): Bombers {
  const parties = new Map<number, Party>();
  let full = 0;

  /**
   * Forgets the party that was called least recently, which stands first. Who calls some thousand parties a few times must
   * not take the shields of all others.
   */
  function makeRoom(now: Millis): void {
    for (const [called, { touched, callers }] of parties) {
      parties.delete(called);
      if (now - touched <= lifetime) full += callers.length;
      return;
    }
  }

  function partyOf(called: number, now: Millis): Party {
    const known = parties.get(called);
    if (known !== undefined) {
      parties.delete(called);
      known.touched = now;
      parties.set(called, known);
      return known;
    }
    if (parties.size >= MOST_PARTIES) makeRoom(now);
    const fresh: Party = { touched: now, callers: [] };
    parties.set(called, fresh);
    return fresh;
  }

  /** @returns undefined where there is no room, and the calls of everybody kept weigh as much as this one */
  function callerIn({ callers }: Party, { trunk, caller }: SeenCall, weight: number): Caller | undefined {
    const known = callers.find((one) => one.caller === caller && one.trunk === trunk.id);
    if (known !== undefined) return known;
    const fresh: Caller = { trunk: trunk.id, caller, weight: 0, isIn: false };
    if (callers.length < MOST_PARTICIPANTS) {
      callers.push(fresh);
      return fresh;
    }
    // A bomber who lets many numbers call once must not be spared for that.
    const least = leastOf(callers);
    if (least === undefined || callers[least]!.weight >= weight) return undefined;
    full++;
    callers[least] = fresh;
    return fresh;
  }

  return {
    add(call, weight, calls, now) {
      if (calls === 0) parties.delete(call.called);
      if (weight === 0 || calls <= FIRST_CALLS) return undefined;
      if (weight < 0 && !parties.has(call.called)) return undefined;
      const caller = callerIn(partyOf(call.called, now), call, weight);
      if (caller === undefined) {
        full++;
        return undefined;
      }
      caller.weight = Math.max(0, caller.weight + weight);
      if (caller.isIn || caller.weight < OWN_WEIGHT) return undefined;
      caller.isIn = true;
      return participantOf(caller);
    },
    of: (called) => (parties.get(called)?.callers ?? []).filter(({ isIn }) => isIn).map(participantOf),
    full: () => full,
    octets: MOST_PARTIES * 200,
  };
}

/** The place of the caller whose calls weigh least, of those that take no part. */
function leastOf(callers: readonly Caller[]): number | undefined {
  let least: number | undefined;
  for (const [place, { isIn, weight }] of callers.entries())
    if (!isIn && (least === undefined || weight < callers[least]!.weight)) least = place;
  return least;
}

function participantOf({ trunk, caller }: Caller): Participant {
  return { trunk, number: formatKey(caller) };
}
