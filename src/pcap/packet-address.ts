// Writes the addresses of captured packets as text, and remembers the texts.

/**
 * At most this many texts of each family are remembered: peers choose how many addresses there are.
 */
const MAX_KNOWN = 65_536;

const knownIpv4 = new Map<number, string>();
const knownIpv6 = new Map<string, string>();

function writeIpv6(buffer: Buffer, at: number): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(buffer.readUInt16BE(at + i));
  let bestStart = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; i += 1) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length += 1;
    if (length > bestLength) {
      bestStart = i;
      bestLength = length;
    }
  }
  const write = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(":");
  return bestStart < 0 ? write(0, 8) : `${write(0, bestStart)}::${write(bestStart + bestLength, 8)}`;
}

/** Returns the text of an IPv4 address in network byte order. */
function ipv4Text(buffer: Buffer, at: number): string {
  const key = buffer.readUInt32BE(at);
  let text = knownIpv4.get(key);
  if (text === undefined) {
    text = `${key >>> 24}.${(key >>> 16) & 255}.${(key >>> 8) & 255}.${key & 255}`;
    if (knownIpv4.size >= MAX_KNOWN) knownIpv4.clear();
    knownIpv4.set(key, text);
  }
  return text;
}

/** Returns the text of an IPv6 address, without brackets (RFC 5952 section 4). */
function ipv6Text(buffer: Buffer, at: number): string {
  const key = buffer.toString("latin1", at, at + 16);
  let text = knownIpv6.get(key);
  if (text === undefined) {
    text = writeIpv6(buffer, at);
    if (knownIpv6.size >= MAX_KNOWN) knownIpv6.clear();
    knownIpv6.set(key, text);
  }
  return text;
}

/**
 * Returns the text of the address of `length` (4 or 16) bytes at `at`; of no bytes, no text. While it is remembered, an
 * address gets the same string.
 */
export function addressText(buffer: Buffer, at: number, length: number): string {
  if (length === 0) return "";
  return length === 4 ? ipv4Text(buffer, at) : ipv6Text(buffer, at);
}
