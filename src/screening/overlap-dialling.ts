// Overlap dialling: an INVITE that was answered 484 Address Incomplete, and the INVITE that continues it with more digits.
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { CallAttempt } from "../domain/attempt.ts";
import type { Millis, WallClock } from "../domain/time.ts";
import type { TrunkId } from "../domain/trunk.ts";
import { decodeOnce, isPlainNumber, withoutSeparators } from "../numbering/sip-user.ts";
import { createExpiringMap } from "../state/expiring-map.ts";
import { wholeNumber } from "./recent-calls.ts";

/** How long the next digits may take. Milliseconds. */
const LIFETIME: Millis = 32_000;
/** At most this many calls wait for more digits. The next call of one that found no room pays its limits. */
const MOST_INCOMPLETE = 16_384;
/** A called number with more digits continues nothing: 15 digits of E.164, prefixes, and some digits of a PBX. */
const MOST_DIGITS = 32;
/** At most this many characters of what was dialled, and of a key. Longer ones are no overlap dialling. */
const MAX_TEXT = 256;

/** A call that was answered 484. */
export interface IncompleteCall {
  readonly trunk: TrunkId;
  readonly callId: string;
  readonly fromTag: string;
  /** Called and calling numbers, as {@link dialledBy} writes them. */
  readonly dialled: string;
  /** NODE-EPOCH-COUNT. */
  readonly id: string;
}

interface Waiting {
  readonly dialled: string;
  readonly id: string;
  /** What the call that used the 484 dialled. */
  usedBy: string | undefined;
}

/**
 * The calls that wait for more digits (RFC 3578). The INVITE that continues one has its Call-ID, its From tag and its
 * callers, and a called number that begins with all digits of the former one. It is judged on its own. It costs no
 * limit. One call continues each 484: another number behind the same 484 is a new call.
 */
export interface OverlapDialling {
  /** Notes a 484. */
  incomplete(call: IncompleteCall, now: Millis): void;
  /** Returns the id of the call that the attempt continues. Changes nothing. */
  continues(attempt: CallAttempt): string | undefined;
  /** True when the attempt continues a call whose 484 has not been used. Changes nothing. */
  isFree(attempt: CallAttempt): boolean;
  /** Does the same as `isFree`, and uses the 484. */
  takeFree(attempt: CallAttempt): boolean;
}

/** @param wall how the clock of attempts stands to the one that lifetimes are measured on */
export function createOverlapDialling(capacity: number, wall: WallClock): OverlapDialling {
  const waiting = createExpiringMap<Waiting>(Math.min(capacity, MOST_INCOMPLETE), LIFETIME);

  const find = (attempt: CallAttempt): Waiting | undefined => {
    if (waiting.size === 0 || attempt.callId === "") return undefined;
    const found = waiting.get(
      keyOf(attempt.trunk.id, attempt.callId, attempt.fromTag),
      attempt.at - wall.ahead,
    );
    return found !== undefined && isContinued(found.dialled, dialledBy(attempt)) ? found : undefined;
  };
  const findUnused = (attempt: CallAttempt): Waiting | undefined => {
    const found = find(attempt);
    return found?.usedBy === undefined ? found : undefined;
  };

  return {
    incomplete({ trunk, callId, fromTag, dialled, id }, now) {
      if (dialled === "") return;
      waiting.set(keyOf(trunk, callId, fromTag), { dialled, id, usedBy: undefined }, now);
    },
    continues(attempt) {
      const found = find(attempt);
      if (found === undefined) return undefined;
      const { usedBy, id } = found;
      return usedBy === undefined || usedBy === dialledBy(attempt) ? id : undefined;
    },
    isFree: (attempt) => findUnused(attempt) !== undefined,
    takeFree(attempt) {
      const found = findUnused(attempt);
      if (found === undefined) return false;
      // A copy: a slice would keep the whole message in memory.
      found.usedBy = Buffer.from(dialledBy(attempt), "latin1").toString("latin1");
      return true;
    },
  };
}

/** Returns what was dialled and the callers of a call. "": too long to be continued. */
export function dialledBy({ called, calling }: CallAttempt): string {
  let text = withoutSpelling(called.raw);
  for (const { number } of calling) text += `\n${wholeNumber(number)}`;
  return text.length <= MAX_TEXT ? text : "";
}

/** Returns the digits as received, without escapes and visual separators (RFC 3966 section 5.1.1). */
function withoutSpelling(raw: string): string {
  if (isPlainNumber(raw)) return raw;
  const text = decodeOnce(raw);
  return typeof text === "string" ? withoutSeparators(text) : raw;
}

function keyOf(trunk: TrunkId, callId: string, fromTag: string): string {
  const key = `${trunk}\n${callId}\n${fromTag}`;
  return key.length <= MAX_TEXT ? key : createHash("sha256").update(key, "latin1").digest("hex");
}

/** True when the later call has the same callers, and dialled the same digits and more. */
function isContinued(former: string, later: string): boolean {
  const end = endOfCalled(former);
  const laterEnd = endOfCalled(later);
  if (end === 0 || laterEnd <= end || laterEnd > MOST_DIGITS || !later.startsWith(former.slice(0, end)))
    return false;
  return former.slice(end) === later.slice(laterEnd) && isDialled(later, laterEnd);
}

function endOfCalled(dialled: string): number {
  const end = dialled.indexOf("\n");
  return end < 0 ? dialled.length : end;
}

/** True for digits, `*` and `#` behind an optional "+". */
function isDialled(text: string, end: number): boolean {
  for (let i = text.startsWith("+") ? 1 : 0; i < end; i++) {
    const c = text.charCodeAt(i);
    if ((c < 0x30 || c > 0x39) && c !== 0x2a && c !== 0x23) return false;
  }
  return true;
}
