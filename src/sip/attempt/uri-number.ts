// Reads the number that the URI of an identity holds.
import type { DialPlan, PartyNumber } from "../../domain/number.ts";
import { isAccountName } from "../../numbering/account-name.ts";
import { hiddenTokens, readSipNumber } from "../../numbering/e164.ts";
import { inContextBehindHost } from "../../numbering/sip-user.ts";
import type { UriParts } from "../fields/name-addr.ts";

/** A host name that begins with fewer digits shows no telephone number. */
const SHORTEST_NUMBER = 7;
/** A host of fewer characters behind a user part shows no number: some systems are called "1". */
const SHORTEST_CODE = 5;
const HYPHEN = 0x2d;

/**
 * Reads the number of a sip, sips or tel URI. A URI of another scheme holds none.
 *
 * @param isFrom true: the URI stands in From, which telephones show as it is
 */
export function readUriNumber(uri: UriParts, plan: DialPlan, isFrom = false): PartyNumber {
  const user = uri.user ?? "";
  if (uri.scheme === "other" || uri.scheme === "urn") return readForeignUser(user, plan);
  if (user === "" && hiddenTokens.has(uri.host.toLowerCase()))
    return { kind: "unusable", why: "token", detail: "token", raw: uri.host };
  if (user === "" && showsNumber(uri.host, isFrom)) return unusable("number in place of a host", uri.host);
  // A number followed by a password can be read in more than one way.
  if (user.includes(":")) return unusable("password", user);
  const number = readSipNumber(user, plan);
  if (isOtherInContext(number, uri, plan)) return unusable("phone-context changes the number", user);
  const isName = number.kind === "unusable" && (number.why === "not-a-number" || number.why === "empty");
  return isName && uri.host.length >= SHORTEST_CODE && isNumberHost(uri.host)
    ? unusable("number in place of a host", uri.host)
    : number;
}

/** Tells whether a context behind the host makes another number of a usable one. */
function isOtherInContext(number: PartyNumber, { user = "", params }: UriParts, plan: DialPlan): boolean {
  if (params === "" || number.kind === "unusable") return false;
  const inContext = inContextBehindHost(user, params);
  if (inContext === undefined) return false;
  // In an area of its own, a local number would not be read in another area.
  const other = readSipNumber(inContext, { ...plan, homeArea: undefined });
  return other.kind !== "unusable" && other.key !== number.key;
}

/** Tells whether a host without a user part is shown as a number. Servers of IMS have names that begin with digits. */
function showsNumber(host: string, isFrom: boolean): boolean {
  if (isNumberHost(host)) return true;
  return beginsWithNumber(host) && (isFrom || host.includes("%") || !isOfIms(host));
}

/** True for a server of a mobile network (3GPP TS 23.003 section 13): `123456789012.sccas.ims.mnc000.mcc460.3gppnetwork.org`. */
function isOfIms(host: string): boolean {
  return host.toLowerCase().endsWith(".3gppnetwork.org");
}

/**
 * Reads what follows the scheme of a URI that holds no number: `im:alice@a`. It is a name, unless
 * somebody finds a number in it.
 */
function readForeignUser(user: string, plan: DialPlan): PartyNumber {
  const at = user.indexOf("@");
  const name = at < 0 ? user : user.slice(0, at);
  return isAccountName(name, plan)
    ? { kind: "unusable", why: "not-a-number", detail: "URI scheme without numbers", raw: user }
    : unusable("URI scheme without numbers", user);
}

function unusable(detail: string, user: string): PartyNumber {
  const params = user.indexOf(";");
  return { kind: "unusable", why: "invalid", detail, raw: params < 0 ? user : user.slice(0, params) };
}

/**
 * Tells whether a host is shown as a number: it holds no letter and is no address. A host name ends
 * in a label that begins with a letter (RFC 3261 section 25.1).
 */
function isNumberHost(host: string): boolean {
  for (let i = 0; i < host.length; i++) {
    const c = host.charCodeAt(i);
    const letter = c | 0x20;
    if (letter >= 0x61 && letter <= 0x7a) return false;
  }
  return host !== "" && !isIPv4(host) && !mayBeIPv6(host);
}

/** Tells whether no group between the colons is too long for an address: `::13912345678` is none (RFC 4291 section 2.2). */
function mayBeIPv6(host: string): boolean {
  return host.includes(":") && host.split(":").every((group) => group.length <= 4 || isIPv4(group));
}

/**
 * Tells whether a host name begins with a telephone number: `13912345678.example`. A host without a
 * user part is shown as it is. An IPv4 address with hyphens (`192-0-2-1.example`) is none. An escape
 * is not allowed in a host and may hide anything (RFC 3261 section 25.1).
 */
function beginsWithNumber(host: string): boolean {
  if (host.includes("%")) return true;
  let digits = 0;
  let at = host.startsWith("+") ? 1 : 0;
  let hyphens = 0;
  for (; at < host.length; at++) {
    const code = host.charCodeAt(at);
    if (code === HYPHEN) hyphens++;
    else if (code >= 0x30 && code <= 0x39) digits++;
    else break;
  }
  if (digits < SHORTEST_NUMBER) return false;
  return hyphens === 0 || (host[at] === "." && !isIPv4(host.slice(0, at).replaceAll("-", ".")));
}

function isIPv4(host: string): boolean {
  let dots = 0;
  let digits = 0;
  let value = 0;
  for (let i = 0; i < host.length; i++) {
    const digit = host.charCodeAt(i) - 0x30;
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      if (++digits > 3 || value > 255) return false;
    } else if (host[i] === "." && digits > 0) {
      dots++;
      digits = 0;
      value = 0;
    } else return false;
  }
  return dots === 3 && digits > 0;
}
