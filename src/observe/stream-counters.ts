// The counters of TCP and TLS connections.

/** The results of attempts to connect: by a peer (`accepted`, `refused`) and by the filter (`connected`, `failed`). */
export const connectionResults = ["accepted", "refused", "connected", "failed"] as const;
export type ConnectionResult = (typeof connectionResults)[number];

/** Why a connection ended. `peer`: the peer ended it. The other values say why the filter ended it. */
export const closingReasons = [
  "peer",
  "framing",
  "incomplete",
  "idle",
  "slow-reader",
  "memory",
  "share",
  "policy",
] as const;
export type ClosingReason = (typeof closingReasons)[number];

/**
 * Why a TLS connection came to nothing. `no-certificate`: the peer showed none. `untrusted`: no authority of ours vouches
 * for its certificate, or its dates are over. `wrong-name`: the certificate is good, and its names are no trunk's or not
 * the next hop's. `stranger`: no trunk is at its address, so that no handshake began. `timeout`: the handshake took too long. `handshake`: anything else, such as a version or cipher.
 */
export const tlsRefusals = [
  "no-certificate",
  "untrusted",
  "wrong-name",
  "stranger",
  "timeout",
  "handshake",
] as const;
export type TlsRefusal = (typeof tlsRefusals)[number];

/** The counters of the TCP and TLS connections of all listeners: plain numbers, read at a scrape. */
export interface StreamCounters {
  /** Connections that carry messages now. */
  open: number;
  /** Octets that wait for peers to read them. */
  unread: number;
  readonly results: Record<ConnectionResult, number>;
  readonly closed: Record<ClosingReason, number>;
  /** Messages that no connection could carry. */
  undelivered: number;
  readonly tlsRefused: Record<TlsRefusal, number>;
}

export function createStreamCounters(): StreamCounters {
  return {
    open: 0,
    unread: 0,
    results: { accepted: 0, refused: 0, connected: 0, failed: 0 },
    closed: { peer: 0, framing: 0, incomplete: 0, idle: 0, "slow-reader": 0, memory: 0, share: 0, policy: 0 },
    undelivered: 0,
    tlsRefused: { "no-certificate": 0, untrusted: 0, "wrong-name": 0, stranger: 0, timeout: 0, handshake: 0 },
  };
}
