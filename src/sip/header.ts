// The SIP header fields that the filter knows, and how scan finds their ids.

/**
 * The header fields that are read or edited. All others pass unchanged. Names are case-insensitive
 * (RFC 3261 section 7.3.1); compact forms are those of the IANA registry.
 */
export const Header = {
  other: 0,
  via: 1,
  from: 2,
  to: 3,
  callId: 4,
  cseq: 5,
  maxForwards: 6,
  contentLength: 7,
  contentType: 8,
  contentEncoding: 9,
  route: 10,
  recordRoute: 11,
  contact: 12,
  pAssertedIdentity: 13,
  pPreferredIdentity: 14,
  remotePartyId: 15,
  privacy: 16,
  diversion: 17,
  historyInfo: 18,
  proxyRequire: 19,
  contentTransferEncoding: 20,
  label: 21,
  reason: 22,
  sessionExpires: 23,
  retryAfter: 24,
} as const;

export type HeaderId = (typeof Header)[keyof typeof Header];

/** How many header ids there are: the size of the tables of a message. */
export const HEADER_IDS = 25;

const names: readonly (readonly [HeaderId, string])[] = [
  [Header.via, "via"],
  [Header.via, "v"],
  [Header.from, "from"],
  [Header.from, "f"],
  [Header.to, "to"],
  [Header.to, "t"],
  [Header.callId, "call-id"],
  [Header.callId, "i"],
  [Header.cseq, "cseq"],
  [Header.maxForwards, "max-forwards"],
  [Header.contentLength, "content-length"],
  [Header.contentLength, "l"],
  [Header.contentType, "content-type"],
  [Header.contentType, "c"],
  [Header.contentEncoding, "content-encoding"],
  [Header.contentEncoding, "e"],
  [Header.route, "route"],
  [Header.recordRoute, "record-route"],
  [Header.contact, "contact"],
  [Header.contact, "m"],
  [Header.pAssertedIdentity, "p-asserted-identity"],
  [Header.pPreferredIdentity, "p-preferred-identity"],
  [Header.remotePartyId, "remote-party-id"],
  [Header.privacy, "privacy"],
  [Header.diversion, "diversion"],
  [Header.historyInfo, "history-info"],
  [Header.proxyRequire, "proxy-require"],
  [Header.contentTransferEncoding, "content-transfer-encoding"],
  [Header.label, "p-sigwall-label"],
  [Header.reason, "reason"],
  [Header.sessionExpires, "session-expires"],
  [Header.sessionExpires, "x"],
  [Header.retryAfter, "retry-after"],
];

/** A hash table with open addressing: known names are found in one or two steps. */
const TABLE_SIZE = 128;
const tableNames: (Uint8Array | undefined)[] = Array.from<Uint8Array | undefined>({ length: TABLE_SIZE });
const tableIds = new Uint8Array(TABLE_SIZE);

/** Each octet, with capital letters as small ones. */
const small = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte,
);

/** Where the search for a name begins. First letter, last letter and length tell all known names apart. */
function slotOf(bytes: Uint8Array, start: number, length: number): number {
  return (small[bytes[start]!]! + 10 * small[bytes[start + length - 1]!]! + 11 * length) & (TABLE_SIZE - 1);
}

for (const [id, text] of names) {
  const name = Uint8Array.from(text, (char) => char.charCodeAt(0));
  let slot = slotOf(name, 0, name.length);
  while (tableNames[slot] !== undefined) slot = (slot + 1) & (TABLE_SIZE - 1);
  tableNames[slot] = name;
  tableIds[slot] = id;
}

/** Returns the id of the name `bytes[start, end)`, which is not empty, or `Header.other`. */
export function identifyHeader(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  let slot = slotOf(bytes, start, length);
  for (;;) {
    const name = tableNames[slot];
    if (name === undefined) return Header.other;
    if (name.length === length && isSameName(bytes, start, name)) return tableIds[slot]!;
    slot = (slot + 1) & (TABLE_SIZE - 1);
  }
}

function isSameName(bytes: Uint8Array, start: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if (small[bytes[start + i]!] !== name[i]) return false;
  return true;
}
