// Requests of a dialog that the filter has ended, and what requests of a dialog change for a BYE of the filter.
import type { CallSlot } from "../../calls/calls.ts";
import { Header } from "../../sip/header.ts";
import type { Proof } from "../memory/dialog-proof.ts";
import { readDialogs, renewTarget, writeDialogs } from "../memory/kept-dialogs.ts";
import { contactOf } from "../memory/remote-target.ts";
import { answer, refuseRequest } from "../turn/answers.ts";
import type { RequestTurn } from "../turn/turn.ts";

/**
 * Takes a request of a call that the filter has ended less than 64·T1 ago. A BYE that crosses ours is answered 200, as
 * its sender expects; other requests are answered 481. An ACK passes: it acknowledges an answer from before.
 *
 * @returns false for a request of any other call
 */
export function takeAfterRelease(turn: RequestTurn, { token, side }: Proof): boolean {
  const { proxy, message } = turn;
  if (proxy.released.size === 0 || message.method === "ACK") return false;
  const read = proxy.callTags.read(token.call ?? "", "");
  const call = read?.isKnownNode === true ? proxy.released.of(read.name) : undefined;
  if (call === undefined) return false;
  if (message.method === "BYE") answer(turn, 200, "");
  else
    refuseRequest(turn, {
      reason: "dialog-unknown",
      facts: { fault: `the filter has ended the call of this ${side} party` },
    });
  return true;
}

/**
 * Notes the Contact of a re-INVITE or UPDATE that passes: it is the new remote target of its sender (RFC 3261 section
 * 12.2.2).
 */
export function noteTarget(
  { proxy, message, request }: RequestTurn,
  slot: CallSlot,
  side: Proof["side"],
): void {
  const { calls } = proxy;
  const text = calls.textOf(slot);
  if (text === undefined || message.first[Header.contact]! < 0 || calls.stateOf(slot) !== "answered") return;
  const dialogs = readDialogs(text);
  const [field, calledTag] =
    side === "caller"
      ? (["callerContact", request.toTag] as const)
      : (["calledContact", request.fromTag] as const);
  if (renewTarget(dialogs, field, calledTag, contactOf(message)))
    calls.keepText(slot, writeDialogs(dialogs) ?? "");
}
