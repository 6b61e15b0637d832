// Finds the fields of a request that go when the calling number is withheld.
import { isVisualSeparator } from "../../numbering/sip-user.ts";
import { foldNames } from "../../screening/display-text.ts";
import { isKept, nameOfField } from "../../sip/field-name.ts";
import { decodeEscapes } from "../../sip/fields/escapes.ts";
import { createAddressSpan, readAddress, readUri } from "../../sip/fields/name-addr.ts";
import { Header, type HeaderId } from "../../sip/header.ts";
import { headerValue, nextHeader, type SipMessage } from "../../sip/message.ts";

/**
 * Fields that say who calls, or where from, and are not used for routing. They go whatever they hold, because a caller
 * may stand in them in a form that nobody finds: a name, a hash, hexadecimal digits.
 */
const tellingFields: ReadonlySet<string> = new Set([
  // Asserted and preferred identities, diverting parties (RFC 5806, RFC 7044), signatures over the number (RFC 8224).
  "p-asserted-identity",
  "p-preferred-identity",
  "remote-party-id",
  "diversion",
  "cc-diversion",
  "history-info",
  "referred-by",
  "identity",
  "identity-info",
  // What RFC 3323 section 5.3 removes for user-level privacy.
  "privacy",
  "subject",
  "call-info",
  "organization",
  "user-agent",
  "reply-to",
  "in-reply-to",
  // Identity fields of IMS (3GPP TS 24.229, RFC 7315, RFC 8496, RFC 5502, RFC 5002, RFC 4457, RFC 5503).
  "p-charge-info",
  "p-served-user",
  "p-associated-uri",
  "p-profile-key",
  "p-user-database",
  "p-access-network-info",
  "cellular-network-info",
  "additional-identity",
  "attestation-info",
  "origination-id",
  "restoration-info",
  "p-dcs-billing-info",
  "p-dcs-laes",
  "p-dcs-redirect",
  "p-dcs-trace-party-id",
  // Hexadecimal octets of the caller's choice (RFC 7433).
  "user-to-user",
]);

/** Fields that no operator may strip, but that a withheld call can do without when they show the number. */
const dispensable: ReadonlySet<string> = new Set([
  "authorization",
  "proxy-authorization",
  "path",
  "service-route",
]);

const callerFields: readonly HeaderId[] = [
  Header.from,
  Header.pAssertedIdentity,
  Header.pPreferredIdentity,
  Header.remotePartyId,
  Header.diversion,
];

/** At most this many numbers are searched for in the other fields; no network sends more. */
const MOST_NUMBERS = 16;
/** Digits at the end of a fixed or foreign number that are searched for: so many are the same in every spelling. */
const COMMON_END = 8;
/** A number shorter than this is found at the end of a number only, and one shorter than `FEWEST` is not searched for. */
const FEW = 7;
const FEWEST = 5;
const MOBILE_LENGTH = 11;
/** In so many octets of a field, digits of other scripts are searched for too. */
const MOST_FOLDED = 4096;

/** Tells whether a field goes from a message whose calling number is withheld. `From` is replaced, not asked about. */
export type WithheldTest = (index: number) => boolean;

/**
 * Returns the test for the fields of `message`. A field goes when it is one of those that tell who calls, or when the
 * digits of a caller or of a diverting party stand in it, in any spelling. Fields of the transaction, the dialog and the
 * body stay.
 */
export function withheldTest(message: SipMessage): WithheldTest {
  const numbers = readNumbers(message);
  return (index) => {
    const name = nameOfField(message, index);
    if (tellingFields.has(name)) return true;
    if (numbers.length === 0 || (isKept(name) && !dispensable.has(name))) return false;
    return shows(headerValue(message, index), numbers);
  };
}

/** Returns the digits to search for: of every caller that the message names, but not of the called party. */
function readNumbers(message: SipMessage): readonly string[] {
  const called = significantDigits(userAt(message.text, message.uriStart, message.uriEnd)).digits;
  const numbers = new Set<string>();
  for (const id of callerFields)
    for (let i = message.first[id]!; i >= 0; i = nextHeader(message, id, i))
      for (const user of usersOf(headerValue(message, i))) {
        const { digits, isMobile } = significantDigits(user);
        if (digits.length < FEWEST || digits === called) continue;
        if (numbers.size === MOST_NUMBERS) return [...numbers];
        // The area code of other numbers may be left out.
        numbers.add(isMobile ? digits : digits.slice(-COMMON_END));
      }
  return [...numbers];
}

const span = createAddressSpan();

function usersOf(value: string): readonly string[] {
  const users: string[] = [];
  let at = 0;
  do {
    readAddress(value, at, span);
    users.push(userAt(value, span.uriStart, span.uriEnd));
    at = span.end + 1;
  } while (at <= value.length && span.end < value.length && users.length <= MOST_NUMBERS);
  return users;
}

/** Returns the user part of a URI, without parameters. */
function userAt(text: string, start: number, end: number): string {
  const user = readUri(text, start, end).user ?? "";
  const parameters = user.indexOf(";");
  return parameters < 0 ? user : user.slice(0, parameters);
}

/** The digits of a number without prefixes; `isMobile`: of a mobile number of +86, which has no area code. */
interface Significant {
  readonly digits: string;
  readonly isMobile: boolean;
}

function significantDigits(user: string): Significant {
  const plain = decodeEscapes(user);
  let digits = "";
  for (let at = 0; at < plain.length; at++) if (isDigit(plain.charCodeAt(at))) digits += plain[at];
  let isForeign = plain.trimStart().startsWith("+");
  if (!isForeign && digits.startsWith("00")) {
    isForeign = true;
    digits = digits.slice(2);
  }
  if (digits.startsWith("86") && digits.length > MOBILE_LENGTH) {
    isForeign = false;
    digits = digits.slice(2);
  }
  if (!isForeign && digits.startsWith("0")) digits = digits.slice(1);
  return { digits, isMobile: !isForeign && digits.length === MOBILE_LENGTH && digits.startsWith("1") };
}

/** Tells whether one of the numbers stands in the value, in digits of whatever script. */
function shows(value: string, numbers: readonly string[]): boolean {
  const plain = decodeEscapes(value);
  if (holdsDigits(plain, numbers)) return true;
  return !isAscii(plain) && foldNames(plain.slice(0, MOST_FOLDED)).some((text) => holdsDigits(text, numbers));
}

function isAscii(plain: string): boolean {
  for (let at = 0; at < plain.length; at++) if (plain.charCodeAt(at) > 0x7f) return false;
  return true;
}

function holdsDigits(plain: string, numbers: readonly string[]): boolean {
  const parted = digitRuns(plain, isVisual);
  const joined = digitRuns(plain, isNoLetter);
  for (const digits of numbers)
    if (digits.length < FEW ? parted.includes(`${digits}|`) : joined.includes(digits)) return true;
  return false;
}

/**
 * Returns the digits of a text. `|` stands behind every run of digits.
 * @param joins tells which characters may stand inside a run
 */
function digitRuns(plain: string, joins: (code: number) => boolean): string {
  let runs = "";
  for (let at = 0; at < plain.length; at++) {
    const code = plain.charCodeAt(at);
    if (isDigit(code)) runs += plain[at];
    else if (!joins(code) && !runs.endsWith("|")) runs += "|";
  }
  return `${runs}|`;
}

function isVisual(code: number): boolean {
  return code === 0x20 || code === 0x09 || isVisualSeparator(code);
}

/** True for what may part the groups of a number: everything but an ASCII letter (`139_1234/5678`). */
function isNoLetter(code: number): boolean {
  const letter = code | 0x20;
  return letter < 0x61 || letter > 0x7a;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
