// What the proxy keeps of a call beside its row: its bytes' hash, what was done with it, and where it went.
import { Buffer } from "node:buffer";
import type { Millis } from "../../domain/time.ts";
import type { TrunkId } from "../../domain/trunk.ts";
import type { CallSlot } from "../../calls/calls.ts";
import type { Destination } from "../../routing/hop-health.ts";
import type { Listener, Target } from "../../routing/listener.ts";
import type { RequestInHand } from "../../routing/request-in-hand.ts";
import type { Outcome } from "./ledger.ts";

/** Next hops that one call is sent to, the first included. */
export const MOST_TRIED = 4;

/** What is kept of an INVITE, so that its repeats, its ACK, its CANCEL and its answers find what was done with it. */
export interface CallSetup {
  readonly slot: CallSlot;
  readonly trunk: TrunkId;
  readonly at: Millis;
  /** Hash of the whole message. */
  readonly fingerprint: string;
  readonly outcome: Outcome;
  /** Set on a trunk with several next hops, and where a number is withheld. */
  sent: SentCall | undefined;
}

/** An INVITE as it was received, so that it can go to another next hop as it went to the first. */
export interface KeptInvite {
  readonly bytes: Buffer;
  readonly listener: Listener;
  readonly address: string;
  readonly port: number;
}

/** A call that can go to another next hop, or whose ACK and CANCEL must be sent where it went. */
export interface SentCall {
  readonly setup: CallSetup;
  readonly callId: string;
  /** At most {@link MOST_TRIED}; the last is where it is now. */
  readonly tried: Destination[];
  /** Undefined once it was answered, and where there is no other next hop: then it stays where it is. */
  kept: KeptInvite | undefined;
  /** Request-URI and To of the INVITE, for ACK and CANCEL of our own. */
  readonly uri: string;
  readonly to: string;
  /** Who gave the final answer that went to the caller. */
  answered: Destination | undefined;
  /** Those of `tried` that gave a final answer: nothing is left there to cancel. */
  readonly ended: Destination[];
  /** True when one of them was a 503 that the caller has not seen. */
  was503: boolean;
  /** When a moved INVITE is sent again, and how long after that once more (RFC 3261 section 17.1.1.2: timer A). */
  repeatAt: Millis;
  repeatAfter: Millis;
}

/**
 * Returns where of all places that the call went to an answer comes from, though the policy or DNS may name it no more; over a stream from
 * any port, where it is the only one at that address.
 */
export function findTried(
  { tried }: SentCall,
  { transport, address, port }: Target,
): Destination | undefined {
  const there = tried.filter((hop) => hop.transport === transport && hop.address === address);
  return (
    there.find((hop) => hop.port === port) ??
    (transport !== "udp" && there.length === 1 ? there[0] : undefined)
  );
}

/** Returns the message in memory of its own: views and receive buffers are used again. */
export function keepInvite({ message, listener, address, port }: RequestInHand): KeptInvite {
  const { bytes, start, end } = message;
  return { bytes: Buffer.from(bytes.subarray(start, end)), listener, address, port };
}

/** Returns a copy that does not hold on to the whole message, as a slice of its text would. */
export function copyText(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}
