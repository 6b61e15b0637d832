// The proof that a dialog is one of ours, carried in our Record-Route: what it says, how it is made and checked.
import type { CallAttempt } from "../../domain/attempt.ts";
import type { AssertedIdentity } from "../../domain/identity.ts";
import type { PartyNumber } from "../../domain/number.ts";
import { isReasonCode, type ReasonCode } from "../../domain/reason.ts";
import type { Target } from "../../routing/listener.ts";
import { decodeUnreserved } from "../../sip/fields/escapes.ts";
import { putNumber, putText, textFrom, type OctetPen } from "../../sip/octet-pen.ts";
import { MAC_LENGTH, type KeyedTags } from "../../sip/tag.ts";
import type { Acceptance, DialogToken } from "./dialog-proof.ts";
import { claimsOfFormer, isFormer, separatorsOfFormer } from "./former-token.ts";
import { listCalled, listCalling, listDiverting, type CallingParties } from "./named-parties.ts";

/** Separates the pieces of a token, none of which contains it. */
const SEPARATOR = ".";
/** Pieces in front of the MAC. */
export const CLAIMS = 7;
/** Index of the piece that says how the call was accepted. */
export const STANDING = 4;
/** Characters of a trunk's tag. */
export const PIECE = 8;

const LETTERS: Readonly<Record<Acceptance, string>> = {
  judged: "j",
  emergency: "e",
  withheld: "w",
  labelled: "l",
};
const ACCEPTANCES: ReadonlyMap<string, Acceptance> = new Map([
  ["j", "judged"],
  ["e", "emergency"],
  ["w", "withheld"],
  ["l", "labelled"],
]);

/** The parts that a token is made of. */
export interface TokenParts {
  /** The call's tag in hex. "": the call has none. */
  readonly call: string;
  readonly ingress: string;
  readonly egress: string;
  /** Numbers that the called side may use for itself. Empty where that side is not screened. */
  readonly called: readonly PartyNumber[];
  /** Identities that the call was accepted with. Empty where the calling side is not screened. */
  readonly calling: CallingParties;
  /** Diverting parties that the call was accepted with. */
  readonly diverting: readonly AssertedIdentity[];
  readonly accepted: Acceptance;
  /** The reason of the verdict, of which a labelled call bears the label. */
  readonly reason: ReasonCode;
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

const COLON = 0x3a;
const DOT = 0x2e;
const HYPHEN = 0x2d;

/** Stands in front of an IPv6 address. No address of the former form begins with it. */
const IPV6 = "x";

/** Writes an address in the characters of a token: dots and colons become hyphens. */
function putTarget(pen: OctetPen, target: Target): void {
  const { connection } = target;
  putPlace(pen, target);
  if (target.transport === "udp" || connection === undefined) return;
  putText(pen, "_");
  putNumber(pen, connection);
}

/** Writes an address in the same way, without the port of a connection. */
export function putPlace(pen: OctetPen, { transport, address, port }: Target): void {
  const isIpv6 = address.includes(":");
  if (isIpv6) putText(pen, IPV6);
  const host = pen.at;
  putText(pen, address);
  const { bytes } = pen;
  for (let i = host; i < pen.at; i++) if (bytes[i] === (isIpv6 ? COLON : DOT)) bytes[i] = HYPHEN;
  putText(pen, "_");
  putNumber(pen, port);
  if (transport === "udp") return;
  putText(pen, "_");
  putText(pen, transport);
}

/** Reads an address of a token, in this form and in the former one. */
export function readTarget(text: string): Target {
  const hostEnd = text.indexOf("_");
  const portEnd = text.indexOf("_", hostEnd + 1);
  const address = readHost(text.slice(0, hostEnd));
  if (portEnd < 0) return { transport: "udp", address, port: Number(text.slice(hostEnd + 1)) };
  const port = Number(text.slice(hostEnd + 1, portEnd));
  const [transport, connection] = text.slice(portEnd + 1).split("_");
  const stream = { transport: transport === "tls" ? "tls" : "tcp", address, port } as const;
  return connection === undefined ? stream : { ...stream, connection: Number(connection) };
}

function readHost(host: string): string {
  if (host.startsWith(IPV6)) return swap(host.slice(1), "-", ":");
  return host.includes("~") ? swap(host, "~", ":") : swap(host, "-", ".");
}

/** Returns the text with one character in place of another. For short texts faster than `replaceAll`. */
function swap(text: string, from: string, to: string): string {
  let out = "";
  for (let at = 0; at < text.length; at++) out += text[at] === from ? to : text[at]!;
  return out;
}

/**
 * Writes the token for an accepted call: the proof that its dialog is one of ours. Our Record-Route URI carries it, so
 * that no node needs state for it.
 *
 * `CALL.INGRESS.EGRESS.CALLED.CALLING.SOURCE.TARGET.MAC[.CONFIRMATION]`
 *
 * CALL is the name of the call, encrypted so that no peer can read it (calls/call-tag.ts), in hex. INGRESS and EGRESS
 * are the tags of the calling and the called trunk. CALLED lists the parties that the called side may use for itself.
 * CALLING says how the calling side was accepted, and lists the calling and diverting parties that it was accepted with.
 * SOURCE and TARGET are where the INVITE came from and where it went. MAC covers all these, the Call-ID and the caller's
 * tag.
 *
 * CONFIRMATION is a MAC over the To tag. It is added to the token in 1xx and 2xx answers (RFC 3261 section 16.7 step
 * 8). Without it, an INVITE that begins a new call could pass as a re-INVITE of this dialog.
 *
 * A token has lower-case letters, digits, `-`, `_` and `.` only. Nobody who writes a URI anew has to escape them, and a
 * token in another case or with escapes is the same token (RFC 3261 section 19.1.4).
 */
export function putToken(
  pen: OctetPen,
  tags: KeyedTags,
  parts: TokenParts,
  { callId }: Pick<CallAttempt, "callId">,
  callerTag: string,
): void {
  const { accepted } = parts;
  const context = { tags, callId };
  const begun = pen.at;
  const isSecret = accepted === "withheld";
  putText(pen, parts.call);
  putText(pen, SEPARATOR);
  putText(pen, parts.ingress);
  putText(pen, SEPARATOR);
  putText(pen, parts.egress);
  putText(pen, SEPARATOR);
  if (parts.called.length > 0) putText(pen, listCalled(context, parts.called));
  putText(pen, SEPARATOR);
  putText(pen, LETTERS[accepted]);
  if (accepted === "labelled") putText(pen, parts.reason);
  putText(pen, listCalling(context, parts.calling, isSecret));
  if (parts.diverting.length > 0) putText(pen, listDiverting(context, parts.diverting, isSecret));
  putText(pen, SEPARATOR);
  putTarget(pen, parts.source);
  putText(pen, SEPARATOR);
  putTarget(pen, parts.target);
  const mac = macOf(tags, textFrom(pen, begun), callId, callerTag);
  putText(pen, SEPARATOR);
  putText(pen, mac);
}

/**
 * Splits a token into its pieces. The pieces are proved only by {@link provesDialog}.
 *
 * @returns undefined when it has not our form
 */
export function parseToken(written: string): DialogToken | undefined {
  const text = decodeUnreserved(written);
  if (isFormer(text)) return claimsOfFormer(text);
  const folded = text.toLowerCase();
  const count = findEnds(folded);
  if (count !== CLAIMS + 1 && count !== CLAIMS + 2) return undefined;
  const standing = pieceAt(folded, STANDING);
  const accepted = ACCEPTANCES.get(standing.charAt(0));
  if (accepted === undefined) return undefined;
  const list = standing.indexOf("_");
  const listStart = list < 0 ? standing.length : list;
  return {
    call: pieceAt(folded, 0),
    ingress: pieceAt(folded, 1),
    egress: pieceAt(folded, 2),
    called: pieceAt(folded, 3),
    accepted,
    label: accepted === "labelled" ? reasonOf(standing.slice(1, listStart)) : undefined,
    calling: standing.slice(listStart),
    source: pieceAt(folded, 5),
    target: pieceAt(folded, 6),
    mac: pieceAt(folded, CLAIMS),
    confirmation: count === CLAIMS + 1 ? undefined : pieceAt(folded, CLAIMS + 1),
    claims: folded.slice(0, ends[CLAIMS - 1]),
  };
}

/** Where the pieces of a token end. Reused: a token is read to its end before the next one begins. */
const ends = new Int32Array(CLAIMS + 3);

/** Finds where the pieces end, and returns how many there are, at most {@link CLAIMS} + 3. */
function findEnds(text: string): number {
  const separator = SEPARATOR.charCodeAt(0);
  let count = 0;
  for (let at = 0; at < text.length && count < CLAIMS + 2; at++)
    if (text.charCodeAt(at) === separator) ends[count++] = at;
  ends[count] = text.length;
  return count + 1;
}

/** Returns the piece with this index. */
function pieceAt(text: string, index: number): string {
  return text.slice(index === 0 ? 0 : ends[index - 1]! + 1, ends[index]);
}

/** A reason of another release has no text of its own. */
function reasonOf(code: string): ReasonCode {
  return isReasonCode(code) ? code : "default";
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
 * Returns the confirmation to append to the token `written`, with its separator. Returns "" when the text has not the
 * form of our tokens, or has a confirmation already.
 */
export function confirmToken(tags: KeyedTags, written: string, callId: string, calledTag: string): string {
  const decoded = decodeUnreserved(written);
  const former = isFormer(decoded);
  const separator = former ? "!" : SEPARATOR;
  const text = former ? decoded : decoded.toLowerCase();
  const macStart = text.lastIndexOf(separator) + 1;
  if (text.length - macStart !== MAC_LENGTH) return "";
  if (countOf(text, separator) !== (former ? separatorsOfFormer(text) : CLAIMS)) return "";
  return `${separator}${confirmationOf(tags, text.slice(macStart), callId, calledTag)}`;
}

function countOf(text: string, separator: string): number {
  let count = 0;
  const code = separator.charCodeAt(0);
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) === code) count++;
  return count;
}
