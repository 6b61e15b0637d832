// Says why a packet leads to no message: the kinds of reasons, and a reason as one number.

/**
 * Why a packet was not read. Each kind has a value: the number that stands in the packet where reading ended.
 */
export const Unread = {
  /** The packet is cut short, or its lengths contradict each other. */
  damaged: 0,
  /** More headers stand inside each other than are followed. */
  nested: 1,
  linkType: 2,
  etherType: 3,
  /** A service access point of IEEE 802.2. */
  llc: 4,
  /** A protocol of SNAP under the number of another organisation than IEEE; the value is the protocol. */
  snap: 5,
  pppProtocol: 6,
  /** A network layer protocol identifier of ISO/IEC TR 9577, on Frame Relay. */
  nlpid: 7,
  /** An address family of BSD loopback, NFLOG or another pseudo link. */
  family: 8,
  ipProtocol: 9,
  greProtocol: 10,
  udpPort: 11,
  tcpPort: 12,
  sctpPort: 13,
  /** A TCP connection that begins with a record of TLS. */
  tlsPort: 14,
  /** A frame of IEEE 802.11 that is encrypted. */
  protectedWlan: 15,
  /** A frame of IEEE 802.11 that carries no data, or a fragment of one. */
  otherWlan: 16,
  /** A frame of IEEE 802.1AE that is encrypted. */
  macsec: 17,
  /** What follows the labels of MPLS is neither IP nor Ethernet. */
  mplsPayload: 18,
  /** An exported PDU of a protocol that carries no calls. */
  exportedPdu: 19,
  /** A protocol type of HEP. */
  hep: 20,
  /** Signalling of SS7 that is neither ISUP nor BICC. */
  otherSs7: 21,
} as const;

const VALUES = 0x1_0000;

/** Returned where no tunnel begins: the packet is read as it is. */
export const NO_TUNNEL = -1;

/**
 * Returns a reason as a negative number below {@link NO_TUNNEL}. So a search for a place gives either the place or the reason.
 *
 * @param kind one of {@link Unread}
 * @param value 0 to 65535
 */
export function unread(kind: number, value = 0): number {
  return -2 - kind * VALUES - (value & 0xffff);
}

/** A reason of {@link unread}, taken apart. */
export function unreadReason(code: number): { readonly kind: number; readonly value: number } {
  const all = -2 - code;
  return { kind: Math.floor(all / VALUES), value: all % VALUES };
}

/** The packet ends before it should. */
export const DAMAGED = unread(Unread.damaged);
