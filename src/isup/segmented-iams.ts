// Keeps IAMs until their segmentation message comes (Q.764 section 2.1.12).
import type { Millis } from "../domain/time.ts";
import { keepMessage, type HeldCall } from "./circuits.ts";

/** How long a segmentation message is waited for (Q.764 table A.1: T34, 2 to 4 s). */
export const T34: Millis = 3000;

/** At most this many IAMs wait at one time. Messages of MTP have 272 octets (Q.703 section 2.3.8). */
const MOST_HELD = 4096;
export const MOST_KEPT = 1024;

/**
 * IAMs that have announced more parameters in a segmentation message (Q.764 section 2.1.12). Both are judged as one;
 * until then nothing of the call reaches the other side.
 */
export interface HeldCalls {
  /** Keeps a copy. @returns false when there is no room for it */
  hold(iam: Omit<HeldCall, "due">, now: Millis): boolean;
  drop(call: HeldCall): void;
  /** Takes out one IAM whose segment has not come in time. */
  nextOverdue(now: Millis): HeldCall | undefined;
}

export function createHeldCalls(): HeldCalls {
  const waiting = new Set<HeldCall>();
  const drop = (call: HeldCall): void => {
    waiting.delete(call);
    call.circuit.held[call.side] = undefined;
  };
  return {
    hold({ circuit, side, link, stream, bytes, iam }, now) {
      if (waiting.size >= MOST_HELD || bytes.length > MOST_KEPT) return false;
      const kept = keepMessage({ link, stream, bytes });
      const call: HeldCall = { ...kept, circuit, side, iam, due: now + T34 };
      circuit.held[side] = call;
      waiting.add(call);
      return true;
    },
    drop,
    nextOverdue(now) {
      for (const call of waiting) {
        if (call.due > now) return undefined;
        drop(call);
        return call;
      }
      return undefined;
    },
  };
}
