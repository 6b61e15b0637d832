// Calls back: who rang a party without an answer, and is called by that party soon after.
import type { Millis } from "../../domain/time.ts";
import type { Mutable } from "../../domain/mutable.ts";
import { NONE, type SeenCall } from "./detector.ts";
import { mix } from "./scores.ts";
import { NO_ROW, type SubjectTables } from "./subject-table.ts";

/** Callers stand on no trunk here: a call back comes in by the trunk of the party that was rung. */
const ANY_TRUNK = 0;
/** Parties that were rung last, and how long each is known. Seconds. */
const PARTIES = 4;
const LIFETIME = 1800;

/** Words of a row: the place of the last call plus one, the party that is written next, and parties with their seconds. */
const WORDS = 2 + 2 * PARTIES;
const PLACE = 0;
const NEXT = 1;
const PARTY = 2;

export interface CallBacks {
  /** Writes into a call that begins whether it is a call back. */
  begun(call: Mutable<SeenCall>, now: Millis): void;
  ended(call: SeenCall, now: Millis): void;
}

export function createCallBacks({ numbers }: SubjectTables): CallBacks {
  const { ints } = numbers.column({
    words: WORDS,
    isIdle(row, second) {
      for (let at = row * WORDS + PARTY; at < (row + 1) * WORDS; at += 2)
        if (ints[at] !== 0 && second - ints[at + 1]! <= LIFETIME) return false;
      return true;
    },
  });
  return {
    begun(call, now) {
      call.backPlace = NONE;
      const row = numbers.find(ANY_TRUNK, call.called);
      if (row === NO_ROW || ints[row * WORDS + PLACE] === 0) return;
      const party = mix(call.caller) | 1;
      for (let at = row * WORDS + PARTY; at < (row + 1) * WORDS; at += 2) {
        if (ints[at] !== party) continue;
        call.backPlace = ints[row * WORDS + PLACE]! - 1;
        call.backAfter = now - 1000 * ints[at + 1]!;
        // One ring is called back once.
        ints[at] = 0;
        return;
      }
    },
    ended(call, now) {
      const { end, caller, called, place, isDiverted } = call;
      if (end.talked !== NONE || end.rang === NONE || isDiverted) return;
      const second = Math.floor(now / 1000);
      const row = numbers.claim(ANY_TRUNK, caller, second);
      if (row === NO_ROW) return;
      const at = row * WORDS;
      const slot = ints[at + NEXT]!;
      ints[at + PLACE] = place + 1;
      ints[at + PARTY + 2 * slot] = mix(called) | 1;
      ints[at + PARTY + 2 * slot + 1] = second;
      ints[at + NEXT] = (slot + 1) % PARTIES;
    },
  };
}
