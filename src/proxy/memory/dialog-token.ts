// The proof that a dialog is one of ours, carried in our Record-Route: what it says, how it is made and checked.
import type { CallAttempt } from "../../domain/attempt.ts";
import type { AssertedIdentity } from "../../domain/identity.ts";
import type { PartyNumber } from "../../domain/number.ts";
import { CALL_TAG_LENGTH } from "../../calls/call-tag.ts";
import { MAC_LENGTH, type KeyedTags } from "../../sip/tag.ts";
import type { Target } from "../../routing/listener.ts";

/**
 * Separates the pieces of a token, none of which contains it. It is one of the `mark` characters, so it may stand in a
 * URI parameter (RFC 3261 section 25.1, paramchar).
 */
const SEPARATOR = "!";

/** Number of pieces in front of the MAC: with the name of the call, and in the format of 0.1.0. */
const CLAIMS = 7;
const FORMER_CLAIMS = 6;
/** Characters of a trunk's tag. */
const PIECE = 8;
/** Numbers that a token names, at most. A call with more is judged again at every change. */
const MAX_IDENTITIES = 4;
/** Stands in place of the numbers when the calling number is withheld from every request of the dialog. */
const WITHHELD = "w";

/**
 * The proof that a dialog is one of ours. Our Record-Route URI carries it, so that no node needs state for it.
 *
 * `CALL!INGRESS!EGRESS!CALLED!IDENTITIES!SOURCE!TARGET!MAC[!CONFIRMATION]`
 *
 * CALL is the name of the call, encrypted so that no peer can read it (calls/call-tag.ts). Tokens of 0.1.0 have no
 * CALL. INGRESS and EGRESS are the tags of the calling and the called trunk. CALLED and IDENTITIES are the numbers that
 * either side may show. SOURCE and TARGET are where the INVITE came from and where it went. MAC covers all these, the
 * Call-ID and the caller's tag.
 *
 * CONFIRMATION is a MAC over the To tag. It is added to the token in 1xx and 2xx answers (RFC 3261 section 16.7 step
 * 8). Without it, an INVITE that begins a new call could pass as a re-INVITE of this dialog.
 */
export interface DialogToken {
  /** The call's tag. Undefined: the token was written by 0.1.0. */
  readonly call: string | undefined;
  readonly ingress: string;
  readonly egress: string;
  readonly called: string;
  readonly identities: string;
  /** Where the INVITE came from and where it went, to be read with {@link readTarget}. */
  readonly source: string;
  readonly target: string;
  readonly mac: string;
  readonly confirmation: string | undefined;
  /** Everything in front of the MAC, as it was written. */
  readonly claims: string;
}

/** A dialog that was proved, and the side of it that the request comes from. */
export interface Proof {
  readonly token: DialogToken;
  readonly side: "caller" | "called";
}

/** The parts that a token is made of. */
export interface TokenParts {
  /** The call's tag. */
  readonly call: string;
  readonly ingress: string;
  readonly egress: string;
  /** Numbers that the called side may show. Empty where that side is not screened. */
  readonly called: readonly PartyNumber[];
  /** Identities that were judged and accepted. Empty where none were. */
  readonly calling: readonly AssertedIdentity[];
  /** True: the calling number is not shown, and the token does not contain it. */
  readonly isWithheld: boolean;
  readonly source: Target;
  readonly target: Target;
}

/**
 * Returns the text that represents a trunk in tokens. It survives restarts, and does not tell peers the trunk's name.
 */
export function trunkTag(tags: KeyedTags, trunkId: string): string {
  return tags.mac("identity", `trunk\n${trunkId}`).slice(0, PIECE);
}

function macOf(tags: KeyedTags, claims: string, callId: string, callerTag: string): string {
  return tags.mac("dialog", `${claims}\n${callId}\n${callerTag}`);
}

/**
 * Writes an address in characters that every parser of URI parameters accepts. The colons of IPv6 are written as
 * tildes.
 */
export function writeTarget({ transport, address, port, connection }: Target): string {
  const host = address.includes(":") ? address.replaceAll(":", "~") : address;
  if (transport === "udp") return `${host}_${port}`;
  return connection === undefined
    ? `${host}_${port}_${transport}`
    : `${host}_${port}_${transport}_${connection}`;
}

/** Reads an address of a token. */
export function readTarget(text: string): Target {
  const hostEnd = text.indexOf("_");
  const portEnd = text.indexOf("_", hostEnd + 1);
  const host = text.slice(0, hostEnd);
  const address = host.includes("~") ? host.replaceAll("~", ":") : host;
  if (portEnd < 0) return { transport: "udp", address, port: Number(text.slice(hostEnd + 1)) };
  const port = Number(text.slice(hostEnd + 1, portEnd));
  const [transport, connection] = text.slice(portEnd + 1).split("_");
  const stream = { transport: transport === "tls" ? "tls" : "tcp", address, port } as const;
  return connection === undefined ? stream : { ...stream, connection: Number(connection) };
}

/** Returns the token for an accepted call. */
export function createToken(
  tags: KeyedTags,
  parts: TokenParts,
  attempt: CallAttempt,
  callerTag: string,
): string {
  const called = listNumbers(parts.called);
  const identities = parts.isWithheld
    ? WITHHELD
    : listNumbers(parts.calling.filter(isShown).map(({ number }) => number));
  const claims = `${parts.call}!${parts.ingress}!${parts.egress}!${called}!${identities}!${writeTarget(parts.source)}!${writeTarget(parts.target)}`;
  return `${claims}!${macOf(tags, claims, attempt.callId, callerTag)}`;
}

/**
 * Returns the keys of the numbers, each once. The numbers stand in the message's own fields too, so the token reveals
 * nothing new.
 */
function listNumbers(numbers: readonly PartyNumber[]): string {
  let list = "";
  let count = 0;
  let last = Number.NaN;
  for (const number of numbers) {
    // Nearly every call asserts the same number several times.
    if (number.kind === "unusable" || number.key === last || count === MAX_IDENTITIES) continue;
    last = number.key;
    if (holds(list, number.key)) continue;
    list += `~${number.key}`;
    count++;
  }
  return list;
}

/** True for a token of a call whose calling number was withheld. */
export function isWithheldCall(token: DialogToken): boolean {
  return token.identities === WITHHELD;
}

/**
 * Splits a token into its pieces. The pieces are proved only by {@link provesDialog}.
 *
 * @returns undefined when it has not our form
 */
export function parseToken(text: string): DialogToken | undefined {
  const callEnd = isNamed(text) ? CALL_TAG_LENGTH : -1;
  const ingressEnd = text.indexOf(SEPARATOR, callEnd + 1);
  const egressEnd = text.indexOf(SEPARATOR, ingressEnd + 1);
  const calledEnd = text.indexOf(SEPARATOR, egressEnd + 1);
  const identitiesEnd = text.indexOf(SEPARATOR, calledEnd + 1);
  const sourceEnd = text.indexOf(SEPARATOR, identitiesEnd + 1);
  const claimsEnd = text.indexOf(SEPARATOR, sourceEnd + 1);
  if (ingressEnd < 0 || egressEnd < 0 || calledEnd < 0 || identitiesEnd < 0 || sourceEnd < 0 || claimsEnd < 0)
    return undefined;
  const macEnd = text.indexOf(SEPARATOR, claimsEnd + 1);
  return {
    call: callEnd < 0 ? undefined : text.slice(0, callEnd),
    ingress: text.slice(callEnd + 1, ingressEnd),
    egress: text.slice(ingressEnd + 1, egressEnd),
    called: text.slice(egressEnd + 1, calledEnd),
    identities: text.slice(calledEnd + 1, identitiesEnd),
    source: text.slice(identitiesEnd + 1, sourceEnd),
    target: text.slice(sourceEnd + 1, claimsEnd),
    claims: text.slice(0, claimsEnd),
    mac: macEnd < 0 ? text.slice(claimsEnd + 1) : text.slice(claimsEnd + 1, macEnd),
    confirmation: macEnd < 0 ? undefined : text.slice(macEnd + 1),
  };
}

/** True when the token names its call. The first piece is then longer than any first piece of 0.1.0. */
function isNamed(text: string): boolean {
  return text.indexOf(SEPARATOR) === CALL_TAG_LENGTH;
}

/** True when a holder of the key made the token for this Call-ID and caller's tag. */
export function provesDialog(
  tags: KeyedTags,
  token: DialogToken,
  callId: string,
  callerTag: string,
): boolean {
  return macOf(tags, token.claims, callId, callerTag) === token.mac;
}

/** Returns what {@link confirmToken} adds to a token for a tag of the called side. */
function confirmationOf(tags: KeyedTags, mac: string, callId: string, calledTag: string): string {
  return tags.mac("dialog", `confirmed\n${mac}\n${callId}\n${calledTag}`);
}

/** True when the called side has answered this call with this tag, and the answer passed a holder of the key. */
export function isConfirmed(tags: KeyedTags, token: DialogToken, callId: string, calledTag: string): boolean {
  return token.confirmation === confirmationOf(tags, token.mac, callId, calledTag);
}

/**
 * Returns the confirmation to append to the token `text`, with its separator. Returns "" when the text has not the form
 * of our tokens, or has a confirmation already.
 */
export function confirmToken(tags: KeyedTags, text: string, callId: string, calledTag: string): string {
  const macStart = text.lastIndexOf(SEPARATOR) + 1;
  if (
    text.length - macStart !== MAC_LENGTH ||
    countSeparators(text) !== (isNamed(text) ? CLAIMS : FORMER_CLAIMS)
  )
    return "";
  return `${SEPARATOR}${confirmationOf(tags, text.slice(macStart), callId, calledTag)}`;
}

function countSeparators(text: string): number {
  let count = 0;
  for (let at = text.indexOf(SEPARATOR); at >= 0; at = text.indexOf(SEPARATOR, at + 1)) count++;
  return count;
}

/** True when every number that the request asserts was authorised for the side it comes from. Fields may be absent. */
export function identitiesHold(
  token: DialogToken,
  fromCaller: boolean,
  calling: readonly AssertedIdentity[],
): boolean {
  const authorised = fromCaller ? token.identities : token.called;
  for (const { number, presentation } of calling) {
    if (presentation !== "allowed") return false;
    if (number.kind === "unusable") {
      if (number.why !== "not-a-number" && number.why !== "empty") return false;
    } else if (!holds(authorised, number.key)) return false;
  }
  return true;
}

function holds(list: string, key: number): boolean {
  const item = `~${key}`;
  for (let at = list.indexOf(item); at >= 0; at = list.indexOf(item, at + 1)) {
    const behind = list.charAt(at + item.length);
    if (behind === "" || behind === "~") return true;
  }
  return false;
}

/**
 * True for a number that may be written into a token. A withheld number is not written; its call is judged again when
 * it changes.
 */
function isShown({ presentation }: AssertedIdentity): boolean {
  return presentation === "allowed";
}
