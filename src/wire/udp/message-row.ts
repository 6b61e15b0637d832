// A row of messages in one block of memory, as recvmmsg and sendmmsg take them.
import { Buffer } from "node:buffer";

/**
 * A row of messages as recvmmsg(2) and sendmmsg(2) take them. Invariant: everything stands in one
 * block of memory that never moves. The layout is that of 64-bit little-endian Linux, the same in
 * glibc and musl:
 *
 * - `struct mmsghdr`, 64 bytes: name 0, namelen 8, iov 16, iovlen 24, control 32, controllen 40,
 *   flags 48, len 56;
 * - `struct iovec`, 16 bytes: base 0, len 8;
 * - `struct sockaddr_in` (16 bytes) or `sockaddr_in6` (28): family 0, port 2; address 4, or flow
 *   4, address 8, scope 24.
 */
export interface MessageRow {
  /** Number of messages. */
  readonly count: number;
  /** Address of the first header in the memory of the process. */
  readonly headers: number;
  /** The block as bytes and as numbers. */
  readonly bytes: Buffer;
  readonly halves: Uint16Array;
  readonly words: Uint32Array;
  /** Offsets in the block, in bytes, of the vectors, the addresses and the payload. */
  readonly vectors: number;
  readonly addresses: number;
  readonly payload: number;
  /** Bytes of payload. */
  readonly room: number;
}

const HEADER = 64;
const NAME_LENGTH = 8;
const FLAGS = 48;
const LENGTH = 56;
const VECTOR = 16;
const ADDRESS = 32;

/** The datagram was longer than its room (recvmsg(2)). */
const MSG_TRUNC = 0x20;

/** Bytes of the longest address that is used, `sockaddr_in6`. */
const LONGEST_ADDRESS = 28;

/**
 * Lays out a row.
 *
 * @param locate returns the address of a block in the memory of the process
 * @param count number of messages
 * @param room bytes of payload
 */
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

/** Returns the address of header `index` in the memory of the process. */
export function headerAddress(row: MessageRow, index: number): number {
  return row.headers + index * HEADER;
}

/** Returns the offset of the address of message `index` in the block. */
export function addressAt(row: MessageRow, index: number): number {
  return row.addresses + index * ADDRESS;
}

/** Gives message `index` the `length` bytes of payload at `offset`. */
export function placePayload(row: MessageRow, index: number, offset: number, length: number): void {
  const vector = row.vectors + index * VECTOR;
  writePointer(row, vector, row.headers + row.payload + offset);
  row.words[(vector + 8) >> 2] = length;
}

/** Sets the length of the address of a message, in bytes. Required before every send. */
export function setAddressLength(row: MessageRow, index: number, length: number): void {
  row.words[(index * HEADER + NAME_LENGTH) >> 2] = length;
}

/** Makes room for an address to be received. */
export function resetAddress(row: MessageRow, index: number): void {
  setAddressLength(row, index, LONGEST_ADDRESS);
}

/** Returns the number of bytes received into message `index`. */
export function receivedLength(row: MessageRow, index: number): number {
  return row.words[(index * HEADER + LENGTH) >> 2]!;
}

/** Returns the number of address bytes that the kernel wrote. */
export function receivedAddressLength(row: MessageRow, index: number): number {
  return row.words[(index * HEADER + NAME_LENGTH) >> 2]!;
}

/** Tells whether the datagram was longer than its room. */
export function isTruncated(row: MessageRow, index: number): boolean {
  return (row.words[(index * HEADER + FLAGS) >> 2]! & MSG_TRUNC) !== 0;
}

/**
 * Writes a pointer. Addresses of a process have at most 48 bits, so a number holds them exactly.
 */
function writePointer({ words }: Pick<MessageRow, "words">, at: number, value: number): void {
  words[at >> 2] = value % 2 ** 32;
  words[(at >> 2) + 1] = Math.floor(value / 2 ** 32);
}
