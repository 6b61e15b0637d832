// The key of a transaction: one text for an INVITE, its ACK (non-2xx), its CANCEL and all answers to them.
import { pathOf, sentByOf, type RequestInHand, type TransactionPath } from "../../routing/request-in-hand.ts";

/** Returns what an INVITE, its ACK (non-2xx), its CANCEL and all answers to them have in common, as one text. */
export function transactionKey({ via, replyAddress, replyPort, callId, cseq }: TransactionPath): string {
  return `${sentByOf(via)}\n${via.branch}\n${replyAddress}\n${replyPort}\n${callId}\n${cseq}`;
}

/** Returns the same of a request. */
export function transactionKeyOf(request: RequestInHand): string {
  return transactionKey(pathOf(request));
}
