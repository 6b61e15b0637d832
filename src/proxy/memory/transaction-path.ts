// The caller's side of a transaction, as an INVITE, its ACK, its CANCEL and all answers to them show it.
import { sentByOf, type BranchBinding, type RequestInHand } from "../../routing/request-in-hand.ts";

/** The caller's side of a transaction. */
export type TransactionPath = Pick<BranchBinding, "via" | "replyAddress" | "replyPort" | "callId" | "cseq">;

/** Returns what an INVITE, its ACK (non-2xx), its CANCEL and all answers to them have in common, as one text. */
export function transactionKey({ via, replyAddress, replyPort, callId, cseq }: TransactionPath): string {
  return `${sentByOf(via)}\n${via.branch}\n${replyAddress}\n${replyPort}\n${callId}\n${cseq}`;
}

/** Returns the same of a request. */
export function transactionKeyOf({ via, address, replyPort, callId, message }: RequestInHand): string {
  return transactionKey({ via, replyAddress: address, replyPort, callId, cseq: message.cseq });
}
