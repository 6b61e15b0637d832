// Route fields and Request-URI: which values are ours, and where the request goes next.
import type { HostPort } from "../net/host.ts";
import {
  createAddressSpan,
  readAddress,
  readParam,
  readUri,
  type UriParts,
} from "../sip/fields/name-addr.ts";
import { decodeUnreserved } from "../sip/fields/escapes.ts";
import { splice, type Edits } from "../sip/edit.ts";
import { Header } from "../sip/header.ts";
import { headerValue, nextHeader, noteFault, type SipMessage } from "../sip/message.ts";
import { defaultPort, TOKEN_PARAM, type Listener, type Target } from "./listener.ts";
import { canonicalHost, isOwn, listenerNamed, transportOf, type OwnPlaces } from "./own-places.ts";

/** At most this many Route values are read; no real path has more. */
const MAX_ROUTES = 32;

/** One Route value: its text as received and its URI. */
interface RouteValue {
  readonly text: string;
  readonly uriText: string;
  readonly uri: UriParts;
}

/** What the Route fields and the Request-URI of a request say. None of it is verified. */
export interface Routes {
  /** The dialog token of our topmost value that carries one. */
  readonly token: string | undefined;
  /**
   * Whether the Request-URI is our Record-Route URI, which a strict router before us put there (RFC
   * 3261 section 16.4).
   */
  readonly isStrict: boolean;
  readonly values: readonly RouteValue[];
  /** How many values from the top are ours. */
  readonly own: number;
  readonly uri: UriParts;
  /**
   * The listener that the last of our Route values with a token names: the side that the request goes to
   * (RFC 5658). Undefined where there is none, or where several have that name.
   */
  readonly exit: Listener | undefined;
}

/** Where a request asks to go, once our Route values are removed. */
export interface Onward {
  /** The first remaining Route value. */
  readonly next: UriParts | undefined;
  readonly uri: UriParts;
}

const span = createAddressSpan();
const NO_VALUES: readonly RouteValue[] = [];

/**
 * Stands for our own value when it is the only one. It is counted and removed, and never read
 * again.
 */
const OWN_VALUE: readonly RouteValue[] = [{ text: "", uriText: "", uri: readUri("", 0, 0) }];

/**
 * Reads the Route fields and the Request-URI. An unreadable value is a fault of the message.
 *
 * @param also names that the sender uses for us
 */
export function readRoutes(message: SipMessage, own: OwnPlaces, also?: readonly HostPort[]): Routes {
  const { listeners } = own;
  const uri = readUri(message.text, message.uriStart, message.uriEnd);
  const recorded = isOwn(own, uri) ? tokenOf(uri) : undefined;
  const isStrict = recorded !== undefined;
  const recordedBy = isStrict ? listenerNamed(listeners, uri) : undefined;
  if (message.count[Header.route] === 0)
    return { token: recorded, isStrict, values: NO_VALUES, own: 0, uri, exit: recordedBy };
  const alone = isStrict ? undefined : readOwnRoute(message, listeners);
  if (alone !== undefined)
    return { token: alone.token, isStrict, values: OWN_VALUE, own: 1, uri, exit: alone.exit };
  const values = readValues(message);
  let token = recorded;
  let exit = recordedBy;
  let count = 0;
  for (; count < values.length && isOwn(own, values[count]!.uri, also); count++) {
    const written = tokenOf(values[count]!.uri);
    if (written === undefined) continue;
    token ??= written;
    exit = listenerNamed(listeners, values[count]!.uri);
  }
  return { token, isStrict, values, own: count, uri, exit };
}

/** The name of the parameter may be escaped too (RFC 3261 section 19.1.4). */
function tokenOf(uri: UriParts): string | undefined {
  const params = decodeUnreserved(uri.params);
  return readParam(params, 0, params.length, TOKEN_PARAM);
}

/**
 * Reads the token of our Record-Route URI when it is the only Route value and came back as we wrote
 * it. Nearly every in-dialog request has this form.
 * @returns undefined when the fields must be read in full
 */
function readOwnRoute(
  message: SipMessage,
  listeners: readonly Listener[],
): Pick<Routes, "token" | "exit"> | undefined {
  if (message.count[Header.route] !== 1) return undefined;
  const index = message.first[Header.route]!;
  const start = message.valueStart[index]!;
  const last = message.valueEnd[index]! - 1;
  for (const listener of listeners) {
    const { route } = listener;
    if (!message.text.startsWith(route, start)) continue;
    const token = start + route.length;
    for (let i = token; i < last; i++) if (!isTokenChar(message.bytes[i]!)) return undefined;
    if (message.bytes[last] !== MORE || last <= token) return undefined;
    return {
      token: message.text.slice(token, last),
      exit: isShared(listeners, listener) ? undefined : listener,
    };
  }
  return undefined;
}

/** Tells whether another listener has the same Record-Route. */
function isShared(listeners: readonly Listener[], listener: Listener): boolean {
  for (const other of listeners) if (other !== listener && other.route === listener.route) return true;
  return false;
}

const MORE = 0x3e;

/**
 * Tells whether a byte may stand in a token, or in one of a former release: a letter, a digit or one of the marks that
 * never end a parameter.
 */
function isTokenChar(c: number): boolean {
  const letter = c | 0x20;
  return (
    (letter >= 0x61 && letter <= 0x7a) ||
    (c >= 0x30 && c <= 0x39) ||
    c === 0x21 ||
    c === 0x5f ||
    c === 0x7e ||
    c === 0x2e ||
    c === 0x2d
  );
}

/** Reads every Route value in order, up to the first unreadable one. */
function readValues(message: SipMessage): RouteValue[] {
  const values: RouteValue[] = [];
  for (let i = message.first[Header.route]!; i >= 0; i = nextHeader(message, Header.route, i)) {
    const value = headerValue(message, i);
    for (let at = 0; at < value.length; at = span.end + 1) {
      readAddress(value, at, span);
      const uri = readUri(value, span.uriStart, span.uriEnd);
      const fault =
        values.length === MAX_ROUTES ? `more than ${MAX_ROUTES} values` : (span.fault ?? uri.fault);
      if (fault !== undefined) {
        noteFault(message, `Route: ${fault}`);
        return values;
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

/** Returns the first Route value that is not ours. Undefined: there is none. */
export function foreignRoute(routes: Routes): UriParts | undefined {
  return routes.values[routes.own]?.uri;
}

/** Removes all Route values, for a request that nothing in it may lead elsewhere. */
export function discardRoutes(message: SipMessage, routes: Routes, edits: Edits): Onward {
  if (routes.values.length > 0) replaceRoutes(message, edits, []);
  return { next: undefined, uri: routes.uri };
}

/**
 * Removes our Route values and follows the others, for a request whose Route can be trusted: from
 * the core, or in a dialog that its token proves. A strict router before us has put our value into
 * the Request-URI and the target at the end of the Route (RFC 3261 section 16.4). A strict router
 * behind us wants the same (section 16.6 step 6). Never for a request that begins a call: the
 * forwarded target must be the judged one.
 */
export function followRoutes(message: SipMessage, routes: Routes, edits: Edits): Onward {
  const rest = routes.values.slice(routes.own);
  const target = routes.isStrict ? rest.pop() : undefined;
  const next = rest[0];
  let uriText = target?.uriText;
  const texts = textsOf(rest);
  if (next !== undefined && readParam(next.uri.params, 0, next.uri.params.length, "lr") === undefined) {
    texts.shift();
    texts.push(`<${uriText ?? message.text.slice(message.uriStart, message.uriEnd)}>`);
    uriText = next.uriText;
  }
  if (routes.own > 0 || uriText !== undefined) replaceRoutes(message, edits, texts);
  if (uriText !== undefined) splice(edits, message.uriStart, message.uriEnd, uriText);
  return { next: next?.uri, uri: target?.uri ?? routes.uri };
}

function textsOf(values: readonly RouteValue[]): string[] {
  return values.map((value) => value.text);
}

/** Replaces all Route fields by `values`, one per line, each as received. */
function replaceRoutes(message: SipMessage, edits: Edits, values: readonly string[]): void {
  let lines = values.map((value) => `Route: ${value}\r\n`).join("");
  for (let i = message.first[Header.route]!; i >= 0; i = nextHeader(message, Header.route, i)) {
    splice(edits, message.lineStart[i]!, message.lineEnd[i]!, lines);
    lines = "";
  }
}

/**
 * Returns the target of a URI whose host is a literal address, with the transport it asks for (RFC
 * 3261 section 19.1.1).
 * @returns undefined for a host name, which is not resolved here
 */
export function literalTarget(uri: UriParts): Target | undefined {
  if ((uri.scheme !== "sip" && uri.scheme !== "sips") || !isLiteral(uri.host)) return undefined;
  const transport = transportOf(uri);
  if (transport === undefined) return undefined;
  return {
    transport,
    address: canonicalHost(uri.host),
    port: uri.port || defaultPort(transport),
  };
}

/**
 * Tells whether a host is an IPv4 or IPv6 literal: digits and three dots, or anything with a colon,
 * which no host name has.
 */
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
