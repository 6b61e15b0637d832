// How a final answer to an INVITE ends the set-up of its call.
import type { CallEnd } from "../domain/call.ts";
import { readMessageCause } from "../sip/fields/reason.ts";
import type { SipMessage } from "../sip/message.ts";

/**
 * Returns how a final answer other than 2xx ended the set-up. 487 means that the caller's CANCEL arrived (RFC 3261
 * section 9.2).
 *
 * @param isOurs true: the filter gave the answer in the place of a hop
 */
export function endOfSetup(message: SipMessage, isOurs: boolean): CallEnd {
  const { status } = message;
  if (isOurs) return { by: "filter", how: status === 408 ? "timed-out" : "refused", status };
  const cause = readMessageCause(message);
  const end =
    status === 487
      ? ({ by: "caller", how: "cancelled" } as const)
      : ({ by: "called", how: "refused" } as const);
  return cause === undefined ? { ...end, status } : { ...end, status, cause };
}
