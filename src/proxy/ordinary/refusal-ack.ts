// The ACK of a refusal of our own: it carries our To tag, and ends here.
import { Header } from "../../sip/header.ts";
import { LF } from "../../sip/octet.ts";
import { MAC_LENGTH } from "../../sip/tag.ts";
import { putDecimal, putOctets } from "../octets/octets.ts";
import type { OrdinaryTurn } from "./ordinary-turn.ts";
import type { OrdinaryRequest } from "./request.ts";

/** "sw", by which our tags begin. */
const SMALL_S = 0x73;
const SMALL_W = 0x77;

/** True for a To tag that may be ours: its form is that of our tags. */
export function mayBeOwnTag({ message: { bytes } }: OrdinaryTurn, { toTag }: OrdinaryRequest): boolean {
  return bytes[toTag.start] === SMALL_S && bytes[toTag.start + 1] === SMALL_W;
}

/** True for the tag that we gave this request when we refused it: `ownTag` of turn/answers.ts. */
export function hasOwnTag({ proxy: { tags }, message }: OrdinaryTurn, request: OrdinaryRequest): boolean {
  const { via, fromTag, toTag } = request;
  if (toTag.end - toTag.start !== 2 + MAC_LENGTH) return false;
  const { bytes } = message;
  const { scratch } = tags;
  const callId = message.first[Header.callId]!;
  let at = tags.begin("tag");
  at = putOctets(scratch, at, bytes, via.sentByStart, via.sentByEnd);
  scratch[at] = LF;
  at = tags.putHeld(at + 1, via.branchStart, via.branchEnd);
  scratch[at] = LF;
  at = tags.putHeld(at + 1, message.valueStart[callId]!, message.valueEnd[callId]!);
  scratch[at] = LF;
  at = putDecimal(scratch, at + 1, message.cseq);
  scratch[at] = LF;
  at = putOctets(scratch, at + 1, bytes, fromTag.start, fromTag.end);
  const digits = tags.finish(at);
  for (let i = 0; i < MAC_LENGTH; i++) if (digits[i] !== bytes[toTag.start + 2 + i]) return false;
  return true;
}
