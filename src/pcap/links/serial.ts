// Skips PPP, PPPoE, Cisco HDLC and Frame Relay: headers of serial lines.
import { skipSnap } from "./ethernet.ts";
import { Header, type Skip } from "./place.ts";
import { DAMAGED, unread, Unread } from "./unread.ts";

// Protocol numbers of PPP.
const IP = 0x0021;
const BRIDGING = 0x0031;
const MULTILINK = 0x003d;
const IPV6 = 0x0057;
const MPLS = 0x0281;
const MPLS_MULTICAST = 0x0283;

/** A packet of multilink PPP that is the first and the last piece of its frame. */
const ONLY_PIECE = 0xc0;

/**
 * Skips PPP (RFC 1661 section 2, RFC 1662 section 3.1). Address and control may be left out, and the protocol may have one
 * octet. A line that Cisco HDLC was spoken on begins with an address of its own.
 */
export const skipPpp: Skip = (place, buffer, end) => {
  let { at } = place;
  if (at + 2 > end) return DAMAGED;
  const address = buffer[at]!;
  if (address === 0x0f || address === 0x8f) return skipCiscoHdlc(place, buffer, end);
  if (address === 0xff && buffer[at + 1] === 0x03) at += 2;
  if (at + 2 > end) return DAMAGED;
  const isCompressed = (buffer[at]! & 1) === 1;
  const protocol = isCompressed ? buffer[at]! : buffer.readUInt16BE(at);
  place.at = at + (isCompressed ? 1 : 2);
  switch (protocol) {
    case IP:
    case IPV6:
      place.type = Header.ip;
      return 0;
    case MPLS:
    case MPLS_MULTICAST:
      place.type = Header.mpls;
      return 0;
    case BRIDGING:
      return skipBridging(place, buffer, end);
    case MULTILINK:
      if (place.at >= end || (buffer[place.at]! & ONLY_PIECE) !== ONLY_PIECE)
        return unread(Unread.pppProtocol, protocol);
      place.at += 4;
      place.type = Header.ppp;
      return 0;
    default:
      return unread(Unread.pppProtocol, protocol);
  }
};

/** Skips the header of a bridged frame of Ethernet (RFC 3518 section 4.2). */
const skipBridging: Skip = (place, buffer, end) => {
  const { at } = place;
  if (at + 2 > end) return DAMAGED;
  if (buffer[at + 1] !== 1) return unread(Unread.pppProtocol, BRIDGING);
  const hasLanId = (buffer[at]! & 0x40) !== 0;
  place.at = at + (hasLanId ? 6 : 2);
  place.type = Header.ethernet;
  return 0;
};

/** Skips the direction that some systems put in front of PPP. The octet may stand in place of the address. */
export const skipPppDirection: Skip = (place, buffer, end) => {
  const { at } = place;
  if (at + 2 > end) return DAMAGED;
  place.at = at + (buffer[at + 1] === 0x03 ? 2 : 1);
  place.type = Header.ppp;
  return 0;
};

/** Skips the header of a PPPoE session (RFC 2516 section 4). */
export const skipPppoe: Skip = (place, _buffer, end) => {
  if (place.at + 6 > end) return DAMAGED;
  place.at += 6;
  place.type = Header.ppp;
  return 0;
};

/** Skips address, control and protocol of Cisco HDLC. The protocol is an EtherType. */
export const skipCiscoHdlc: Skip = (place, buffer, end) => {
  const { at } = place;
  if (at + 4 > end) return DAMAGED;
  place.at = at + 4;
  place.type = buffer.readUInt16BE(at + 2);
  return 0;
};

/** At most this many octets in an address of Frame Relay (Q.922 section 3.2). */
const MAX_ADDRESS = 4;
const UNNUMBERED_INFORMATION = 0x03;

/** Skips the address of Frame Relay and what tells the protocol: RFC 2427, or an EtherType as Cisco writes it. */
export const skipFrameRelay: Skip = (place, buffer, end) => {
  let { at } = place;
  for (let octets = 1; octets <= MAX_ADDRESS && at < end; octets += 1, at += 1) {
    // The last octet of the address has its lowest bit set; the first one never has.
    if ((buffer[at]! & 1) === 0) continue;
    at += 1;
    if (octets < 2 || at + 2 > end) return DAMAGED;
    if (buffer[at] === UNNUMBERED_INFORMATION) {
      place.at = at + 1;
      place.type = Header.nlpid;
    } else {
      place.at = at + 2;
      place.type = buffer.readUInt16BE(at);
    }
    return 0;
  }
  return DAMAGED;
};

// Network layer protocol identifiers (ISO/IEC TR 9577).
const PADDING = 0x00;
const SNAP = 0x80;
const NLPID_IPV6 = 0x8e;
const NLPID_IP = 0xcc;
const NLPID_PPP = 0xcf;

/** Skips a network layer protocol identifier, with the octet of padding that may stand before it (RFC 2427 section 3). */
export const skipNlpid: Skip = (place, buffer, end) => {
  let { at } = place;
  if (at < end && buffer[at] === PADDING) at += 1;
  if (at >= end) return DAMAGED;
  const identifier = buffer[at]!;
  place.at = at + 1;
  if (identifier === SNAP) return skipSnap(place, buffer, end);
  if (identifier === NLPID_IP || identifier === NLPID_IPV6) place.type = Header.ip;
  else if (identifier === NLPID_PPP) place.type = Header.ppp;
  else return unread(Unread.nlpid, identifier);
  return 0;
};
