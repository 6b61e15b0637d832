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
  /** Callers that were not kept. */
  full(): number;
  readonly octets: number;
}

/** @param lifetime a called party without calls for so long is forgotten */
export function createBombers(lifetime: Millis): Bombers {
  const parties = new Map<number, Party>();
  let full = 0;

  /** The party that was called least recently stands first. */
  function makeRoom(now: Millis): boolean {
    for (const [called, { touched }] of parties) {
      if (now - touched <= lifetime) break;
      parties.delete(called);
    }
    return parties.size < MOST_PARTIES;
  }

  function partyOf(called: number, now: Millis): Party | undefined {
    const known = parties.get(called);
    if (known !== undefined) {
      parties.delete(called);
      known.touched = now;
      parties.set(called, known);
      return known;
    }
    if (parties.size >= MOST_PARTIES && !makeRoom(now)) return undefined;
    const fresh: Party = { touched: now, callers: [] };
    parties.set(called, fresh);
    return fresh;
  }

  function callerIn({ callers }: Party, { trunk, caller }: SeenCall): Caller | undefined {
    const known = callers.find((one) => one.caller === caller && one.trunk === trunk.id);
    if (known !== undefined || callers.length >= MOST_PARTICIPANTS) return known;
    const fresh: Caller = { trunk: trunk.id, caller, weight: 0, isIn: false };
    callers.push(fresh);
    return fresh;
  }

  return {
    add(call, weight, calls, now) {
      if (calls === 0) parties.delete(call.called);
      if (weight === 0 || calls <= FIRST_CALLS) return undefined;
      if (weight < 0 && !parties.has(call.called)) return undefined;
      const party = partyOf(call.called, now);
      const caller = party === undefined ? undefined : callerIn(party, call);
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

function participantOf({ trunk, caller }: Caller): Participant {
  return { trunk, number: formatKey(caller) };
}
