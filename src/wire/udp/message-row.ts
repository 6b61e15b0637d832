import { Buffer } from "node:buffer";

/**
 * A row of messages as recvmmsg(2) and sendmmsg(2) take them. Everything stands in one block of memory that never moves, laid out
 * as 64-bit little-endian Linux wants it; glibc and musl agree there:
 *
 * - `struct mmsghdr`, 64 bytes: name 0, namelen 8, iov 16, iovlen 24, control 32, controllen 40, flags 48, len 56;
 * - `struct iovec`, 16 bytes: base 0, len 8;
 * - `struct sockaddr_in` (16 bytes) or `sockaddr_in6` (28): family 0, port 2; address 4, or flow 4, address 8, scope 24.
 */
export interface MessageRow {
  /** How many messages it has. */
  readonly count: number;
  /** Where the first header stands in the memory of the process. */
  readonly headers: number;
  /** The block as bytes and as numbers. */
  readonly bytes: Buffer;
  readonly halves: Uint16Array;
  readonly words: Uint32Array;
  /** Where the vectors, the addresses and the payload begin in the block. */
  readonly vectors: number;
  readonly addresses: number;
  readonly payload: number;
  /** Bytes of payload there are. */
  readonly room: number;
}

const HEADER = 64;
const NAME_LENGTH = 8;
const FLAGS = 48;
const LENGTH = 56;
const VECTOR = 16;
const ADDRESS = 32;

/** recvmsg(2): the datagram was longer than its place. */
const MSG_TRUNC = 0x20;

/** Room for the longest address that is used, `sockaddr_in6`. Bytes. */
const LONGEST_ADDRESS = 28;

/** Lays out a row; `locate` says where a block stands in the memory of the process. */
export function createMessageRow(
  locate: (block: ArrayBuffer) => number,
  count: number,
  room: number,
): MessageRow {
  const vectors = count * HEADER;
  const addresses = vectors + count * VECTOR;
  const payload = addresses + count * ADDRESS;
  const block = new ArrayBuffer(payload + room);
  const headers = locate(block);
  const bytes = Buffer.from(block);
  const halves = new Uint16Array(block);
  const row = {
    count,
    headers,
    bytes,
    halves,
    words: new Uint32Array(block),
    vectors,
    addresses,
    payload,
    room,
  };
  for (let index = 0; index < count; index++) {
    const header = index * HEADER;
    writePointer(row, header, headers + addressAt(row, index));
    writePointer(row, header + 16, headers + vectors + index * VECTOR);
    writePointer(row, header + 24, 1);
    resetAddress(row, index);
  }
  return row;
}

/** Where header `index` stands in the memory of the process. */
export function headerAddress(row: MessageRow, index: number): number {
  return row.headers + index * HEADER;
}

/** Where the address of message `index` stands in the block. */
export function addressAt(row: MessageRow, index: number): number {
  return row.addresses + index * ADDRESS;
}

/** Gives message `index` the `length` bytes of payload at `offset`. */
export function placePayload(row: MessageRow, index: number, offset: number, length: number): void {
  const vector = row.vectors + index * VECTOR;
  writePointer(row, vector, row.headers + row.payload + offset);
  row.words[(vector + 8) >> 2] = length;
}

/** Says how many bytes of its address count; the kernel must be told before every use. */
export function setAddressLength(row: MessageRow, index: number, length: number): void {
  row.words[(index * HEADER + NAME_LENGTH) >> 2] = length;
}

/** Makes place for an address to be received. */
export function resetAddress(row: MessageRow, index: number): void {
  setAddressLength(row, index, LONGEST_ADDRESS);
}

/** Bytes that were received into message `index`. */
export function receivedLength(row: MessageRow, index: number): number {
  return row.words[(index * HEADER + LENGTH) >> 2]!;
}

/** Bytes of address that the kernel wrote. */
export function receivedAddressLength(row: MessageRow, index: number): number {
  return row.words[(index * HEADER + NAME_LENGTH) >> 2]!;
}

/** True when the datagram was longer than its place. */
export function isTruncated(row: MessageRow, index: number): boolean {
  return (row.words[(index * HEADER + FLAGS) >> 2]! & MSG_TRUNC) !== 0;
}

/** Addresses of a process have 48 bits at most, so that a number holds them exactly. */
function writePointer({ words }: Pick<MessageRow, "words">, at: number, value: number): void {
  words[at >> 2] = value % 2 ** 32;
  words[(at >> 2) + 1] = Math.floor(value / 2 ** 32);
}
