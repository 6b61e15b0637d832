import { createAddressSpan, readAddress, readParam, readUri, type UriParts } from "../sip/address.ts";
import { splice, type Edits } from "../sip/edit.ts";
import { Header } from "../sip/header.ts";
import { headerValue, nextHeader, noteFault, type SipMessage } from "../sip/scan.ts";
import { TOKEN_PARAM } from "./dialog-token.ts";
import type { Listener, Target } from "./listener.ts";

/** What the Route fields of a request say once our own values are taken off the top (RFC 3261 section 16.4). */
export interface Routes {
  /** The dialog token of our topmost value that carries one. */
  token: string | undefined;
  /** True when the topmost value was ours. */
  own: boolean;
  /** The first value that is not ours; undefined: none is left. */
  next: UriParts | undefined;
}

const span = createAddressSpan();

/** True when host and port of a URI are those of one of our listeners. */
export function isOwn(listeners: readonly Listener[], uri: UriParts): boolean {
  if (uri.scheme !== "sip") return false;
  const port = uri.port || 5060;
  for (const listener of listeners) if (listener.port === port && listener.address === uri.host) return true;
  return false;
}

/**
 * Consumes our Route values from the top: a call that crossed two of our listeners carries two (RFC 5658), and
 * SIPp folds them into one line with the rest.
 */
export function takeOwnRoutes(message: SipMessage, listeners: readonly Listener[], edits: Edits): Routes {
  const routes: Routes = { token: undefined, own: false, next: undefined };
  for (let i = message.first[Header.route]!; i >= 0; i = nextHeader(message, Header.route, i)) {
    const value = headerValue(message, i);
    let at = 0;
    while (at < value.length) {
      readAddress(value, at, span);
      const uri = readUri(value, span.uriStart, span.uriEnd);
      const fault = span.fault ?? uri.fault;
      if (fault !== undefined) {
        noteFault(message, `Route: ${fault}`);
        return routes;
      }
      if (!isOwn(listeners, uri)) {
        routes.next = uri;
        if (at > 0) splice(edits, message.valueStart[i]!, message.valueEnd[i]!, value.slice(at).trimStart());
        return routes;
      }
      routes.own = true;
      routes.token ??= readParam(uri.params, 0, uri.params.length, TOKEN_PARAM);
      at = span.end + 1;
    }
    splice(edits, message.lineStart[i]!, message.lineEnd[i]!, "");
  }
  return routes;
}

/** The address a URI names when its host is a literal; names are not resolved here. */
export function literalTarget(uri: UriParts): Target | undefined {
  if (uri.scheme !== "sip" || !isLiteral(uri.host)) return undefined;
  return { address: uri.host, port: uri.port || 5060 };
}

/** An IPv4 or IPv6 literal: digits and dots, or anything with a colon (a host name has none). */
function isLiteral(host: string): boolean {
  if (host.includes(":")) return true;
  let dots = 0;
  for (let i = 0; i < host.length; i++) {
    const c = host.charCodeAt(i);
    if (c === 0x2e) dots++;
    else if (c < 0x30 || c > 0x39) return false;
  }
  return dots === 3;
}
