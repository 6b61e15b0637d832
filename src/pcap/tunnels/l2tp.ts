// Skips L2TP version 2, which carries PPP in UDP.
import { findIpBehind } from "../links/link-layer.ts";
import { Header } from "../links/place.ts";
import { DAMAGED, NO_TUNNEL } from "../links/unread.ts";

const CONTROL = 0x8000;
const LENGTH = 0x4000;
const SEQUENCE = 0x0800;
const OFFSET = 0x0200;
/** Reserved bits: 0 (RFC 2661 section 3.1). */
const RESERVED = 0x34f0;
const VERSION = 0x000f;

/**
 * Skips the header of a data message (RFC 2661 section 3.1).
 *
 * @returns where the inner IP header begins, `NO_TUNNEL` for control messages and other versions, or a reason of `unread`
 */
export function skipL2tp(buffer: Buffer, start: number, end: number): number {
  if (start + 6 > end) return NO_TUNNEL;
  const flags = buffer.readUInt16BE(start);
  if ((flags & (CONTROL | RESERVED)) !== 0 || (flags & VERSION) !== 2) return NO_TUNNEL;
  // Tunnel and session always stand here; length, sequence numbers and offset where their bits say so.
  let at = start + 6 + ((flags & LENGTH) === 0 ? 0 : 2) + ((flags & SEQUENCE) === 0 ? 0 : 4);
  if ((flags & OFFSET) !== 0) {
    if (at + 2 > end) return DAMAGED;
    at += 2 + buffer.readUInt16BE(at);
  }
  return findIpBehind(Header.ppp, buffer, at, end);
}
