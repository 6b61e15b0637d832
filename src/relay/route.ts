import { createAddressSpan, readAddress, readParam, readUri, type UriParts } from "../sip/address.ts";
import { splice, type Edits } from "../sip/edit.ts";
import { Header } from "../sip/header.ts";
import { headerValue, nextHeader, noteFault, type SipMessage } from "../sip/message.ts";
import { TOKEN_PARAM } from "./dialog-token.ts";
import type { Listener, Target } from "./listener.ts";

/** What Route fields and Request-URI say once our own values are taken off (RFC 3261 section 16.4). */
export interface Routes {
  /** The dialog token of our topmost value that carries one. */
  readonly token: string | undefined;
  /** The first Route value that is not ours; undefined: none is left. */
  readonly next: UriParts | undefined;
  /** The Request-URI that the request goes on with. */
  readonly uri: UriParts;
}

/** One Route value: its text as received and its URI. */
interface RouteValue {
  readonly text: string;
  readonly uriText: string;
  readonly uri: UriParts;
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
 * Consumes our Route values from the top: a call that crossed two of our listeners carries two (RFC 5658). A strict router
 * before us has put our value into the Request-URI and the target at the end of the Route (16.4); one behind us wants
 * the same done for it (16.6 step 6).
 */
export function takeOwnRoutes(message: SipMessage, listeners: readonly Listener[], edits: Edits): Routes {
  const uri = readUri(message.text, message.uriStart, message.uriEnd);
  const recorded = isOwn(listeners, uri) ? tokenOf(uri) : undefined;
  if (message.count[Header.route] === 0) return { token: recorded, next: undefined, uri };
  const values = readRoutes(message);
  if (values === undefined) return { token: undefined, next: undefined, uri };

  let target: RouteValue | undefined;
  if (recorded !== undefined) target = values.pop();
  let token = recorded;
  let own = 0;
  for (; own < values.length && isOwn(listeners, values[own]!.uri); own++)
    token ??= tokenOf(values[own]!.uri);
  const rest = values.slice(own).map((value) => value.text);
  const next = values[own]?.uri;
  let uriText = target?.uriText;
  if (next !== undefined && readParam(next.params, 0, next.params.length, "lr") === undefined) {
    rest.shift();
    rest.push(`<${uriText ?? message.text.slice(message.uriStart, message.uriEnd)}>`);
    uriText = values[own]!.uriText;
  }
  if (own > 0 || uriText !== undefined) replaceRoutes(message, edits, rest);
  if (uriText !== undefined) splice(edits, message.uriStart, message.uriEnd, uriText);
  return { token, next, uri: target?.uri ?? uri };
}

function tokenOf(uri: UriParts): string | undefined {
  return readParam(uri.params, 0, uri.params.length, TOKEN_PARAM);
}

/** Every Route value in order; undefined, and a fault, when one can't be read. */
function readRoutes(message: SipMessage): RouteValue[] | undefined {
  const values: RouteValue[] = [];
  for (let i = message.first[Header.route]!; i >= 0; i = nextHeader(message, Header.route, i)) {
    const value = headerValue(message, i);
    for (let at = 0; at < value.length; at = span.end + 1) {
      readAddress(value, at, span);
      const uri = readUri(value, span.uriStart, span.uriEnd);
      const fault = span.fault ?? uri.fault;
      if (fault !== undefined) {
        noteFault(message, `Route: ${fault}`);
        return undefined;
      }
      values.push({
        text: value.slice(at, span.end).trim(),
        uriText: value.slice(span.uriStart, span.uriEnd),
        uri,
      });
    }
  }
  return values;
}

/** Puts `values` in the place of all Route fields, one a line, each as it was received. */
function replaceRoutes(message: SipMessage, edits: Edits, values: readonly string[]): void {
  let lines = values.map((value) => `Route: ${value}\r\n`).join("");
  for (let i = message.first[Header.route]!; i >= 0; i = nextHeader(message, Header.route, i)) {
    splice(edits, message.lineStart[i]!, message.lineEnd[i]!, lines);
    lines = "";
  }
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
