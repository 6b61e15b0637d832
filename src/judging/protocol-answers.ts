// The refusals that RFC 3261 section 16.3 asks of a proxy before any rule runs.
import type { Trunk } from "../domain/trunk.ts";
import { Header } from "../sip/header.ts";
import { headerValue, nextHeader, type SipMessage } from "../sip/message.ts";

/** An answer that RFC 3261 asks of any proxy. */
export interface ProtocolAnswer {
  readonly status: number;
  /** What was wrong, in words. It may hold text of the peer. */
  readonly why: string;
}

/** Returns the refusal that RFC 3261 section 16.3 asks for. Undefined: there is none. */
export function protocolError(
  message: SipMessage,
  trunk: Trunk | undefined,
  isInDialog: boolean,
): ProtocolAnswer | undefined {
  if (message.fault !== undefined) return { status: message.faultStatus, why: message.fault };
  const scheme = message.text.slice(message.uriStart, message.uriStart + 5).toLowerCase();
  if (
    !scheme.startsWith("sip:") &&
    scheme !== "sips:" &&
    !scheme.startsWith("tel:") &&
    !scheme.startsWith("urn:")
  )
    return { status: 416, why: `a Request-URI of the scheme ${schemeOf(message)}` };
  // Step 3: an OPTIONS that may not go further is answered here (RFC 3261 section 16.3).
  if (message.maxForwards === 0 && (isInDialog || message.method !== "OPTIONS"))
    return { status: 483, why: "Max-Forwards is 0" };
  // Step 5: Proxy-Require is ignored in ACK and CANCEL (RFC 3261 sections 16.3, 20.29).
  if (
    message.count[Header.proxyRequire] !== 0 &&
    trunk?.side !== "core" &&
    message.method !== "ACK" &&
    message.method !== "CANCEL"
  )
    return { status: 420, why: `Proxy-Require: ${required(message).join(", ")}` };
  return undefined;
}

/** The scheme of the Request-URI. */
function schemeOf({ text, uriStart, uriEnd }: SipMessage): string {
  const uri = text.slice(uriStart, uriEnd);
  const colon = uri.indexOf(":");
  return colon < 0 ? "none" : uri.slice(0, Math.min(colon, LONGEST_SCHEME));
}

/** Characters of a scheme that are repeated. */
const LONGEST_SCHEME = 32;

/** The values of Proxy-Require. */
function required(message: SipMessage): string[] {
  const values: string[] = [];
  for (let i = message.first[Header.proxyRequire]!; i >= 0; i = nextHeader(message, Header.proxyRequire, i))
    values.push(headerValue(message, i));
  return values;
}

/** The Unsupported fields of a 420: everything that Proxy-Require asked for (RFC 3261 section 20.40). */
export function unsupported(message: SipMessage): string {
  return required(message)
    .map((value) => `Unsupported: ${value}\r\n`)
    .join("");
}
