// Reads and writes IP addresses, networks and endpoints: the ground floor, used everywhere.

/**
 * An IPv4 or IPv6 address as a number. An IPv4-mapped IPv6 address is read as IPv4 (RFC 4291
 * section 2.5.5.2).
 */
export interface Address {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/**
 * A block of addresses. `value` holds only the leading `prefixLength` bits, shifted down to bit 0.
 */
export interface Network extends Address {
  readonly prefixLength: number;
}

/** An address and a port of a transport protocol. `address` is canonical, without brackets. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

const mappedPrefix = 0xffffn;

/**
 * Reads a literal address without brackets. A zone of an IPv6 address ("%eth0") is ignored.
 * @returns undefined when `text` is no address
 */
export function parseAddress(text: string): Address | undefined {
  if (text.length > 64) return undefined;
  const zone = text.indexOf("%");
  const literal = zone === -1 ? text : text.slice(0, zone);
  if (!literal.includes(":")) {
    const value = zone === -1 ? parseIpv4(literal) : undefined;
    return value === undefined ? undefined : { bits: 32, value };
  }
  const value = parseIpv6(literal);
  if (value === undefined) return undefined;
  return value >> 32n === mappedPrefix ? { bits: 32, value: value & 0xffff_ffffn } : { bits: 128, value };
}

/** Writes an address in its canonical form: a dotted quad, or the text of RFC 5952. */
export function formatAddress({ bits, value }: Address): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
  const groups = Array.from({ length: 8 }, (_, index) =>
    Number((value >> BigInt(112 - 16 * index)) & 0xffffn),
  );
  const gap = longestZeros(groups);
  const hex = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(":");
  return gap.length < 2 ? hex(0, 8) : `${hex(0, gap.start)}::${hex(gap.start + gap.length, 8)}`;
}

/**
 * Reads `10.0.0.0/8`, `2001:db8::/32` or a single address, which is a network of its own.
 * @returns the network, or an error text for the operator
 */
export function parseNetwork(text: string): Network | string {
  const slash = text.indexOf("/");
  const written = slash === -1 ? text : text.slice(0, slash);
  const address = written.includes("%") ? undefined : parseAddress(written);
  if (address === undefined) return `"${text}" is not an IP address or a block like 192.0.2.0/24`;
  const { bits } = address;
  if (slash === -1) return { ...address, prefixLength: bits };
  const isMapped = bits === 32 && written.includes(":");
  const length = parseDecimal(text.slice(slash + 1), isMapped ? 128 : bits);
  const prefixLength = length !== undefined && isMapped ? length - 96 : length;
  if (prefixLength === undefined || prefixLength < 0) {
    return `"${text}" needs a prefix length from ${isMapped ? 96 : 0} to ${isMapped ? 128 : bits} after the slash`;
  }
  const shift = BigInt(bits - prefixLength);
  const value = address.value >> shift;
  if (value << shift !== address.value) {
    const first = formatAddress({ bits, value: value << shift });
    return `"${text}" has bits set after its prefix; did you mean "${first}/${prefixLength}"?`;
  }
  return { bits, value, prefixLength };
}

/** Writes a network as `address/prefixLength`, a single address without the prefix length. */
export function formatNetwork({ bits, value, prefixLength }: Network): string {
  const first = formatAddress({ bits, value: value << BigInt(bits - prefixLength) });
  return prefixLength === bits ? first : `${first}/${prefixLength}`;
}

/**
 * Reads `127.0.0.1:5060` or `[::1]:5060`. The port may be absent only when `defaultPort` is given.
 * @returns undefined when `text` is no endpoint
 */
export function parseEndpoint(text: string, defaultPort?: number): Endpoint | undefined {
  const isBracketed = text.startsWith("[");
  const end = isBracketed ? text.indexOf("]") + 1 : text.includes(":") ? text.indexOf(":") : text.length;
  const literal = isBracketed ? text.slice(1, end - 1) : text.slice(0, end);
  if (isBracketed !== literal.includes(":")) return undefined;
  const address = parseAddress(literal);
  const tail = text.slice(end);
  const port =
    tail === "" ? defaultPort : tail.startsWith(":") ? parseDecimal(tail.slice(1), 65_535) : undefined;
  return address === undefined || port === undefined ? undefined : { address: formatAddress(address), port };
}

function parseDecimal(text: string, most: number): number | undefined {
  if (text.length === 0 || text.length > 5) return undefined;
  let value = 0;
  for (let index = 0; index < text.length; index++) {
    const digit = text.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  // A leading zero is refused: the next reader may take the number as octal.
  return value > most || (text.length > 1 && text.startsWith("0")) ? undefined : value;
}

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split(".", 5);
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    const byte = parseDecimal(part, 255);
    if (byte === undefined) return undefined;
    value = (value << 8n) | BigInt(byte);
  }
  return value;
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split("::", 3);
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? "", halves.length === 1);
  const tail = parseGroups(halves[1] ?? "", true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  let value = 0n;
  for (const group of [...head, ...Array.from({ length: missing }, () => 0), ...tail]) {
    value = (value << 16n) | BigInt(group);
  }
  return value;
}

/**
 * Reads groups of 16 bits. The last may be a dotted quad if the address ends there (RFC 4291
 * section 2.2).
 */
function parseGroups(text: string, mayEndInIpv4: boolean): readonly number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":", 9);
  for (const [index, part] of parts.entries()) {
    if (part.includes(".")) {
      const value = mayEndInIpv4 && index === parts.length - 1 ? parseIpv4(part) : undefined;
      if (value === undefined) return undefined;
      groups.push(Number(value >> 16n), Number(value & 0xffffn));
    } else {
      const group = parseHexGroup(part);
      if (group === undefined) return undefined;
      groups.push(group);
    }
  }
  return groups;
}

function parseHexGroup(text: string): number | undefined {
  if (text.length === 0 || text.length > 4) return undefined;
  let value = 0;
  for (const character of text) {
    const digit = "0123456789abcdef".indexOf(character.toLowerCase());
    if (digit === -1) return undefined;
    value = value * 16 + digit;
  }
  return value;
}

function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let index = 0; index <= groups.length; index++) {
    if (index < groups.length && groups[index] === 0) continue;
    if (index - start > best.length) best = { start, length: index - start };
    start = index + 1;
  }
  return best;
}
