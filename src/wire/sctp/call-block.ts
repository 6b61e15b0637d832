// The memory that system calls of SCTP work in: one block for a message, its control messages and an option.
import { Buffer } from "node:buffer";
import type { Koffi } from "../kernel/system-calls.ts";

/**
 * Layout of a block before the payload: struct msghdr, iovec, control messages, an address, an
 * option and its length.
 */
export const VECTOR = 64;
export const CONTROL = 80;
export const CONTROL_ROOM = 128;
export const ADDRESS = 208;
export const OPTION = 240;
export const OPTION_ROOM = 256;
export const OPTION_LENGTH = OPTION + OPTION_ROOM;
export const PAYLOAD = 512;
/** struct cmsghdr: length, level, kind. struct sctp_sndrcvinfo follows, 32 octets. */
export const CONTROL_HEAD = 16;
export const INFO = CONTROL + CONTROL_HEAD;
export const INFO_LENGTH = 32;
/** The payload also holds lists of addresses, which no call needs at the same time as a message. */
export const PAYLOAD_ROOM = 65_536 + 64;

export interface CallBlock {
  /** Its address in memory. */
  readonly at: number;
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly halves: Uint16Array;
  readonly words: Uint32Array;
}

/** Lays out one block that holds everything a call needs. Invariant: it never moves in memory. */
export function createCallBlock(koffi: Koffi): CallBlock {
  const memory = new ArrayBuffer(PAYLOAD + PAYLOAD_ROOM);
  const at = Number(koffi.address(memory));
  const view = new DataView(memory);
  const point = (offset: number, target: number): void =>
    view.setBigUint64(offset, BigInt(at + target), true);
  point(16, VECTOR);
  view.setBigUint64(24, 1n, true);
  point(32, CONTROL);
  point(VECTOR, PAYLOAD);
  return {
    at,
    bytes: Buffer.from(memory),
    view,
    halves: new Uint16Array(memory),
    words: new Uint32Array(memory),
  };
}
