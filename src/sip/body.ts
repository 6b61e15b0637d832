import { Header } from "./header.ts";
import { headerValue, type SipMessage } from "./message.ts";

/**
 * True when a body, or a part of a multipart one, says that it is ISUP (RFC 3204). What claims to be ISUP and isn't
 * read must not pass: peers obey the ISUP part before the SIP fields.
 */
export function claimsIsup(message: SipMessage): boolean {
  const index = message.first[Header.contentType]!;
  if (index < 0) return false;
  const type = headerValue(message, index).toLowerCase();
  if (type.startsWith("application/isup")) return true;
  if (!type.startsWith("multipart/")) return false;
  return message.bytes
    .toString("latin1", message.bodyStart, message.end)
    .toLowerCase()
    .includes("application/isup");
}
