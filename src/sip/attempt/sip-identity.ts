// Reads the calling and diverting parties of a SIP request, and its privacy.
import type { AssertedIdentity, IdentitySource, Presentation } from "../../domain/identity.ts";
import type { DialPlan, PartyNumber } from "../../domain/number.ts";
import { PrivacyFlag } from "../../domain/attempt.ts";
import { readSipNumber } from "../../numbering/e164.ts";
import { holdsName } from "../../numbering/sip-user.ts";
import {
  createAddressSpan,
  readAddress,
  readParam,
  readUri,
  type AddressSpan,
  type UriParts,
} from "../fields/name-addr.ts";
import { Header, type HeaderId } from "../header.ts";
import { headerValue, nextHeader, noteFault, type SipMessage } from "../message.ts";

/** Reused: an attempt is read to its end before the next one begins. */
const span: AddressSpan = createAddressSpan();

/** A host name that begins with fewer digits shows no telephone number. */
const SHORTEST_NUMBER = 7;
/** A host of fewer characters behind a user part shows no number: some systems are called "1". */
const SHORTEST_CODE = 5;
const HYPHEN = 0x2d;

/**
 * At most this many calling parties, and this many diverting parties, are read; no network sends more.
 */
const MOST_IDENTITIES = 16;

/**
 * The called number that a Remote-Party-ID with `party=called` may name without asserting a calling
 * party. Undefined: no number may.
 */
export type NamedCallee = PartyNumber | "anyone" | undefined;

/**
 * Reads every asserted calling party of a request, in the order PAI, PPI, RPID, From (RFC 3325,
 * draft-ietf-sip-privacy-04, RFC 3261). A Remote-Party-ID with `party=called` counts as one unless
 * it names `callee`, because some elements ignore `party`.
 */
export function readCalling(
  message: SipMessage,
  plan: DialPlan,
  privacy: number,
  callee?: NamedCallee,
): AssertedIdentity[] {
  const hidden: Presentation =
    (privacy & (PrivacyFlag.id | PrivacyFlag.user)) === 0 ? "allowed" : "restricted";
  const calling: AssertedIdentity[] = [];
  let left = MOST_IDENTITIES;
  for (let i = 0; i < callerFields.length; i++) {
    const [id, source] = callerFields[i]!;
    left = readIdentities(message, id, source, plan, hidden, callee, left, calling);
  }
  if (left < 0) noteFault(message, `more than ${MOST_IDENTITIES} asserted callers`);
  return calling;
}

const callerFields: readonly (readonly [HeaderId, IdentitySource])[] = [
  [Header.pAssertedIdentity, "p-asserted-identity"],
  [Header.pPreferredIdentity, "p-preferred-identity"],
  [Header.remotePartyId, "remote-party-id"],
  [Header.from, "from"],
];

/**
 * Reads at most `left` values into `out`.
 * @returns how many more could be read, or -1 when there were more than `left`
 */
function readIdentities(
  message: SipMessage,
  id: HeaderId,
  source: IdentitySource,
  plan: DialPlan,
  hidden: Presentation,
  callee: NamedCallee,
  left: number,
  out: AssertedIdentity[],
): number {
  for (let i = message.first[id]!; i >= 0; i = nextHeader(message, id, i)) {
    const value = headerValue(message, i);
    let at = 0;
    do {
      if (--left < 0) return -1;
      readAddress(value, at, span);
      if (span.fault !== undefined) noteFault(message, `${source}: ${span.fault}`);
      if (source === "from" && span.end < value.length) noteFault(message, "from: more than one address");
      const identity =
        source === "remote-party-id"
          ? readRemoteParty(message, value, plan, hidden, callee)
          : readIdentity(message, value, source, plan, hidden);
      if (identity !== undefined) out.push(identity);
      at = span.end + 1;
    } while (at <= value.length && span.end < value.length);
  }
  return left;
}

/** Reads the identity in `span`. */
function readIdentity(
  message: SipMessage,
  value: string,
  source: IdentitySource,
  plan: DialPlan,
  hidden: Presentation,
): AssertedIdentity {
  const uri = readUri(value, span.uriStart, span.uriEnd);
  if (uri.fault !== undefined) noteFault(message, `${source}: ${uri.fault}`);
  const number = readUriNumber(uri, plan);
  let presentation = hidden;
  if (isAnonymousDisplay(value, span.displayStart, span.displayEnd) || isAnonymousHost(uri.host))
    presentation = "restricted";
  else if (number.kind === "unusable" && number.why === "token") presentation = "restricted";
  if (span.displayEnd === span.displayStart) return { source, number, presentation };
  return { source, number, presentation, display: value.slice(span.displayStart, span.displayEnd) };
}

/** Reads the identity of a field that holds one address. A second address is a fault. */
export function readSingleIdentity(
  message: SipMessage,
  value: string,
  source: IdentitySource,
  plan: DialPlan,
): AssertedIdentity {
  readAddress(value, 0, span);
  if (span.fault !== undefined) noteFault(message, `${source}: ${span.fault}`);
  if (span.end < value.length) noteFault(message, `${source}: more than one address`);
  return readIdentity(message, value, source, plan, "allowed");
}

/** Set by {@link noteRepeated}, so that no closure is made for it. */
let repeated = false;

function noteRepeated(): void {
  repeated = true;
}

/**
 * Reads the Remote-Party-ID in `span`.
 * @returns undefined when it names the called party and so asserts nothing about the calling party
 */
function readRemoteParty(
  message: SipMessage,
  value: string,
  plan: DialPlan,
  hidden: Presentation,
  callee: NamedCallee,
): AssertedIdentity | undefined {
  repeated = false;
  const party = readParam(value, span.paramsStart, span.end, "party", noteRepeated);
  const privacy = readParam(value, span.paramsStart, span.end, "privacy", noteRepeated);
  if (repeated) noteFault(message, "remote-party-id: party or privacy appears twice");
  const identity = readIdentity(message, value, "remote-party-id", plan, hidden);
  if (party?.toLowerCase() === "called" && isCallee(identity.number, callee)) return undefined;
  return isPrivate(privacy) ? { ...identity, presentation: "restricted" } : identity;
}

function isCallee(number: PartyNumber, callee: NamedCallee): boolean {
  if (callee === undefined || callee === "anyone") return callee === "anyone";
  return number.kind !== "unusable" && callee.kind !== "unusable" && number.key === callee.key;
}

/** Reads the number of a sip, sips or tel URI. A URI of another scheme holds none. */
export function readUriNumber(uri: UriParts, plan: DialPlan): PartyNumber {
  const user = uri.user ?? "";
  if (uri.scheme === "other" || uri.scheme === "urn") return unusable("URI scheme without numbers", user);
  if (user === "" && (isNumberHost(uri.host) || beginsWithNumber(uri.host)))
    return unusable("number in place of a host", uri.host);
  // A number followed by a password can be read in more than one way.
  if (user.includes(":")) return unusable("password", user);
  const number = readSipNumber(user, plan);
  const isName = number.kind === "unusable" && (number.why === "not-a-number" || number.why === "empty");
  return isName && uri.host.length >= SHORTEST_CODE && isNumberHost(uri.host)
    ? unusable("number in place of a host", uri.host)
    : number;
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
    if ((letter >= 0x61 && letter <= 0x7a) || c === 0x3a) return false;
  }
  return host !== "" && !isIPv4(host);
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

/**
 * Tells whether the parameter `privacy` hides the party: `full`, `name` and `uri` do, `off` and no
 * value do not (draft-ietf-sip-privacy-04).
 */
function isPrivate(privacy: string | undefined): boolean {
  if (privacy === undefined || privacy === "") return false;
  const value = privacy.replaceAll('"', "").trim().toLowerCase();
  return value !== "off" && value !== "";
}

/** Tells whether the display name is "Anonymous", quoted or not (RFC 3323 section 4.1.1.3). */
function isAnonymousDisplay(value: string, start: number, end: number): boolean {
  // "anonymous" has 9 letters. A shorter name is another one.
  if (end - start < 9) return false;
  const name = value.slice(start, end).replaceAll('"', "").replaceAll("\\", "").trim();
  return name.length === 9 && name.toLowerCase() === "anonymous";
}

/**
 * Tells whether the host is "anonymous.invalid", which alone hides the caller (RFC 3323 section
 * 4.1.1.3).
 */
function isAnonymousHost(host: string): boolean {
  return (
    host.length >= 17 &&
    host.length <= 18 &&
    (host.charCodeAt(0) | 0x20) === 0x61 &&
    (host.toLowerCase() === "anonymous.invalid" || host.toLowerCase() === "anonymous.invalid.")
  );
}

const privacyBits: ReadonlyMap<string, number> = new Map(Object.entries(PrivacyFlag));

/**
 * Reads Privacy values as bits of {@link PrivacyFlag} (RFC 3323, 3325, 7044). They are separated by
 * ";", also seen with "," and in several fields. Unknown values change nothing.
 */
export function readPrivacy(message: SipMessage): number {
  let bits = 0;
  for (let i = message.first[Header.privacy]!; i >= 0; i = nextHeader(message, Header.privacy, i)) {
    const value = headerValue(message, i).toLowerCase();
    let from = 0;
    for (let k = 0; k <= value.length; k++) {
      const c = k < value.length ? value.charCodeAt(k) : 0x3b;
      if (c !== 0x3b && c !== 0x2c) continue;
      const word = value.slice(from, k).trim();
      bits |= privacyBits.get(word) ?? 0;
      from = k + 1;
    }
  }
  return bits;
}

/**
 * Reads the diverting parties, the most recent first: Diversion as it stands (RFC 5806), then the
 * retargeted entries of History-Info (RFC 7044). An entry was retargeted when the next one has a
 * `cause`, or when it has an escaped Reason itself. A single entry counts as no diversion.
 */
export function readDiversion(message: SipMessage, plan: DialPlan): AssertedIdentity[] {
  const out: AssertedIdentity[] = [];
  let left = MOST_IDENTITIES;
  if (message.count[Header.diversion] !== 0)
    left = readIdentities(message, Header.diversion, "diversion", plan, "allowed", undefined, left, out);
  if (message.count[Header.historyInfo] !== 0) left = readHistory(message, plan, left, out);
  if (left < 0) noteFault(message, `more than ${MOST_IDENTITIES} diverting parties`);
  return out;
}

const reasonName: ReadonlySet<string> = new Set(["reason"]);
const causeName: ReadonlySet<string> = new Set(["cause"]);

/** Reads at most `left` entries of History-Info, as {@link readIdentities} does. */
function readHistory(message: SipMessage, plan: DialPlan, left: number, out: AssertedIdentity[]): number {
  const entries: AssertedIdentity[] = [];
  const diverted: boolean[] = [];
  for (let i = message.first[Header.historyInfo]!; i >= 0; i = nextHeader(message, Header.historyInfo, i)) {
    const value = headerValue(message, i);
    let at = 0;
    do {
      if (--left < 0) return -1;
      readAddress(value, at, span);
      if (span.fault !== undefined) noteFault(message, `history-info: ${span.fault}`);
      const uri = readUri(value, span.uriStart, span.uriEnd);
      const question = uri.params.indexOf("?");
      const hasReason = question >= 0 && holdsName(uri.params.slice(question + 1), "&", reasonName);
      const hasCause =
        holdsName(uri.params, ";", causeName) ||
        readParam(value, span.paramsStart, span.end, "cause") !== undefined;
      if (hasCause && diverted.length > 0) diverted[diverted.length - 1] = true;
      entries.push({ source: "history-info", number: readUriNumber(uri, plan), presentation: "allowed" });
      diverted.push(hasReason);
      at = span.end + 1;
    } while (at <= value.length && span.end < value.length);
  }
  if (entries.length < 2) return left;
  for (let i = entries.length - 1; i >= 0; i--) if (diverted[i]) out.push(entries[i]!);
  return left;
}
