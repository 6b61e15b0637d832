// A body that no rule asks about: none at all, or SDP that says so in the usual words.
import { SDP } from "../../sip/bodies/body.ts";
import { Header } from "../../sip/header.ts";
import { octetsOf, standsAt } from "../octets/octets.ts";
import type { OrdinaryTurn } from "./ordinary-turn.ts";

const sdp = octetsOf(SDP);

/** True where neither the rule `bodies` nor a reader of ISUP finds anything, whatever the method. */
export function hasPlainBody({ message }: OrdinaryTurn): boolean {
  if (message.count[Header.contentEncoding] !== 0) return false;
  const index = message.first[Header.contentType]!;
  if (index < 0) return message.bodyStart >= message.end;
  const start = message.valueStart[index]!;
  return message.valueEnd[index]! - start === sdp.length && standsAt(message.bytes, start, sdp);
}
