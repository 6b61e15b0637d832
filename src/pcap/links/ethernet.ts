// Skips Ethernet, the tags behind it, MPLS and IEEE 802.2: headers of local networks.
import { Header, type Place, type Skip } from "./place.ts";
import { DAMAGED, unread, Unread } from "./unread.ts";

/** At most this many labels in one stack of MPLS. */
const MAX_LABELS = 16;
/** The type field of Ethernet is a length up to this value: a header of IEEE 802.2 follows. */
const MAX_LENGTH = 1500;

/** Goes on to `at`, behind a two-byte EtherType. */
function goBehindType(place: Place, buffer: Buffer, end: number, at: number): number {
  if (at > end) return DAMAGED;
  const type = buffer.readUInt16BE(at - 2);
  place.at = at;
  place.type = type <= MAX_LENGTH ? Header.llc : type;
  return 0;
}

/** Skips the two addresses and the type, or the length, of an Ethernet frame. */
export const skipEthernet: Skip = (place, buffer, end) => goBehindType(place, buffer, end, place.at + 14);

/** Skips a VLAN tag: tag control and an EtherType (IEEE 802.1Q). */
export const skipVlan: Skip = (place, buffer, end) => goBehindType(place, buffer, end, place.at + 4);

/** Skips a VN-tag, as Cisco fabric extenders write it: four octets and an EtherType. */
export const skipVnTag: Skip = (place, buffer, end) => goBehindType(place, buffer, end, place.at + 6);

/** Skips the I-TAG of provider backbone bridges (IEEE 802.1ah). An Ethernet frame follows. */
export const skipBackboneTag: Skip = (place) => {
  place.at += 4;
  place.type = Header.ethernet;
  return 0;
};

/** Goes on to the Ethernet frame that begins here. */
export const enterEthernet: Skip = (place) => {
  place.type = Header.ethernet;
  return 0;
};

/** Skips the security tag of a frame that is authenticated and not encrypted (IEEE 802.1AE section 9.3). */
export const skipMacsec: Skip = (place, buffer, end) => {
  if (place.at + 6 > end) return DAMAGED;
  const control = buffer[place.at]!;
  if ((control & 0x0c) !== 0) return unread(Unread.macsec);
  return goBehindType(place, buffer, end, place.at + ((control & 0x20) === 0 ? 8 : 16));
};

/** Skips a stack of labels (RFC 3032). What follows has no type: it is IP, or a frame of Ethernet in a pseudowire. */
export const skipMpls: Skip = (place, buffer, end) => {
  let { at } = place;
  for (let labels = 0; labels < MAX_LABELS; labels += 1) {
    if (at + 4 > end) return DAMAGED;
    const isBottom = (buffer[at + 2]! & 1) === 1;
    at += 4;
    if (!isBottom) continue;
    place.at = at;
    return enterMplsPayload(place, buffer, end);
  }
  return unread(Unread.nested);
};

/**
 * Tells what labels carry. A control word of a pseudowire begins with four bits of 0 (RFC 4385 section 3); Ethernet without
 * one may begin with any octet, also with that of IP.
 */
function enterMplsPayload(place: Place, buffer: Buffer, end: number): number {
  const { at } = place;
  if (at >= end) return DAMAGED;
  const first = buffer[at]! >>> 4;
  const isIp = first === 4 || first === 6;
  if (isIp && !looksLikeEthernet(buffer, at, end)) place.type = Header.ip;
  else if (isIp && looksLikeIp(buffer, at, end)) place.type = Header.ip;
  else if (first === 0 && looksLikeEthernet(buffer, at + 4, end)) {
    place.at = at + 4;
    place.type = Header.ethernet;
  } else if (looksLikeEthernet(buffer, at, end)) place.type = Header.ethernet;
  else return unread(Unread.mplsPayload);
  return 0;
}

/** The EtherTypes by which a frame of Ethernet is recognised. */
const telling: ReadonlySet<number> = new Set([
  Header.ipv4,
  Header.ipv6,
  Header.vlan,
  Header.serviceVlan,
  Header.oldQinQ,
  Header.pppoe,
  Header.mpls,
]);

function looksLikeEthernet(buffer: Buffer, at: number, end: number): boolean {
  return at + 14 <= end && telling.has(buffer.readUInt16BE(at + 12));
}

/** Tells whether the lengths of an IP header hold. */
function looksLikeIp(buffer: Buffer, at: number, end: number): boolean {
  if (at + 20 > end) return false;
  const first = buffer[at]!;
  if (first >>> 4 === 6) return true;
  const header = (first & 15) * 4;
  return header >= 20 && buffer.readUInt16BE(at + 2) >= header;
}

const SNAP = 0xaa;
/** IP has a service access point of its own (RFC 948). */
const IP_SAP = 0x06;
const NETWORK_LAYER_SAP = 0xfe;
const UNNUMBERED_INFORMATION = 0x03;

// Numbers of organisations in SNAP: EtherTypes, those of bridge tunnels, and those of RFC 2427 section 4.2.
const ENCAPSULATED_ETHERNET = 0x00_0000;
const BRIDGE_TUNNEL = 0x00_00f8;
const BRIDGED = 0x00_80c2;

/** Skips the header of IEEE 802.2, and that of SNAP behind it (RFC 1042). */
export const skipLlc: Skip = (place, buffer, end) => {
  const { at } = place;
  if (at + 3 > end) return DAMAGED;
  const sap = buffer[at]!;
  if (buffer[at + 2] !== UNNUMBERED_INFORMATION) return unread(Unread.llc, sap);
  place.at = at + 3;
  if (sap === SNAP) return skipSnap(place, buffer, end);
  if (sap === IP_SAP) place.type = Header.ip;
  else if (sap === NETWORK_LAYER_SAP) place.type = Header.nlpid;
  else return unread(Unread.llc, sap);
  return 0;
};

/** Skips the organisation and the protocol of SNAP. */
export function skipSnap(place: Place, buffer: Buffer, end: number): number {
  const { at } = place;
  if (at + 5 > end) return DAMAGED;
  const organisation = buffer.readUIntBE(at, 3);
  const protocol = buffer.readUInt16BE(at + 3);
  place.at = at + 5;
  // Bridged Ethernet, with the frame check sequence (1) and without it (7).
  if (organisation === BRIDGED && (protocol === 1 || protocol === 7)) place.type = Header.ethernet;
  else if (organisation === ENCAPSULATED_ETHERNET || organisation === BRIDGE_TUNNEL) place.type = protocol;
  else return unread(Unread.snap, protocol);
  return 0;
}
