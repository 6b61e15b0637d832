// The payload protocol identifier of SCTP messages: which messages are M3UA.

/** Payload protocol identifier of M3UA (RFC 4666 section 7.1). */
export const M3UA_PPID = 3;

/** The same number in the octet order of a little-endian host, as some stacks send it by mistake. */
const SWAPPED_PPID = 0x0300_0000;

/**
 * How a message is taken: `m3ua` as it should be, `unspecified` by the 0 of a sender that names none
 * (RFC 9260 section 3.3.1), `host-order` by a 3 in the wrong octet order. All three are read as
 * M3UA; `foreign` is the identifier of another protocol and is not read.
 */
export type PayloadKind = "m3ua" | "unspecified" | "host-order" | "foreign";

/** Classifies an identifier as it stands on the wire, in network order. */
export function payloadKind(identifier: number): PayloadKind {
  if (identifier === M3UA_PPID) return "m3ua";
  if (identifier === 0) return "unspecified";
  return identifier === SWAPPED_PPID ? "host-order" : "foreign";
}
