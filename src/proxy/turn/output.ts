// The buffers that messages are rendered into, and the way from there to the sockets.
import { Buffer } from "node:buffer";
import { MAX_DATAGRAM } from "../../sip/edit.ts";
import { FramingLimit } from "../../sip/framer.ts";
import type { Listener } from "../../routing/listener.ts";

const OUT_SIZE = 65_536;

/** Octets of the longest message that its framing allows, and of what we add to it. */
const BULK_SIZE = FramingLimit.startLine + FramingLimit.headers + FramingLimit.body + OUT_SIZE;

/**
 * Sends the first `length` bytes of `bytes`. Returns false when the buffer is still in use; then another buffer is used
 * from now on.
 */
export type Send = (
  listener: Listener,
  address: string,
  port: number,
  bytes: Buffer,
  length: number,
) => boolean;

/** The output of the proxy. It is written into one of two buffers. Each is reused as soon as its socket allows. */
export interface Output {
  /** Returns the buffer for messages that leave by `listener`. Streams carry longer messages than datagrams do. */
  bufferFor(listener: Listener): Buffer;
  /** Sends the first `length` bytes of that buffer. */
  transmit(listener: Listener, address: string, port: number, length: number): void;
}

export function createOutput(send: Send): Output {
  let datagram: Buffer = Buffer.allocUnsafe(OUT_SIZE);
  let bulk: Buffer | undefined;
  const bufferFor = (listener: Listener): Buffer =>
    listener.isReliable ? (bulk ??= Buffer.allocUnsafe(BULK_SIZE)) : datagram;
  return {
    bufferFor,
    transmit(listener, address, port, length) {
      if (!send(listener, address, port, bufferFor(listener), length))
        datagram = Buffer.allocUnsafe(OUT_SIZE);
    },
  };
}

/** Returns the octets that a message that leaves by `listener` may have, at most. */
export function mostOctets(listener: Listener): number {
  return listener.isReliable ? BULK_SIZE : MAX_DATAGRAM;
}
