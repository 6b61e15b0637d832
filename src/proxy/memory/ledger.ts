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
      /** What was changed in it: a repeat is sent on with the same bytes, whatever policy is in force by then. */
      readonly changes: MessageChanges | undefined;
    }
  /** Answered 302; `extra` holds its header lines. */
  | { readonly kind: "redirect"; readonly extra: string }
  | { readonly kind: "reject"; readonly status: number; readonly reason: ReasonCode }
  | { readonly kind: "drop" };

/** What was decided for one request that begins no call. */
export interface LedgerEntry {
  readonly fingerprint: string;
  readonly outcome: Outcome;
}

/** Longer keys are kept as their hash. */
const MAX_KEY = 200;

/**
 * The ledger of requests that begin no call, bounded; an entry lives {@link REPEATED_FOR} from when it was set,
 * whatever repeats arrive.
 */
export type Ledger = ExpiringMap<LedgerEntry>;

export function createLedger(size: number): Ledger {
  return createExpiringMap<LedgerEntry>(size, REPEATED_FOR);
}

/**
 * The key of an INVITE, shared by its ACK (non-2xx) and CANCEL (RFC 3261 section 17.2.3). Branches are the sender's
 * choice, so trunk and source are part of it; a branch without the cookie is unique only with the rest of RFC 2543's
 * key.
 */
export function ledgerKey(trunk: string, exchange: RequestInHand, cseq: number): string {
  const { address, port, via, callId, fromTag } = exchange;
  const { branch } = via;
  const hasCookie = branch.startsWith(MAGIC_COOKIE) && branch.length > MAGIC_COOKIE.length;
  const base = `${trunk}\n${address}\n${port}\n${sentByOf(via)}\n${branch}`;
  const key = hasCookie ? base : `${base}\n${callId}\n${fromTag}\n${cseq}`;
  // A peer writes what it likes into its branch; entries must be bounded in bytes too.
  return key.length <= MAX_KEY ? key : hash("sha256", key, "hex");
}

/** Hash of everything that is judged, forwarded or routed on: the whole message. */
export function fingerprint(message: SipMessage): string {
  return hash("sha256", bytesOf(message), "base64");
}
