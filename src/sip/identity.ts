import type { AssertedIdentity, IdentitySource, Presentation } from "../domain/identity.ts";
import type { DialPlan, PartyNumber } from "../domain/number.ts";
import { PrivacyFlag } from "../domain/attempt.ts";
import { readSipNumber } from "../numbering/e164.ts";
import {
  createAddressSpan,
  readAddress,
  readParam,
  readUri,
  type AddressSpan,
  type UriParts,
} from "./address.ts";
import { Header, type HeaderId } from "./header.ts";
import { headerValue, nextHeader, noteFault, type SipMessage } from "./message.ts";

/** Reused: an attempt is read to its end before the next one begins. */
const span: AddressSpan = createAddressSpan();

/** Every asserted caller of a request, in the order PAI, PPI, RPID, From (RFC 3325, draft-ietf-sip-privacy-04, RFC 3261). */
export function readCalling(message: SipMessage, plan: DialPlan, privacy: number): AssertedIdentity[] {
  const hidden: Presentation =
    (privacy & (PrivacyFlag.id | PrivacyFlag.user)) === 0 ? "allowed" : "restricted";
  const calling: AssertedIdentity[] = [];
  readIdentities(message, Header.pAssertedIdentity, "p-asserted-identity", plan, hidden, calling);
  readIdentities(message, Header.pPreferredIdentity, "p-preferred-identity", plan, hidden, calling);
  readIdentities(message, Header.remotePartyId, "remote-party-id", plan, hidden, calling);
  readIdentities(message, Header.from, "from", plan, hidden, calling);
  return calling;
}

function readIdentities(
  message: SipMessage,
  id: HeaderId,
  source: IdentitySource,
  plan: DialPlan,
  hidden: Presentation,
  out: AssertedIdentity[],
): void {
  for (let i = message.first[id]!; i >= 0; i = nextHeader(message, id, i)) {
    const value = headerValue(message, i);
    let at = 0;
    do {
      readAddress(value, at, span);
      if (span.fault !== undefined) noteFault(message, `${source}: ${span.fault}`);
      if (source === "from" && span.end < value.length) noteFault(message, "from: more than one address");
      // A called party's RPID says nothing about the caller.
      if (
        source !== "remote-party-id" ||
        readParam(value, span.paramsStart, span.end, "party")?.toLowerCase() !== "called"
      )
        out.push(readIdentity(message, value, source, plan, hidden));
      at = span.end + 1;
    } while (at <= value.length && span.end < value.length);
  }
}

/** The identity in `span`. */
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
  else if (source === "remote-party-id" && isPrivate(readParam(value, span.paramsStart, span.end, "privacy")))
    presentation = "restricted";
  return { source, number, presentation };
}

/** The number of a sip, sips or tel URI; a URI of another scheme holds none. */
export function readUriNumber(uri: UriParts, plan: DialPlan): PartyNumber {
  const user = uri.user ?? "";
  if (uri.scheme === "other" || uri.scheme === "urn") return unusable("URI scheme without numbers", user);
  // A number followed by a password is read in more than one way.
  if (user.includes(":")) return unusable("password", user);
  return readSipNumber(user, plan);
}

function unusable(detail: string, user: string): PartyNumber {
  const params = user.indexOf(";");
  return { kind: "unusable", why: "invalid", detail, raw: params < 0 ? user : user.slice(0, params) };
}

/** draft-ietf-sip-privacy-04: `full`, `name` and `uri` hide; `off` and no parameter don't. */
function isPrivate(privacy: string | undefined): boolean {
  if (privacy === undefined || privacy === "") return false;
  const value = privacy.replaceAll('"', "").trim().toLowerCase();
  return value !== "off" && value !== "";
}

/** RFC 3323 section 4.1.1.3: display name "Anonymous", quoted or not. */
function isAnonymousDisplay(value: string, start: number, end: number): boolean {
  // "anonymous" is 9 letters; anything much longer is another name.
  if (end - start < 9) return false;
  const name = value.slice(start, end).replaceAll('"', "").replaceAll("\\", "").trim();
  return name.length === 9 && name.toLowerCase() === "anonymous";
}

/** RFC 3323 section 4.1.1.3: the host "anonymous.invalid" alone is enough. */
function isAnonymousHost(host: string): boolean {
  return (
    host.length >= 17 &&
    host.length <= 18 &&
    (host.charCodeAt(0) | 0x20) === 0x61 &&
    (host.toLowerCase() === "anonymous.invalid" || host.toLowerCase() === "anonymous.invalid.")
  );
}

const privacyBits: ReadonlyMap<string, number> = new Map(Object.entries(PrivacyFlag));

/** Privacy values as bits (RFC 3323, 3325, 7044): separated by ";", also seen with "," and on several lines. Unknown values change nothing. */
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
 * Diverting parties, the most recent first: Diversion as it stands (RFC 5806), then History-Info entries that were
 * retargeted: the next entry has a `cause`, or the entry itself an escaped Reason (RFC 7044).
 */
export function readDiversion(message: SipMessage, plan: DialPlan): AssertedIdentity[] {
  const out: AssertedIdentity[] = [];
  if (message.count[Header.diversion] !== 0)
    readIdentities(message, Header.diversion, "diversion", plan, "allowed", out);
  if (message.count[Header.historyInfo] !== 0) readHistory(message, plan, out);
  return out;
}

function readHistory(message: SipMessage, plan: DialPlan, out: AssertedIdentity[]): void {
  const entries: AssertedIdentity[] = [];
  const diverted: boolean[] = [];
  for (let i = message.first[Header.historyInfo]!; i >= 0; i = nextHeader(message, Header.historyInfo, i)) {
    const value = headerValue(message, i);
    let at = 0;
    do {
      readAddress(value, at, span);
      if (span.fault !== undefined) noteFault(message, `history-info: ${span.fault}`);
      const uri = readUri(value, span.uriStart, span.uriEnd);
      const inside = uri.params.toLowerCase();
      const hasReason = inside.includes("?reason=") || inside.includes("&reason=");
      const hasCause =
        inside.includes(";cause=") || readParam(value, span.paramsStart, span.end, "cause") !== undefined;
      if (hasCause && diverted.length > 0) diverted[diverted.length - 1] = true;
      entries.push({ source: "history-info", number: readUriNumber(uri, plan), presentation: "allowed" });
      diverted.push(hasReason);
      at = span.end + 1;
    } while (at <= value.length && span.end < value.length);
  }
  if (entries.length < 2) return;
  for (let i = entries.length - 1; i >= 0; i--) if (diverted[i]) out.push(entries[i]!);
}
