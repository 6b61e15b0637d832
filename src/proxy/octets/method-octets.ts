// The method of a message as a number, so that no string is compared.
import type { SipMessage } from "../../sip/message.ts";
import { octetsOf, standsAt } from "./octets.ts";

/** The methods that the byte path tells apart. */
export const Method = {
  other: 0,
  invite: 1,
  ack: 2,
  bye: 3,
  cancel: 4,
  prack: 5,
  update: 6,
  options: 7,
  info: 8,
} as const;
export type MethodId = (typeof Method)[keyof typeof Method];

const table: readonly (readonly [MethodId, Uint8Array])[] = (
  ["invite", "ack", "bye", "cancel", "prack", "update", "options", "info"] as const
).map((name) => [Method[name], octetsOf(name.toUpperCase())]);

/** Returns the method that CSeq names: that of a request, and that of the request which a response answers. */
export function methodOf({ bytes, cseqMethodStart, cseqMethodEnd }: SipMessage): MethodId {
  const length = cseqMethodEnd - cseqMethodStart;
  for (let i = 0; i < table.length; i++) {
    const [id, octets] = table[i]!;
    if (octets.length === length && standsAt(bytes, cseqMethodStart, octets)) return id;
  }
  return Method.other;
}
