// Reads the category of the calling party that a SIP request claims: the parameter cpc.
import { decodeEscapes } from "../fields/escapes.ts";
import { Header, type HeaderId } from "../header.ts";
import { headerValue, nextHeader, type SipMessage } from "../message.ts";

/**
 * Categories of callers without a privilege (3GPP TS 24.229 section 7.2A.12, draft-mahy-iptel-cpc). Others are
 * `operator`, `police`, `test`, `priority`, `hospital`, `emergency` …
 */
const ordinary: ReadonlySet<string> = new Set([
  "",
  "ordinary",
  "unknown",
  "payphone",
  "data",
  "mobile-hplmn",
  "mobile-vplmn",
  "cellular",
  "cellular-roaming",
  "hotel",
  "prison",
]);

/** At most this many characters of a category are kept: a peer chose them. */
const MOST_KEPT = 32;

const callerFields: readonly HeaderId[] = [
  Header.from,
  Header.pAssertedIdentity,
  Header.pPreferredIdentity,
  Header.remotePartyId,
];

/**
 * Returns the first category that gives a caller a privilege, in lower case, or one that no list knows.
 * @returns undefined when no field of the caller claims one
 */
export function readPrivilege(message: SipMessage): string | undefined {
  for (let k = 0; k < callerFields.length; k++) {
    const id = callerFields[k]!;
    for (let i = message.first[id]!; i >= 0; i = nextHeader(message, id, i)) {
      const value = headerValue(message, i);
      const privilege = mayClaim(value) ? findPrivilege(value) : undefined;
      if (privilege !== undefined) return privilege;
    }
  }
  return undefined;
}

/** False for nearly every field: no parameter is named `cpc`, and no escape hides a name. */
function mayClaim(value: string): boolean {
  if (value.includes("%")) return true;
  for (let at = value.indexOf(";"); at >= 0; at = value.indexOf(";", at + 1))
    if (valueStart(value, at + 1) >= 0) return true;
  return false;
}

/** Searches the parameters of a user part, of a URI and of a field alike: peers write `cpc` in all three. */
function findPrivilege(value: string): string | undefined {
  const text = decodeEscapes(value);
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) isQuoted = !isQuoted;
    else if (code === 0x5c && isQuoted) at++;
    else if (code === 0x3b && !isQuoted) {
      const from = valueStart(text, at + 1);
      if (from < 0) continue;
      const category = readCategory(text, from);
      if (!ordinary.has(category)) return category;
    }
  }
  return undefined;
}

/** Returns where the value of the parameter at `at` begins when it is named `cpc`, otherwise -1. */
function valueStart(text: string, at: number): number {
  const name = skipSpace(text, at);
  if ((text.charCodeAt(name) | 0x20) !== 0x63) return -1;
  if (text.slice(name, name + 3).toLowerCase() !== "cpc") return -1;
  const equals = skipSpace(text, name + 3);
  return text[equals] === "=" ? skipSpace(text, equals + 1) : -1;
}

function skipSpace(text: string, at: number): number {
  while (text[at] === " " || text[at] === "\t") at++;
  return at;
}

function readCategory(text: string, from: number): string {
  const start = text[from] === '"' ? from + 1 : from;
  let end = start;
  while (end < text.length && !';>@,?&" \t:'.includes(text.charAt(end))) end++;
  return text.slice(start, Math.min(end, start + MOST_KEPT)).toLowerCase();
}
