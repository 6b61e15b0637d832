// Socket addresses of the kernel: struct sockaddr_in and sockaddr_in6, read and written.
import type { Buffer } from "node:buffer";
import { networkInterfaces } from "node:os";
import { parseAddress } from "../../net/address.ts";
import { addressText } from "../../pcap/packet-address.ts";

/** The block of memory that holds an address, as a `MessageRow` has it. */
export interface AddressBlock {
  readonly bytes: Buffer;
  readonly halves: Uint16Array;
  readonly words: Uint32Array;
}

/** AF_INET and AF_INET6 of Linux. */
export const INET = 2;
export const INET6 = 10;

/** Bytes of `sockaddr_in` and `sockaddr_in6`. */
const INET_LENGTH = 16;
const INET6_LENGTH = 28;

/** At most this many addresses are remembered in binary form; peers choose how many there are. */
const MAX_KNOWN = 16_384;

/**
 * Words of `sockaddr_in` after the port, and of `sockaddr_in6` after port: flow, address and scope.
 */
type Words = readonly number[];

const known4 = new Map<string, Words>();
const known6 = new Map<string, Words>();

/** Reads the port of the socket address at byte `at`. */
export function readPort({ halves }: AddressBlock, at: number): number {
  return swap(halves[(at >> 1) + 1]!);
}

/**
 * Reads the address at byte `at` in the form of `node:dgram`.
 * @returns undefined when the `length` bytes there are no address of `family`
 */
export function readAddressText(
  block: AddressBlock,
  at: number,
  length: number,
  family: typeof INET | typeof INET6,
): string | undefined {
  const { bytes, halves, words } = block;
  if (halves[at >> 1] !== family) return undefined;
  if (family === INET) return length === INET_LENGTH ? addressText(bytes, at + 4, 4) : undefined;
  if (length !== INET6_LENGTH) return undefined;
  const word = at >> 2;
  // IPv4-mapped (RFC 4291 section 2.5.5.2) occurs only on an inherited socket without IPV6_V6ONLY.
  if (words[word + 4] === 0xffff_0000 && words[word + 3] === 0 && words[word + 2] === 0)
    return `::ffff:${addressText(bytes, at + 20, 4)}`;
  const text = addressText(bytes, at + 8, 16);
  return isLinkLocal(words[word + 2]!) ? text + zoneOf(words[word + 6]!) : text;
}

/**
 * Writes a socket address at byte `at`.
 * @returns its length in bytes; 0 when `address` is no literal of `family`
 */
export function writeAddress(
  { halves, words }: AddressBlock,
  at: number,
  address: string,
  port: number,
  family: typeof INET | typeof INET6,
): number {
  const known = family === INET ? known4 : known6;
  let value = known.get(address);
  if (value === undefined) {
    value = family === INET ? readIpv4(address) : readIpv6(address);
    if (value === undefined) return 0;
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(address, value);
  }
  halves[at >> 1] = family;
  halves[(at >> 1) + 1] = swap(port);
  const word = (at >> 2) + 1;
  for (let i = 0; i < value.length; i++) words[word + i] = value[i]!;
  return family === INET ? INET_LENGTH : INET6_LENGTH;
}

/** Converts a port between network byte order and machine order. */
function swap(port: number): number {
  return ((port & 0xff) << 8) | (port >>> 8);
}

function swapWord(value: bigint): number {
  return ((swap(Number(value & 0xffffn)) << 16) | swap(Number((value >> 16n) & 0xffffn))) >>> 0;
}

function readIpv4(text: string): Words | undefined {
  const address = parseAddress(text);
  return address?.bits === 32 && !text.includes(":") ? [swapWord(address.value), 0, 0] : undefined;
}

function readIpv6(text: string): Words | undefined {
  const address = text.includes(":") ? parseAddress(text) : undefined;
  if (address === undefined) return undefined;
  const value = address.bits === 32 ? (0xffffn << 32n) | address.value : address.value;
  const zone = text.indexOf("%");
  const scope = zone < 0 ? 0 : scopeOf(text.slice(zone + 1));
  return [0, ...[96n, 64n, 32n, 0n].map((shift) => swapWord((value >> shift) & 0xffff_ffffn)), scope];
}

/**
 * Tells whether an address is link-local, fe80::/10 (RFC 4291 section 2.5.6). `word` is its first
 * word as in memory.
 */
function isLinkLocal(word: number): boolean {
  return (word & 0xc0ff) === 0x80fe;
}

/** Returns "%eth0" for the index of an interface. Empty when there is none. */
function zoneOf(scope: number): string {
  for (const [name, addresses] of Object.entries(networkInterfaces()))
    if (addresses?.some((entry) => entry.family === "IPv6" && entry.scopeid === scope)) return `%${name}`;
  return "";
}

/** Returns the index of an interface by its name. 0, any interface, when there is none. */
function scopeOf(zone: string): number {
  for (const entry of networkInterfaces()[zone] ?? [])
    if (entry.family === "IPv6" && entry.scopeid !== 0) return entry.scopeid;
  return 0;
}
