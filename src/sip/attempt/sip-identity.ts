// Reads the calling parties of a SIP request, and its privacy.
import type { AssertedIdentity, IdentitySource, Presentation } from "../../domain/identity.ts";
import { NumberFlag, type DialPlan, type PartyNumber } from "../../domain/number.ts";
import { PrivacyFlag } from "../../domain/attempt.ts";
import {
  createAddressSpan,
  readAddress,
  readUri,
  type AddressSpan,
  type UriParts,
} from "../fields/name-addr.ts";
import { Header, type HeaderId } from "../header.ts";
import { headerValue, nextHeader, noteFault, type SipMessage } from "../message.ts";
import { readPartyParams } from "./remote-party.ts";
import { readUriNumber } from "./uri-number.ts";

/** Reused: an attempt is read to its end before the next one begins. */
const span: AddressSpan = createAddressSpan();

/**
 * At most this many calling parties, and this many diverting parties, are read; no network sends more.
 */
export const MOST_IDENTITIES = 16;

/**
 * The number that a Remote-Party-ID of the called party may name without asserting a calling party.
 * Undefined: no number may.
 */
export type NamedCallee = PartyNumber | "anyone" | undefined;

/**
 * Reads every asserted calling party of a request, in the order PAI, PPI, RPID, From (RFC 3325,
 * draft-ietf-sip-privacy-04, RFC 3261).
 *
 * A Remote-Party-ID speaks for the calling party when `party` is `calling`, or when it has no
 * `party`, which means the same in a request. Some elements ignore `party`. So the others are judged
 * too, but never stand for the calling party ({@link AssertedIdentity.party}). One with
 * `party=called` that names `callee` is left out: it says nothing. One without `party` that names
 * `callee` is doubtful, so it is judged and does not speak.
 */
export function readCalling(
  message: SipMessage,
  plan: DialPlan,
  privacy: number,
  callee?: NamedCallee,
): AssertedIdentity[] {
  const hidden: Presentation =
    (privacy & (PrivacyFlag.id | PrivacyFlag.user)) === 0 ? "allowed" : "restricted";
  count = 0;
  let left = MOST_IDENTITIES;
  for (let i = 0; i < callerFields.length; i++) {
    const [id, source] = callerFields[i]!;
    if (message.first[id]! >= 0) left = readIdentities(message, id, source, plan, hidden, callee, left);
  }
  if (left < 0) noteFault(message, `more than ${MOST_IDENTITIES} asserted callers`);
  // An array that grows has room for 17.
  const calling = found.slice(0, count);
  for (let i = 0; i < calling.length; i++) calling[i] = proven(calling[i]!, calling);
  return calling;
}

/** Reused: identities are gathered here, and how many they are. */
const found: AssertedIdentity[] = [];
let count = 0;

/**
 * Returns the identity. Its number is no longer ambiguous where another field asserts the same number
 * in a form that is not: `<tel:2125551234;phone-context=+1>` beside `<sip:+12125551234@a>`.
 */
function proven(identity: AssertedIdentity, calling: readonly AssertedIdentity[]): AssertedIdentity {
  const { number } = identity;
  if (number.kind !== "e164" || (number.flags & PROVABLE) !== PROVABLE) return identity;
  const isProven = calling.some(
    ({ number: other }) =>
      other.kind === "e164" && other.key === number.key && (other.flags & NumberFlag.ambiguous) === 0,
  );
  return isProven
    ? { ...identity, number: { ...number, flags: number.flags & ~NumberFlag.ambiguous } }
    : identity;
}

/** The flags of a number that another field may prove. */
const PROVABLE = NumberFlag.context | NumberFlag.ambiguous;

const callerFields: readonly (readonly [HeaderId, IdentitySource])[] = [
  [Header.pAssertedIdentity, "p-asserted-identity"],
  [Header.pPreferredIdentity, "p-preferred-identity"],
  [Header.remotePartyId, "remote-party-id"],
  [Header.from, "from"],
];

/**
 * Gathers at most `left` values.
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
      if (identity !== undefined) found[count++] = identity;
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
  return makeIdentity(value, span, uri, source, plan, hidden);
}

/**
 * Makes the identity of an address.
 * @param value the field value
 * @param address where in `value` the address stands
 * @param uri its URI
 * @param source the field
 * @param plan the dial plan of the trunk
 * @param hidden the presentation that Privacy asks for
 */
export function makeIdentity(
  value: string,
  { displayStart, displayEnd }: AddressSpan,
  uri: UriParts,
  source: IdentitySource,
  plan: DialPlan,
  hidden: Presentation,
): AssertedIdentity {
  const number = readUriNumber(uri, plan, source === "from");
  const display = value.slice(displayStart, displayEnd);
  const presentation = isAnonymous(uri.host, number, display) ? "restricted" : hidden;
  return display === "" ? { source, number, presentation } : { source, number, presentation, display };
}

/**
 * Tells whether an identity hides the calling party: by its host, by a word in place of its number, or by the display name "Anonymous" where there is no number. Beside a number that name
 * hides nothing: exchanges write it for a party that hides its name only.
 */
function isAnonymous(host: string, number: PartyNumber, display: string): boolean {
  if (isAnonymousHost(host)) return true;
  if (number.kind !== "unusable" || number.why === "invalid") return false;
  return number.why === "token" || isAnonymousDisplay(display);
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
  const identity = readIdentity(message, value, "remote-party-id", plan, hidden);
  const { party, hidden: hides, repeated } = readPartyParams(value, span);
  if (repeated) noteFault(message, "remote-party-id: party or privacy appears twice");
  const namesCallee = isCallee(identity.number, callee);
  if (party === "called" && namesCallee) return undefined;
  const presentation = hides === "number" ? "restricted" : identity.presentation;
  const speaks = party === "calling" || (party === undefined && !namesCallee);
  return speaks ? { ...identity, presentation } : { ...identity, presentation, party: "called" };
}

function isCallee(number: PartyNumber, callee: NamedCallee): boolean {
  if (callee === undefined || callee === "anyone") return callee === "anyone";
  return number.kind !== "unusable" && callee.kind !== "unusable" && number.key === callee.key;
}

/** Tells whether the display name is "Anonymous", quoted or not (RFC 3323 section 4.1.1.3). */
function isAnonymousDisplay(display: string): boolean {
  // "anonymous" has 9 letters. A shorter name is another one.
  if (display.length < 9) return false;
  const name = display.replaceAll('"', "").replaceAll("\\", "").trim();
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
 * Reads Privacy values as bits of {@link PrivacyFlag} (RFC 3323, 3325, 7044). They are separated by ";"; "," and spaces
 * are seen too, and quotes around them. Unknown values change nothing.
 */
export function readPrivacy(message: SipMessage): number {
  let bits = 0;
  for (let i = message.first[Header.privacy]!; i >= 0; i = nextHeader(message, Header.privacy, i)) {
    const value = headerValue(message, i).toLowerCase();
    for (let from = 0, at = 0; at <= value.length; at++) {
      if (at < value.length && isOfPrivacy(value.charCodeAt(at))) continue;
      bits |= privacyBits.get(value.slice(from, at)) ?? 0;
      from = at + 1;
    }
  }
  return bits;
}

/** True for a character that may stand inside a value: a small letter, a digit, or `-`, `.`, `_` and `%`. */
function isOfPrivacy(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2d ||
    code === 0x2e ||
    code === 0x5f ||
    code === 0x25
  );
}
