// Skips VXLAN, GENEVE and TZSP, which bring mirrored and virtual frames in UDP.
import { findIpBehind } from "../links/link-layer.ts";
import { Header } from "../links/place.ts";
import { DAMAGED, NO_TUNNEL, unread, Unread } from "../links/unread.ts";

const HAS_NETWORK = 0x08;
const VXLAN_HEADER = 8;

/**
 * Skips the header of VXLAN (RFC 7348 section 5). Bits of group policy may be set; the others are 0, so that text is no
 * VXLAN.
 *
 * @returns where the inner IP header begins, `NO_TUNNEL`, or a reason of `unread`
 */
export function skipVxlan(buffer: Buffer, start: number, end: number): number {
  if (start + VXLAN_HEADER > end) return NO_TUNNEL;
  const flags = buffer[start]!;
  if ((flags & ~0x80) !== HAS_NETWORK || (buffer[start + 1]! & ~0x48) !== 0) return NO_TUNNEL;
  return findIpBehind(Header.ethernet, buffer, start + VXLAN_HEADER, end);
}

const HAS_PROTOCOL = 0x04;
const NSH = 4;

/** The headers that the next protocol of VXLAN-GPE and of NSH names (RFC 8300 section 2.2). */
const nextHeaders: ReadonlyMap<number, number> = new Map([
  [1, Header.ip],
  [2, Header.ip],
  [3, Header.ethernet],
  [5, Header.mpls],
]);

/** Skips the header of VXLAN-GPE, which names what it carries (draft-ietf-nvo3-vxlan-gpe section 3). */
export function skipVxlanGpe(buffer: Buffer, start: number, end: number): number {
  if (start + VXLAN_HEADER > end) return NO_TUNNEL;
  const flags = buffer[start]!;
  if ((flags & 0xf0) !== 0 || (flags & HAS_NETWORK) === 0) return NO_TUNNEL;
  const hasProtocol = (flags & HAS_PROTOCOL) !== 0;
  let at = start + VXLAN_HEADER;
  let next = hasProtocol ? buffer[start + 3]! : 3;
  if (next === NSH) {
    if (at + 8 > end) return DAMAGED;
    const length = (buffer[at + 1]! & 0x3f) * 4;
    if (length < 8) return DAMAGED;
    next = buffer[at + 3]!;
    at += length;
  }
  const header = nextHeaders.get(next);
  return header === undefined ? unread(Unread.udpPort, 4790) : findIpBehind(header, buffer, at, end);
}

const GENEVE_HEADER = 8;

/** Skips the header and the options of GENEVE (RFC 8926 section 3.4). It names the EtherType of what it carries. */
export function skipGeneve(buffer: Buffer, start: number, end: number): number {
  if (start + GENEVE_HEADER > end) return NO_TUNNEL;
  const first = buffer[start]!;
  // Version 0; of the second octet the lower six bits are reserved.
  if (first >>> 6 !== 0 || (buffer[start + 1]! & 0x3f) !== 0) return NO_TUNNEL;
  const at = start + GENEVE_HEADER + (first & 0x3f) * 4;
  return findIpBehind(buffer.readUInt16BE(start + 2), buffer, at, end);
}

// What TZSP carries, and the tags in front of it.
const RECEIVED = 0;
const TO_BE_SENT = 1;
const TAG_PADDING = 0;
const TAG_END = 1;
/** At most this many tags. */
const MAX_TAGS = 64;
const tzspHeaders: ReadonlyMap<number, number> = new Map([
  [1, Header.ethernet],
  [18, Header.wlan],
  [119, Header.prism],
  [127, Header.avs],
]);

/** Skips the header and the tags of TZSP, the format of sniffers and of RouterOS. */
export function skipTzsp(buffer: Buffer, start: number, end: number): number {
  if (start + 5 > end || buffer[start] !== 1) return NO_TUNNEL;
  const kind = buffer[start + 1]!;
  if (kind !== RECEIVED && kind !== TO_BE_SENT) return NO_TUNNEL;
  const header = tzspHeaders.get(buffer.readUInt16BE(start + 2));
  if (header === undefined) return unread(Unread.udpPort, 37_008);
  let at = start + 4;
  for (let tags = 0; tags < MAX_TAGS && at < end; tags += 1) {
    const tag = buffer[at]!;
    at += 1;
    if (tag === TAG_END) return findIpBehind(header, buffer, at, end);
    if (tag !== TAG_PADDING) at += at < end ? 1 + buffer[at]! : 1;
  }
  return DAMAGED;
}
