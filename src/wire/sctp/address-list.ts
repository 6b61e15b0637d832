// Lists of socket addresses, one behind the other, as the kernel takes and gives them for SCTP.
import type { Endpoint } from "../../net/address.ts";
import { INET, INET6, readAddressText, readPort, writeAddress } from "../kernel/socket-address.ts";
import type { CallBlock } from "./call-block.ts";

const MAPPED = "::ffff:";

/** Octets of an address of this family in a list. */
function lengthOf(family: typeof INET | typeof INET6): number {
  return family === INET ? 16 : 28;
}

/** The family of a literal address. */
export function familyOf(address: string): typeof INET | typeof INET6 {
  return address.includes(":") ? INET6 : INET;
}

/**
 * Writes addresses one behind the other.
 * @returns their length in octets; 0 when one of them is no literal address
 */
export function writeAddresses(block: CallBlock, at: number, endpoints: readonly Endpoint[]): number {
  let end = at;
  for (const { address, port } of endpoints) {
    block.bytes.fill(0, end, end + 28);
    const length = writeAddress(block, end, address, port, familyOf(address));
    if (length === 0) return 0;
    end += length;
  }
  return end - at;
}

/** Reads the address at an offset. IPv4 that an IPv6 socket shows as mapped is read as IPv4. */
export function readEndpoint(block: CallBlock, at: number): Endpoint {
  const family = block.halves[at >> 1] === INET ? INET : INET6;
  const text = readAddressText(block, at, lengthOf(family), family) ?? "";
  return {
    address: text.startsWith(MAPPED) ? text.slice(MAPPED.length) : text,
    port: readPort(block, at),
  };
}

/** The octets that the address at an offset takes in a list. */
export function endpointLength(block: CallBlock, at: number): number {
  return lengthOf(block.halves[at >> 1] === INET ? INET : INET6);
}
