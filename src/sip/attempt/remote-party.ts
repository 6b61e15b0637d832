// Reads the parameters of a Remote-Party-ID: whose identity it is, and whether its number is hidden.
import {
  createAddressSpan,
  isParam,
  paramEnd,
  readAddress,
  readParam,
  skipParams,
  type AddressSpan,
} from "../fields/name-addr.ts";
import { Header } from "../header.ts";
import { headerValue, nextHeader, type SipMessage } from "../message.ts";

/** What the Remote-Party-IDs of a request say beside the identities. */
export interface PartyClaims {
  /** True: one names the called party. Some elements show it to the called side as the caller. */
  readonly namesCalled: boolean;
  /** True: one of the caller asks that no name is shown. */
  readonly hidesName: boolean;
}

/** Reads what is changed in a request that goes on because of its Remote-Party-IDs. */
export function readPartyClaims(message: SipMessage): PartyClaims {
  let namesCalled = false;
  let hidesName = false;
  for (
    let i = message.first[Header.remotePartyId]!;
    i >= 0;
    i = nextHeader(message, Header.remotePartyId, i)
  ) {
    const value = headerValue(message, i);
    let at = 0;
    do {
      readAddress(value, at, scanned);
      const { party, hidden } = readPartyParams(value, scanned);
      if (party === "called") namesCalled = true;
      else if (hidden === "name") hidesName = true;
      at = scanned.end + 1;
    } while (at <= value.length && scanned.end < value.length);
  }
  return { namesCalled, hidesName };
}

/** Reused by {@link readPartyClaims}. */
const scanned: AddressSpan = createAddressSpan();

type Hidden = "number" | "name" | "nothing";

/** The parameters of one Remote-Party-ID (draft-ietf-sip-privacy-04). */
export interface PartyParams {
  /** The value of `party`, in lower case. */
  readonly party: string | undefined;
  /** What `privacy` hides: the number and with it all, the display name only, or nothing. */
  readonly hidden: Hidden;
  /** Whether `party` or `privacy` stands there twice. */
  readonly repeated: boolean;
}

/** Set by {@link noteRepeated}, so that no closure is made for it. */
let repeated = false;

function noteRepeated(): void {
  repeated = true;
}

/** Reads `party` and `privacy` of the value in `span`. A list of privacy values becomes part of `span`. */
export function readPartyParams(value: string, span: AddressSpan): PartyParams {
  takePrivacyList(value, span);
  repeated = false;
  const party = readParam(value, span.paramsStart, span.end, "party", noteRepeated);
  const privacy = readParam(value, span.paramsStart, span.end, "privacy", noteRepeated);
  return { party: party?.toLowerCase(), hidden: hiddenBy(privacy), repeated };
}

/**
 * The draft lets `privacy` be a list, with the same comma that ends a value of the field: `privacy=name,uri;screen=yes`.
 * A word of the list is no address, so it can't be taken for another value.
 */
function takePrivacyList(value: string, span: AddressSpan): void {
  while (span.end < value.length && endsWithPrivacy(value, span)) {
    const wordEnd = endOfWord(value, span.end + 1);
    if (!privacyWords.has(coreOf(value.slice(span.end + 1, wordEnd)))) return;
    span.end = skipParams(value, wordEnd, span);
  }
}

/** Tells whether the last parameter of the value is `privacy`. */
function endsWithPrivacy(value: string, span: AddressSpan): boolean {
  let isLast = false;
  for (let at = span.paramsStart; at < span.end;) {
    const end = paramEnd(value, at + 1, span.end);
    let name = at + 1;
    while (name < end && value.charCodeAt(name) === 0x20) name++;
    isLast = isParam(value, name, end, "privacy");
    at = end;
  }
  return isLast;
}

function endOfWord(value: string, start: number): number {
  for (let i = start; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c === 0x2c || c === 0x3b) return i;
  }
  return value.length;
}

/** The values of `privacy`, and what each hides. */
const privacyWords: ReadonlyMap<string, Hidden> = new Map([
  ["full", "number"],
  ["uri", "number"],
  ["name", "name"],
  ["off", "nothing"],
  ["none", "nothing"],
  ["ipaddr", "nothing"],
]);

/** Returns a value in lower case, without quotes and without the place where it holds: `full-network` is `full`. */
function coreOf(word: string): string {
  const known = word.replaceAll('"', "").trim().toLowerCase();
  const dash = known.indexOf("-");
  return dash < 0 ? known : known.slice(0, dash);
}

/** Returns the most that the values hide. A value that the draft doesn't know may mean the number. */
function hiddenBy(privacy: string | undefined): Hidden {
  if (privacy === undefined) return "nothing";
  let hidden: Hidden = "nothing";
  for (const word of privacy.split(",")) {
    const core = coreOf(word);
    const own = core === "" ? "nothing" : (privacyWords.get(core) ?? "number");
    if (own === "number") return own;
    if (own === "name") hidden = own;
  }
  return hidden;
}
