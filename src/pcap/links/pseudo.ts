// Skips headers that no wire carries: BSD loopback, Linux cooked capture and NFLOG.
import { Header, type Place, type Skip } from "./place.ts";
import { DAMAGED, unread, Unread } from "./unread.ts";

/** Tells an address family of IP: AF_INET is 2 everywhere, AF_INET6 is 10, 24, 28 or 30 (Linux, NetBSD, FreeBSD, macOS). */
function isIpFamily(family: number): boolean {
  return family === 2 || family === 10 || family === 24 || family === 28 || family === 30;
}

/** Skips the header of BSD loopback: an address family in the byte order of the capturing host. */
export const skipFamily: Skip = (place, buffer, end) => {
  const { at } = place;
  if (at + 4 > end) return DAMAGED;
  const family = Math.min(buffer.readUInt32LE(at), buffer.readUInt32BE(at));
  if (!isIpFamily(family)) return unread(Unread.family, family);
  place.at = at + 4;
  place.type = Header.ip;
  return 0;
};

/** A protocol of cooked captures that stands for a frame of IEEE 802.2. */
const COOKED_LLC = 0x0004;

/** Kinds of devices whose frames are those of another link (ARPHRD_ of Linux). */
const devices: ReadonlyMap<number, number> = new Map([
  [801, Header.wlan],
  [802, Header.prism],
  [803, Header.radiotap],
]);

function enterCooked(place: Place, device: number, protocol: number, at: number): number {
  place.at = at;
  place.type = devices.get(device) ?? (protocol === COOKED_LLC ? Header.llc : protocol);
  return 0;
}

/** Skips Linux cooked capture: type, device, address, protocol. */
export const skipCooked: Skip = (place, buffer, end) => {
  const { at } = place;
  if (at + 16 > end) return DAMAGED;
  return enterCooked(place, buffer.readUInt16BE(at + 2), buffer.readUInt16BE(at + 14), at + 16);
};

/** Skips Linux cooked capture v2, which has its protocol first and 18 more octets before the payload. */
export const skipCooked2: Skip = (place, buffer, end) => {
  const { at } = place;
  if (at + 20 > end) return DAMAGED;
  return enterCooked(place, buffer.readUInt16BE(at + 8), buffer.readUInt16BE(at), at + 20);
};

const NFLOG_HEADER = 4;
const NFLOG_PAYLOAD = 9;
/** At most this many attributes in front of the payload. */
const MAX_ATTRIBUTES = 64;

/** Skips the attributes of NFLOG up to the packet. Their lengths are in the byte order of the capturing host. */
export const skipNflog: Skip = (place, buffer, end) => {
  const { at } = place;
  if (at + NFLOG_HEADER > end) return DAMAGED;
  const payload = findPayload(buffer, at + NFLOG_HEADER, end, true);
  place.at = payload >= 0 ? payload : findPayload(buffer, at + NFLOG_HEADER, end, false);
  if (place.at < 0) return DAMAGED;
  if (!isIpFamily(buffer[at]!)) return unread(Unread.family, buffer[at]);
  place.type = Header.ip;
  return 0;
};

/** @returns where the packet begins, or -1 when the attributes lead nowhere in this byte order */
function findPayload(buffer: Buffer, from: number, end: number, isLittle: boolean): number {
  let at = from;
  for (let attributes = 0; attributes < MAX_ATTRIBUTES && at + 4 <= end; attributes += 1) {
    const length = isLittle ? buffer.readUInt16LE(at) : buffer.readUInt16BE(at);
    const type = isLittle ? buffer.readUInt16LE(at + 2) : buffer.readUInt16BE(at + 2);
    if (length < 4) return -1;
    // The upper two bits are flags of netlink.
    if ((type & 0x3fff) === NFLOG_PAYLOAD) return at + 4 < end ? at + 4 : -1;
    at += (length + 3) & ~3;
  }
  return -1;
}
