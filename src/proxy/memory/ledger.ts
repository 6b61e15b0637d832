// What was decided for requests, under the key of their transaction: a repeat meets the same answer.
import { hash } from "node:crypto";
import type { ReasonCode } from "../../domain/reason.ts";
import { REPEATED_FOR } from "../../sip/timers.ts";
import { createExpiringMap, type ExpiringMap } from "../../state/expiring-map.ts";
import { bytesOf, type SipMessage } from "../../sip/message.ts";
import { MAGIC_COOKIE } from "../../sip/tag.ts";
import { sentByOf, type RequestInHand } from "../../routing/request-in-hand.ts";
import type { Target } from "../../routing/listener.ts";
import type { MessageChanges } from "../messages/message-changes.ts";

/** What was done with a request that was judged. */
export type Outcome =
  | {
      readonly kind: "forward";
      readonly target: Target;
      readonly reason: ReasonCode;
      /** What was changed in it. A repeat is sent on with the same bytes, whatever policy is in force by then. */
      readonly changes: MessageChanges | undefined;
    }
  /** The request was answered 302; `extra` holds its header lines. */
  | { readonly kind: "redirect"; readonly extra: string }
  | { readonly kind: "reject"; readonly status: number; readonly reason: ReasonCode }
  | { readonly kind: "drop" };

/** What was decided for one request that begins no call. */
export interface LedgerEntry {
  readonly fingerprint: string;
  readonly outcome: Outcome;
}

/** Characters of a key, at most. A longer key is replaced by its hash. */
export const MAX_KEY = 200;

/**
 * The ledger of requests that begin no call; its size is bounded. An entry lives {@link REPEATED_FOR} from when it was
 * set. Repeats do not extend that.
 */
export type Ledger = ExpiringMap<LedgerEntry>;

export function createLedger(size: number): Ledger {
  return createExpiringMap<LedgerEntry>(size, REPEATED_FOR);
}

/**
 * Returns the key of an INVITE, which its ACK (non-2xx) and CANCEL share (RFC 3261 section 17.2.3). The sender chooses
 * the branch, so trunk and source are part of the key. A branch without the cookie is unique only together with the
 * rest of RFC 2543's key.
 */
export function ledgerKey(trunk: string, exchange: RequestInHand, cseq: number): string {
  const { address, port, via, callId, fromTag } = exchange;
  const { branch } = via;
  const hasCookie = branch.startsWith(MAGIC_COOKIE) && branch.length > MAGIC_COOKIE.length;
  const base = `${trunk}\n${address}\n${port}\n${sentByOf(via)}\n${branch}`;
  const key = hasCookie ? base : `${base}\n${callId}\n${fromTag}\n${cseq}`;
  // A peer may write a branch of any length. The bytes of an entry must be bounded too.
  return key.length <= MAX_KEY ? key : hash("sha256", key, "hex");
}

/** Returns a hash of the whole message, and so of everything that is judged, forwarded or used for routing. */
export function fingerprint(message: SipMessage): string {
  return hash("sha256", bytesOf(message), "base64");
}
