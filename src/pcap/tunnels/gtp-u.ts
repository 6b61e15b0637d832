// Skips GTP-U, the tunnel of mobile networks, up to the packet of the user.
import { DAMAGED, NO_TUNNEL } from "../links/unread.ts";

/** At most this many extension headers in one packet. */
const MAX_EXTENSIONS = 16;

/**
 * Skips the header and extensions of a G-PDU of GTP version 1 (3GPP TS 29.281 section 5).
 *
 * @returns where the user's packet begins, `NO_TUNNEL` for another message, or a reason of `unread`
 */
export function skipGtpU(buffer: Buffer, start: number, end: number): number {
  if (start + 8 > end) return NO_TUNNEL;
  const flags = buffer[start]!;
  if (flags >>> 4 !== 3 || buffer[start + 1] !== 0xff) return NO_TUNNEL;
  let at = start + 8;
  if ((flags & 7) !== 0) {
    at += 4;
    const next = at <= end && (flags & 4) !== 0 ? buffer[at - 1]! : 0;
    if (next !== 0) at = skipExtensions(buffer, at, end);
  }
  if (at < 0 || at >= end) return DAMAGED;
  const version = buffer[at]! >>> 4;
  return version === 4 || version === 6 ? at : NO_TUNNEL;
}

/**
 * Skips extension headers. Each begins with its length in units of four octets and ends with the
 * type of the next one, or 0.
 */
function skipExtensions(buffer: Buffer, at: number, end: number): number {
  for (let i = 0; i < MAX_EXTENSIONS; i++) {
    const length = at < end ? buffer[at]! * 4 : 0;
    if (length === 0 || at + length > end) return -1;
    at += length;
    if (buffer[at - 1] === 0) return at;
  }
  return -1;
}
