import { Buffer } from "node:buffer";
import { MAX_DATAGRAM } from "../../sip/edit.ts";
import { FramingLimit } from "../../sip/framer.ts";
import type { Listener } from "../../routing/listener.ts";
import { OUT_SIZE, type Relay } from "./proxy-state.ts";

/** A message as long as its framing allows, and what we add to it. */
const BULK_SIZE = FramingLimit.startLine + FramingLimit.headers + FramingLimit.body + OUT_SIZE;

/** The output buffer for messages that leave by `listener`. */
export function outputFor(relay: Relay, listener: Listener): Buffer {
  return listener.isReliable ? (relay.bulk ??= Buffer.allocUnsafe(BULK_SIZE)) : relay.out;
}

/** Octets that one message may have which leaves by `listener`. */
export function mostOctets(listener: Listener): number {
  return listener.isReliable ? BULK_SIZE : MAX_DATAGRAM;
}

/** Sends the first `length` bytes of the output buffer. */
export function transmit(
  relay: Relay,
  listener: Listener,
  address: string,
  port: number,
  length: number,
): void {
  if (!relay.sink.send(listener, address, port, outputFor(relay, listener), length))
    relay.out = Buffer.allocUnsafe(OUT_SIZE);
}
