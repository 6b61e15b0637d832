// The refusals that RFC 3261 section 16.3 asks of a proxy before any rule runs.
import type { Trunk } from "../domain/trunk.ts";
import { Header } from "../sip/header.ts";
import { headerValue, nextHeader, type SipMessage } from "../sip/message.ts";

/** The status with which RFC 3261 section 16.3 asks to refuse a request; 0: none. */
export function protocolError(message: SipMessage, trunk: Trunk | undefined, isInDialog: boolean): number {
  if (message.fault !== undefined) return message.faultStatus;
  const scheme = message.text.slice(message.uriStart, message.uriStart + 5).toLowerCase();
  if (
    !scheme.startsWith("sip:") &&
    scheme !== "sips:" &&
    !scheme.startsWith("tel:") &&
    !scheme.startsWith("urn:")
  )
    return 416;
  // Step 3: an OPTIONS that may not go further is answered here (RFC 3261 section 16.3).
  if (message.maxForwards === 0 && (isInDialog || message.method !== "OPTIONS")) return 483;
  // Step 5: Proxy-Require is ignored in ACK and CANCEL (RFC 3261 sections 16.3, 20.29).
  if (
    message.count[Header.proxyRequire] !== 0 &&
    trunk?.side !== "core" &&
    message.method !== "ACK" &&
    message.method !== "CANCEL"
  )
    return 420;
  return 0;
}

/** The Unsupported fields of a 420: everything that Proxy-Require asked for (RFC 3261 section 20.40). */
export function unsupported(message: SipMessage): string {
  let lines = "";
  for (let i = message.first[Header.proxyRequire]!; i >= 0; i = nextHeader(message, Header.proxyRequire, i)) {
    lines += `Unsupported: ${headerValue(message, i)}\r\n`;
  }
  return lines;
}
