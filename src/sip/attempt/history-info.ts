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

/** An entry of History-Info that is a diverting party. */
export interface HistoryEntry {
  readonly party: AssertedIdentity;
  /** The value of `index`; empty where there is none. */
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
      const uri = readUri(value, span.uriStart, span.uriEnd);
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

/** Reads the entry in `span`. */
function readEntry(value: string, uri: UriParts, plan: DialPlan): HistoryEntry {
  return {
    party: { source: "history-info", number: readUriNumber(uri, plan), presentation: "allowed" },
    index: readParam(value, span.paramsStart, span.end, "index") ?? "",
  };
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
 * Returns the last entry with a number by `index`, where every entry has one: `1.2` is behind `1.1.1`
 * (RFC 7044 section 10.3).
 */
export function lastByIndex(entries: readonly HistoryEntry[]): AssertedIdentity | undefined {
  let last: HistoryEntry | undefined;
  let path: readonly number[] = [];
  for (const entry of entries) {
    const own = readIndex(entry.index);
    if (own === undefined) return undefined;
    if (isNameless(entry.party) || (last !== undefined && isBefore(own, path))) continue;
    last = entry;
    path = own;
  }
  return last?.party;
}

/** Reads an index: numbers joined by dots. At most 16 of 4 digits. */
function readIndex(index: string): readonly number[] | undefined {
  if (index.length > 80) return undefined;
  const parts = index.split(".");
  if (parts.length > 16) return undefined;
  const path: number[] = [];
  for (const part of parts) {
    if (part.length > 4 || !isPlainNumber(part) || part.startsWith("+")) return undefined;
    path.push(Number(part));
  }
  return path;
}

function isBefore(left: readonly number[], right: readonly number[]): boolean {
  for (let i = 0; i < left.length && i < right.length; i++)
    if (left[i] !== right[i]) return left[i]! < right[i]!;
  return left.length < right.length;
}
