// A place in a packet: which header begins where, for readers that skip one header each.

/**
 * What may begin at a place. Values up to 0xffff are EtherTypes; the others are headers that have none. IP is read where its
 * version is.
 */
export const Header = {
  ipv4: 0x0800,
  ipv6: 0x86dd,
  vlan: 0x8100,
  serviceVlan: 0x88a8,
  oldQinQ: 0x9100,
  backboneVlan: 0x88e7,
  vnTag: 0x8926,
  pppoe: 0x8864,
  mpls: 0x8847,
  mplsMulticast: 0x8848,
  macsec: 0x88e5,
  bridgedEthernet: 0x6558,
  pppOfGre: 0x880b,
  frameRelayOfGre: 0x6559,
  ip: 0x1_0000,
  ethernet: 0x1_0001,
  llc: 0x1_0002,
  ppp: 0x1_0003,
  ciscoHdlc: 0x1_0004,
  frameRelay: 0x1_0005,
  nlpid: 0x1_0006,
  wlan: 0x1_0007,
  radiotap: 0x1_0008,
  prism: 0x1_0009,
  avs: 0x1_000a,
  ppi: 0x1_000b,
  nflog: 0x1_000c,
  family: 0x1_000d,
  cooked: 0x1_000e,
  cooked2: 0x1_000f,
  pppWithDirection: 0x1_0010,
  paddedWlan: 0x1_0011,
} as const;

/** Where the reading of a packet stands. The object is reused. */
export interface Place {
  /** {@link Header}, or the EtherType of a protocol that is not read. */
  type: number;
  at: number;
}

/**
 * Skips the header at `place` in `buffer[…, end)`, and leaves `place` at the next one. Invariant: `place.at` grows.
 *
 * @returns 0, or a reason of `unread`
 */
export type Skip = (place: Place, buffer: Buffer, end: number) => number;
