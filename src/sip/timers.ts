// Lifetimes of SIP, each once. Milliseconds.
import type { Millis } from "../domain/time.ts";

/** Estimate of the round-trip time (RFC 3261 section 17.1.1.1). */
export const T1: Millis = 500;

/** Longest interval between repeats of anything but an INVITE (RFC 3261 section 17.1.2.1). */
export const T2: Millis = 4000;

/**
 * 64·T1: timers B, F and H. A request or an answer is repeated for this long; after a CANCEL a final answer comes
 * within this time or never (RFC 3261 sections 9.1, 17.1.1.2, 17.1.2.2 and 17.2.1).
 */
export const REPEATED_FOR: Millis = 64 * T1;

/** Least time that a proxy waits for a final answer after a provisional one (RFC 3261 section 16.6 step 11). */
export const TIMER_C: Millis = 180_000;

/**
 * Waiting time after the last provisional answer. It is a minute above {@link TIMER_C}, so that other proxies give up
 * first.
 */
export const SETUP_SILENCE: Millis = TIMER_C + 60_000;

/**
 * Time that a session is kept beyond its expiry. The side that hears no refresh sends BYE up to 32 seconds before the
 * expiry, and that BYE is repeated for 64·T1 (RFC 4028 section 10).
 */
export const SESSION_GRACE: Millis = REPEATED_FOR;
