// Numbers that have called an emergency service within a day: calls to them are refused for no count of calls.
import type { Millis } from "../domain/time.ts";
import { createExpiringSlots, NONE } from "../state/expiring-slots.ts";

/** The service may call back for a day. */
const CALL_BACK: Millis = 24 * 3_600_000;
/** Numbers at one time. Above them the filter knows of no more until the first ones are a day old. */
const MOST = 262_144;

/**
 * Numbers that have called an emergency service. Whoever bombs a called party, and whatever is found about her: the
 * service that calls her back reaches her.
 */
export interface EmergencyParties {
  /** @param key of the calling number, as in `PartyNumber` */
  note(key: number, now: Millis): void;
  has(key: number, now: Millis): boolean;
}

export function createEmergencyParties(): EmergencyParties {
  let slots: ReturnType<typeof createExpiringSlots> | undefined;
  return {
    note(key, now) {
      // Most filters see few emergency calls, and tests none: the table is made for the first one.
      slots ??= createExpiringSlots(MOST, CALL_BACK, ignore, ignore);
      slots.claim(String(key), now);
    },
    has: (key, now) => slots !== undefined && slots.find(String(key), now) !== NONE,
  };
}

const ignore = (): void => undefined;
