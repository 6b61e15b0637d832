// Addresses of a packet that tags or chunks tell, in place of an IP header.
import type { Buffer } from "node:buffer";
import type { IpPacket } from "./ip.ts";

/**
 * Forgets protocol and addresses of the packet that was there before.
 *
 * @param room 32 octets, into which {@link copyAddress} writes
 */
export function beginAddresses(packet: IpPacket, room: Buffer): void {
  packet.protocol = -1;
  packet.addresses = room;
  packet.addressesAt = 0;
  packet.addressLength = 0;
}

/** Copies an address to the place of the source or of the destination in `packet.addresses`. */
export function copyAddress(
  packet: IpPacket,
  buffer: Buffer,
  at: number,
  length: 4 | 16,
  isDestination: boolean,
): void {
  if (packet.addressLength !== length) packet.addresses.fill(0);
  packet.addressLength = length;
  buffer.copy(packet.addresses, isDestination ? length : 0, at, at + length);
}
