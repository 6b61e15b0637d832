// Where the core asks to send a request: its Request-URI must name the place that the token of the dialog names.
import type { Listener } from "../../routing/listener.ts";
import { isOwn } from "../../routing/own-places.ts";
import type { UriParts } from "../../sip/fields/name-addr.ts";
import { COLON } from "../../sip/octet.ts";
import { isWord, octetsOf, readPlainPort } from "../octets/octets.ts";
import type { OrdinaryTurn } from "./ordinary-turn.ts";
import type { OrdinaryPlace } from "./token-octets.ts";

const scheme = octetsOf("sip:");
const AT = 0x40;
const SEMICOLON = 0x3b;
const named: UriParts = { scheme: "sip", user: undefined, host: "", port: 0, params: "", fault: undefined };

/**
 * True when the Request-URI is `sip:`, perhaps a user, and the address and port of the place, nothing else; the place is
 * no other name of ours, and no part of the core. Then the general path sends the request there too.
 */
export function isRoutedTo(turn: OrdinaryTurn, place: OrdinaryPlace, egress: Listener): boolean {
  const { message, policy, proxy, source, address, port } = turn;
  const { bytes, uriStart, uriEnd } = message;
  if (!isWord(bytes, uriStart, uriStart + scheme.length, scheme)) return false;
  let host = uriStart + scheme.length;
  for (let i = host; i < uriEnd; i++) {
    if (bytes[i] === SEMICOLON || bytes[i]! >= 0x7f) return false;
    if (bytes[i] === AT) host = i + 1;
  }
  const hostEnd = host + place.address.length;
  for (let i = 0; i < place.address.length; i++)
    if (host + i >= uriEnd || bytes[host + i] !== place.address.charCodeAt(i)) return false;
  if (hostEnd < uriEnd && bytes[hostEnd] !== COLON) return false;
  const written = hostEnd === uriEnd ? 5060 : readPlainPort(bytes, hostEnd + 1, uriEnd);
  if (written !== place.port) return false;
  named.host = place.address;
  named.port = hostEnd === uriEnd ? 0 : written;
  if (isOwn(proxy.own, named, source?.trunk.ownNames)) return false;
  if (place.address === address && place.port === port) return false;
  return policy.matchTrunk(egress.id, place.address, place.port)?.trunk.side !== "core";
}
