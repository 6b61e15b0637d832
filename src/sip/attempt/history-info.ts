// Reads the entries of History-Info (RFC 7044) that are diverting parties.
import type { AssertedIdentity } from "../../domain/identity.ts";
import type { DialPlan } from "../../domain/number.ts";
import { holdsName, isPlainNumber } from "../../numbering/sip-user.ts";
import {
  createAddressSpan,
  QUOTED_TEXT,
  readAddress,
  readParam,
  readUri,
  type UriParts,
} from "../fields/name-addr.ts";
import { Header } from "../header.ts";
import { headerValue, nextHeader, noteFault, type SipMessage } from "../message.ts";
import { namesTarget, type CallTarget } from "./called.ts";
import { readUriNumber } from "./uri-number.ts";

const span = createAddressSpan();

const reasonName: ReadonlySet<string> = new Set(["reason"]);
const causeName: ReadonlySet<string> = new Set(["cause"]);
/** An index of more characters can't be read. */
const MOST_INDEX = 80;

/** An entry of History-Info that is a diverting party. */
export interface HistoryEntry {
  readonly party: AssertedIdentity;
  /** The value of `index`; empty where there is none, or where there are two. */
  readonly index: string;
}

/**
 * Reads the entries in the order in which they stand. An entry with a number is a diverting party,
 * unless it names `target`. An entry without a number is one only when a cause says that the call was
 * diverted: proxies write such entries for themselves. The cause stands in the entry itself
 * (`?Reason=…`) or in the next one (`cause`).
 * @param most how many entries may be read
 * @returns how many more could be read, or -1 when there were more than `most`
 */
export function readHistory(
  message: SipMessage,
  plan: DialPlan,
  target: CallTarget | undefined,
  most: number,
  out: HistoryEntry[],
): number {
  let left = most;
  let nameless: HistoryEntry | undefined;
  for (let i = message.first[Header.historyInfo]!; i >= 0; i = nextHeader(message, Header.historyInfo, i)) {
    const value = headerValue(message, i);
    let at = 0;
    do {
      if (--left < 0) return -1;
      readAddress(value, at, span);
      if (span.fault !== undefined && span.fault !== QUOTED_TEXT)
        noteFault(message, `history-info: ${span.fault}`);
      const uri = withFieldsApart(readUri(value, span.uriStart, span.uriEnd));
      if (hasTwoHosts(uri)) noteFault(message, "history-info: more than one @");
      if (nameless !== undefined && hasCause(value, uri)) out.push(nameless);
      nameless = undefined;
      if (!namesTarget(uri, plan, target)) {
        const entry = readEntry(value, uri, plan);
        if (!isNameless(entry.party) || hasReason(uri)) out.push(entry);
        else nameless = entry;
      }
      at = span.end + 1;
    } while (at <= value.length && span.end < value.length);
  }
  return left;
}

/**
 * Returns a URI whose number stands without the header fields of the entry. A tel URI has none (RFC 3966 section 3), but
 * some exchanges write them behind it as behind a sip URI: `tel:+862787654321?Reason=…`.
 */
function withFieldsApart(uri: UriParts): UriParts {
  const { scheme, user = "" } = uri;
  const question = scheme === "tel" ? user.indexOf("?") : -1;
  return question < 0 ? uri : { ...uri, user: user.slice(0, question), params: user.slice(question) };
}

/** Tells whether an element may find another number or host: `95588@a@b`. An `@` in the text of a Reason is no host. */
function hasTwoHosts({ scheme, user = "" }: UriParts): boolean {
  return (scheme === "sip" || scheme === "sips") && user.includes("@") && !user.includes("?");
}

/** Reads the entry in `span`. */
function readEntry(value: string, uri: UriParts, plan: DialPlan): HistoryEntry {
  return {
    party: { source: "history-info", number: readUriNumber(uri, plan), presentation: "allowed" },
    index: readOwnIndex(value),
  };
}

/** Set by {@link noteRepeated}, so that no closure is made for it. */
let repeated = false;

function noteRepeated(): void {
  repeated = true;
}

/** Returns the index of the entry in `span`; empty where there is none, or where there are two. */
function readOwnIndex(value: string): string {
  repeated = false;
  const index = readParam(value, span.paramsStart, span.end, "index", noteRepeated);
  return repeated ? "" : (index ?? "");
}

function hasCause(value: string, uri: UriParts): boolean {
  return (
    holdsName(uri.params, ";", causeName) ||
    readParam(value, span.paramsStart, span.end, "cause") !== undefined
  );
}

function hasReason({ params }: UriParts): boolean {
  const question = params.indexOf("?");
  return question >= 0 && holdsName(params.slice(question + 1), "&", reasonName);
}

/** @returns true for a party that asserts no number: a host, a name, an account */
export function isNameless({ number }: AssertedIdentity): boolean {
  return number.kind === "unusable" && (number.why === "not-a-number" || number.why === "empty");
}

/**
 * Returns the entries with a number that may be the last one by `index`: `1.2` is behind `1.1.1` (RFC 7044 section
 * 10.3). There may be several: entries of the same index, and entries whose index can't be read. None where no entry has
 * an index: then only their order counts.
 */
export function lastByIndex(entries: readonly HistoryEntry[]): readonly AssertedIdentity[] {
  let path: readonly number[] | undefined;
  let last: AssertedIdentity[] = [];
  const anywhere: AssertedIdentity[] = [];
  for (const { party, index } of entries) {
    if (isNameless(party)) continue;
    const own = readIndex(index);
    if (own === undefined) anywhere.push(party);
    else if (path === undefined || isBefore(path, own)) {
      path = own;
      last = [party];
    } else if (!isBefore(own, path)) last.push(party);
  }
  return path === undefined ? [] : [...last, ...anywhere];
}

/** Reads an index: numbers joined by dots. At most 16 of 9 digits. */
function readIndex(index: string): readonly number[] | undefined {
  if (index.length > MOST_INDEX) return undefined;
  const parts = index.split(".");
  if (parts.length > 16) return undefined;
  const path: number[] = [];
  for (const part of parts) {
    if (part.length > 9 || !isPlainNumber(part) || part.startsWith("+")) return undefined;
    path.push(Number(part));
  }
  return path;
}

function isBefore(left: readonly number[], right: readonly number[]): boolean {
  for (let i = 0; i < left.length && i < right.length; i++)
    if (left[i] !== right[i]) return left[i]! < right[i]!;
  return left.length < right.length;
}
