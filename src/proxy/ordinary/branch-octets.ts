// What a branch of ours is bound to, written as octets: the same fields as `branchFields` in routing/request-in-hand.ts.
import { Header } from "../../sip/header.ts";
import { COLON, LF } from "../../sip/octet.ts";
import { MOST_FIELDS } from "../../sip/tag.ts";
import { isAscii, putDecimal, putOctets, putText } from "../octets/octets.ts";
import type { OrdinaryTurn, OwnOctets } from "./ordinary-turn.ts";
import type { OrdinaryVia } from "../octets/via-octets.ts";

/**
 * Octets that Call-ID and Via may have together. Beside them a hash holds a token or a tag, whose readers bound them, or
 * addresses and numbers.
 */
const MOST_FREE = MOST_FIELDS / 2;

/** True when the texts of the message that enter a hash are ASCII, stand on one line, and have room. */
export function hasPlainPath({ message }: OrdinaryTurn, via: OrdinaryVia): boolean {
  const callId = message.first[Header.callId]!;
  const start = message.valueStart[callId]!;
  const end = message.valueEnd[callId]!;
  return (
    message.folded[callId] === 0 &&
    end - start + via.end - via.sentByStart <= MOST_FREE &&
    isAscii(message.bytes, start, end)
  );
}

/** Writes a text and the line break that ends a field. */
function putField(out: Uint8Array, at: number, text: string): number {
  const end = putText(out, at, text);
  out[end] = LF;
  return end + 1;
}

function putNumber(out: Uint8Array, at: number, value: number): number {
  const end = putDecimal(out, at, value);
  out[end] = LF;
  return end + 1;
}

/**
 * Hashes the fields.
 *
 * @param via of the peer that asked
 * @param replyAddress with its port, where answers go
 * @param ingress the listener that the request came in by
 * @param targetPort a port, or the transport of a reliable listener
 * @returns the digits, until the next hash
 */
export function branchDigits(
  turn: OrdinaryTurn,
  via: OrdinaryVia,
  replyAddress: string,
  replyPort: number,
  ingress: OwnOctets,
  targetAddress: string,
  targetPort: number | string,
): Uint8Array {
  const { tags } = turn.proxy;
  const { bytes, cseq, first, valueStart, valueEnd } = turn.message;
  const { scratch } = tags;
  const callId = first[Header.callId]!;
  let at = tags.begin("branch");
  at = putOctets(scratch, at, bytes, via.hostStart, via.hostEnd);
  scratch[at] = COLON;
  at = putNumber(scratch, at + 1, via.port);
  at = tags.putHeld(at, via.branchStart, via.branchEnd);
  scratch[at] = LF;
  at = putField(scratch, at + 1, replyAddress);
  at = putNumber(scratch, at, replyPort);
  at = tags.putHeld(at, valueStart[callId]!, valueEnd[callId]!);
  scratch[at] = LF;
  at = putNumber(scratch, at + 1, cseq);
  at = putField(scratch, at, targetAddress);
  at =
    typeof targetPort === "number" ? putNumber(scratch, at, targetPort) : putField(scratch, at, targetPort);
  at = putOctets(scratch, at, ingress.bound, 0, ingress.bound.length);
  return tags.finish(at);
}
