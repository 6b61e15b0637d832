// Skips IEEE 802.11 and what drivers put in front of it: radiotap, Prism, AVS and PPI.
import { Header, type Place, type Skip } from "./place.ts";
import { DAMAGED, unread, Unread } from "./unread.ts";

// Bits of the two octets of frame control (IEEE 802.11 section 9.2.4.1).
const TYPE = 0x0c;
const DATA = 0x08;
const NO_DATA = 0x40;
const QOS = 0x80;
const BOTH_SYSTEMS = 0x03;
const MORE_FRAGMENTS = 0x04;
const PROTECTED = 0x40;
const ORDER = 0x80;
/** The frame holds several, each with a header of its own (section 9.3.2.2.2). */
const AGGREGATED = 0x80;

/** Skips the header of a data frame that is not encrypted. Of an aggregate the first frame is read. */
export const skipWlan: Skip = (place, buffer, end) => skipDataHeader(place, buffer, end, false);

/** Does the same where padding brings the header to a multiple of four octets. */
export const skipPaddedWlan: Skip = (place, buffer, end) => skipDataHeader(place, buffer, end, true);

function skipDataHeader(place: Place, buffer: Buffer, end: number, isPadded: boolean): number {
  const { at } = place;
  if (at + 24 > end) return DAMAGED;
  const kind = buffer[at]!;
  const flags = buffer[at + 1]!;
  if ((kind & TYPE) !== DATA || (kind & NO_DATA) !== 0) return unread(Unread.otherWlan);
  if ((flags & PROTECTED) !== 0) return unread(Unread.protectedWlan);
  const isFragment = (flags & MORE_FRAGMENTS) !== 0 || (buffer[at + 22]! & 0x0f) !== 0;
  if (isFragment) return unread(Unread.otherWlan);
  let size = (flags & BOTH_SYSTEMS) === BOTH_SYSTEMS ? 30 : 24;
  let isAggregate = false;
  if ((kind & QOS) !== 0) {
    if (at + size + 2 > end) return DAMAGED;
    isAggregate = (buffer[at + size]! & AGGREGATED) !== 0;
    size += (flags & ORDER) !== 0 ? 6 : 2;
  }
  if (isPadded) size += (4 - (size & 3)) & 3;
  // Two addresses and a length stand before each frame of an aggregate.
  place.at = at + size + (isAggregate ? 14 : 0);
  place.type = Header.llc;
  return 0;
}

const RADIOTAP_FLAGS = 0x02;
const RADIOTAP_TIMER = 0x01;
const RADIOTAP_MORE = 0x8000_0000;
const DATA_PADDED = 0x20;
/** At most this many words that say which fields of radiotap are there. */
const MAX_WORDS = 16;

/** Skips the header of radiotap. Its field `flags` says whether the header of 802.11 is padded. */
export const skipRadiotap: Skip = (place, buffer, end) => {
  const { at } = place;
  if (at + 8 > end) return DAMAGED;
  const length = buffer.readUInt16LE(at + 2);
  if (length < 8 || at + length > end) return DAMAGED;
  const present = buffer.readUInt32LE(at + 4);
  let field = at + 8;
  let more = (present & RADIOTAP_MORE) !== 0;
  for (let words = 1; more && words < MAX_WORDS && field + 4 <= at + length; words += 1, field += 4)
    more = (buffer.readUInt32LE(field) & RADIOTAP_MORE) !== 0;
  if ((present & RADIOTAP_TIMER) !== 0) {
    // The timer has eight octets and stands at a multiple of eight.
    field = at + (((field - at + 7) >>> 3) << 3) + 8;
  }
  const isPadded =
    (present & RADIOTAP_FLAGS) !== 0 && field < at + length && (buffer[field]! & DATA_PADDED) !== 0;
  place.at = at + length;
  place.type = isPadded ? Header.paddedWlan : Header.wlan;
  return 0;
};

const AVS_MAGIC = 0x8021_1000;
const PRISM_LENGTH = 144;

/** Skips the header of Prism chips. Some drivers write that of AVS under the same link type. */
export const skipPrism: Skip = (place, buffer, end) => {
  const { at } = place;
  if (at + 8 > end) return DAMAGED;
  if ((buffer.readUInt32BE(at) & 0xffff_f000) >>> 0 === AVS_MAGIC) return skipAvs(place, buffer, end);
  // The length is in the byte order of the capturing host.
  const length = Math.min(buffer.readUInt32LE(at + 4), buffer.readUInt32BE(at + 4));
  place.at = at + (length >= 8 && length <= 1024 ? length : PRISM_LENGTH);
  place.type = Header.wlan;
  return 0;
};

/** Skips the header of AVS: version and length, then fields. */
export const skipAvs: Skip = (place, buffer, end) => {
  const { at } = place;
  if (at + 8 > end) return DAMAGED;
  const length = buffer.readUInt32BE(at + 4);
  if (length < 8 || at + length > end) return DAMAGED;
  place.at = at + length;
  place.type = Header.wlan;
  return 0;
};

const PPI_ETHERNET = 1;
const PPI_WLAN = 105;
const PPI_RADIOTAP = 127;

/** Skips per-packet information, which names the link type behind it. */
export const skipPpi: Skip = (place, buffer, end) => {
  const { at } = place;
  if (at + 8 > end) return DAMAGED;
  const length = buffer.readUInt16LE(at + 2);
  if (length < 8 || at + length > end) return DAMAGED;
  const linkType = buffer.readUInt32LE(at + 4);
  place.at = at + length;
  if (linkType === PPI_ETHERNET) place.type = Header.ethernet;
  else if (linkType === PPI_WLAN) place.type = Header.wlan;
  else if (linkType === PPI_RADIOTAP) place.type = Header.radiotap;
  else return unread(Unread.linkType, linkType);
  return 0;
};
