import type { Buffer } from "node:buffer";
import { networkInterfaces } from "node:os";
import { parseAddress } from "../../net/address.ts";
import { addressText } from "../../pcap/packet-address.ts";

/** The block of memory that an address stands in, as a `MessageRow` has it. */
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

/** Addresses whose binary form is remembered; peers choose how many there are. */
const MAX_KNOWN = 16_384;

/** Address, and scope: the words of `sockaddr_in` and `sockaddr_in6` behind port and flow. */
type Words = readonly number[];

const known4 = new Map<string, Words>();
const known6 = new Map<string, Words>();

/** The port of the socket address at `at`. */
export function readPort({ halves }: AddressBlock, at: number): number {
  return swap(halves[(at >> 1) + 1]!);
}

/** The address at `at` as `node:dgram` writes it; undefined when the `length` bytes there are none of `family`. */
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
  // IPv4-mapped, RFC 4291 section 2.5.5.2: only on a socket that was inherited without IPV6_V6ONLY.
  if (words[word + 4] === 0xffff_0000 && words[word + 3] === 0 && words[word + 2] === 0)
    return `::ffff:${addressText(bytes, at + 20, 4)}`;
  const text = addressText(bytes, at + 8, 16);
  return isLinkLocal(words[word + 2]!) ? text + zoneOf(words[word + 6]!) : text;
}

/** Writes a socket address; returns its length in bytes, or 0 when `address` is no literal of `family`. */
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

/** Between network byte order and that of the machine. */
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

/** fe80::/10 (RFC 4291 section 2.5.6); `word` is the first of the address as it stands in memory. */
function isLinkLocal(word: number): boolean {
  return (word & 0xc0ff) === 0x80fe;
}

/** "%eth0" for the index of an interface, nothing when there is none of that index. */
function zoneOf(scope: number): string {
  for (const [name, addresses] of Object.entries(networkInterfaces()))
    if (addresses?.some((entry) => entry.family === "IPv6" && entry.scopeid === scope)) return `%${name}`;
  return "";
}

/** The index of an interface by name; 0, any, when there is none. */
function scopeOf(zone: string): number {
  for (const entry of networkInterfaces()[zone] ?? [])
    if (entry.family === "IPv6" && entry.scopeid !== 0) return entry.scopeid;
  return 0;
}
