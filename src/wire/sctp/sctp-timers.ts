// The timers of SCTP associations: when a message is sent again, and when a path or an association is given up.
import type { Millis } from "../../domain/time.ts";

/**
 * Retransmission time-outs (RFC 9260 section 6.3.1). The defaults of the RFC, 1 s to 60 s, are for the Internet; SS7
 * changes over within a second (Q.704 section 5; RFC 4166 section 3). `min` is above the 200 ms that peers delay an
 * acknowledgement, or single messages would be sent twice.
 */
export const RTO: { readonly initial: Millis; readonly min: Millis; readonly max: Millis } = {
  initial: 500,
  min: 300,
  max: 1000,
};

/**
 * Path.Max.Retrans: a path that has not answered so many times is down. Messages leave it before, after the first
 * time-out (RFC 9260 section 8.2; RFC 7829).
 */
export const PATH_RETRANSMISSIONS = 4;

/** HB.interval: how long a path is idle before it is asked for a sign of life (RFC 9260 section 8.3). */
export const HEARTBEAT: Millis = 2000;

/** How long we delay an acknowledgement (RFC 9260 section 6.2), so that the peer may have a short time-out too. */
export const ACKNOWLEDGE: Millis = 100;

/** INITs that are sent before a connect fails, and the longest time between two. */
export const INIT_ATTEMPTS = 4;
export const INIT_MAX: Millis = 1000;

/** At most this many counted in {@link associationRetransmissions}. */
const MOST_PATHS = 2;

/**
 * Association.Max.Retrans: the association is given up after so many time-outs without an answer by any path. At most
 * the sum of those of its paths (RFC 9260 section 8.1).
 */
export function associationRetransmissions(paths: number): number {
  return PATH_RETRANSMISSIONS * Math.min(Math.max(paths, 1), MOST_PATHS);
}
