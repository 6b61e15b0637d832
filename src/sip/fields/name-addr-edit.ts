// Changes display names and parameters in the address fields of a message that is forwarded.
import { decodeOnce } from "../../numbering/sip-user.ts";
import { createAddressSpan, readAddress } from "./name-addr.ts";

/** The changes to an address field. Everything else stays as received. */
export interface AddressChange {
  /** Whether the display name is removed. */
  readonly withoutName: boolean;
  /** The text put in front of the display name: latin1, ready to stand in quotes. Empty: none. */
  readonly prefix: string;
  /** Whether the parameter `verstat` is removed, wherever it stands. */
  readonly withoutVerstat: boolean;
}

const span = createAddressSpan();

/** Changes every address in the unfolded value of a From, P-Asserted-Identity or similar field. */
export function changeAddresses(value: string, change: AddressChange): string {
  let out = "";
  let at = 0;
  do {
    readAddress(value, at, span);
    out += value.slice(at, span.displayStart) + changeOne(value, change);
    at = span.end;
    if (at < value.length) out += value.charAt(at++);
  } while (at < value.length);
  return out;
}

/** Changes the address in `span`. */
function changeOne(value: string, change: AddressChange): string {
  const { displayStart, displayEnd, uriStart, uriEnd, paramsStart, end } = span;
  const isBracketed = value.charAt(uriStart - 1) === "<" && uriStart > displayStart;
  const named = value.slice(displayStart, uriStart - (isBracketed ? 1 : 0));
  const uri = clean(value.slice(uriStart, uriEnd), change);
  const params = clean(value.slice(paramsStart, end), change);
  if (change.prefix === "") {
    const name = change.withoutName ? "" : named;
    return name + (isBracketed ? `<${uri}>` : uri) + params;
  }
  const name = change.withoutName ? "" : value.slice(displayStart, displayEnd);
  return `${prefixed(name, change.prefix)} <${uri}>${params}`;
}

function prefixed(name: string, prefix: string): string {
  if (name === "") return `"${prefix}"`;
  return name.startsWith('"') ? `"${prefix} ${name.slice(1)}` : `"${prefix} ${name}"`;
}

function clean(text: string, { withoutVerstat }: AddressChange): string {
  return withoutVerstat ? removeVerstat(text) : text;
}

/**
 * Removes `verstat`, which may stand in the user part, after the host or after the address (3GPP TS
 * 24.229 section 7.2A.20, RFC 3966).
 */
function removeVerstat(text: string): string {
  let out = "";
  for (let at = 0; at < text.length;) {
    const end = pieceEnd(text, at);
    if (!isVerstat(text.slice(at, end))) out += text.slice(at, end);
    at = end;
  }
  return out;
}

/**
 * Returns where the piece that begins at `at` ends: where a parameter may begin or end, but not
 * inside quotes.
 */
function pieceEnd(text: string, at: number): number {
  let isQuoted = false;
  for (let i = at; i < text.length; i++) {
    const char = text.charAt(i);
    if (isQuoted && char === "\\") i++;
    else if (char === '"') isQuoted = !isQuoted;
    else if (!isQuoted && i > at && (char === ";" || char === "@" || char === "?")) return i;
  }
  return text.length;
}

function isVerstat(piece: string): boolean {
  if (!piece.startsWith(";")) return false;
  const equals = piece.indexOf("=");
  const name = decodeOnce(piece.slice(1, equals < 0 ? piece.length : equals).trim());
  return typeof name === "string" && name.toLowerCase() === "verstat";
}
