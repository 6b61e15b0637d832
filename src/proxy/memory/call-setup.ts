// What the proxy keeps of a call beside its row: its bytes' hash, what was done with it, and where it went.
import { Buffer } from "node:buffer";
import type { Millis } from "../../domain/time.ts";
import type { TrunkId } from "../../domain/trunk.ts";
import type { CallSlot } from "../../calls/calls.ts";
import type { Destination } from "../../routing/hop-health.ts";
import type { Listener, Target } from "../../routing/listener.ts";
import type { RequestInHand } from "../../routing/request-in-hand.ts";
import type { Outcome } from "./ledger.ts";

/** Next hops that one call is sent to, at most. The first is counted too. */
export const MOST_TRIED = 4;

/** What is kept of an INVITE, so that its repeats, its ACK, its CANCEL and its answers find what was done with it. */
export interface CallSetup {
  readonly slot: CallSlot;
  readonly trunk: TrunkId;
  /** Hash of the whole message. */
  readonly fingerprint: string;
  readonly outcome: Outcome;
  /** Who called whom, for overlap dialling (`dialledBy`). Set where the call goes on. */
  dialled: string;
  /** Set on a trunk with several next hops, and on a call whose number is withheld. */
  sent: SentCall | undefined;
  /** Set as long as the head of the INVITE is kept beside the row (`Calls.textOf`): until the answer. */
  head: InviteHead | undefined;
  /** True when the next hop that the call is at has given a provisional answer. */
  isHeard: boolean;
}

/** Where an INVITE came from, and where the fields of the caller stand in its head. */
export interface InviteHead {
  readonly listener: Listener;
  readonly address: string;
  readonly port: number;
  /** The values of the first Contact (empty: there is none) and of From. */
  readonly contactStart: number;
  readonly contactEnd: number;
  readonly fromStart: number;
  readonly fromEnd: number;
  /** The parameters of the ISUP body, where there is one. */
  readonly isup: string | undefined;
}

/** An INVITE as it was received. With it the call can go to another next hop in the same form as to the first. */
export interface KeptInvite {
  readonly bytes: Buffer;
  readonly listener: Listener;
  readonly address: string;
  readonly port: number;
}

/** A call that can go to another next hop, or whose ACK and CANCEL must follow its INVITE. */
export interface SentCall {
  readonly setup: CallSetup;
  readonly callId: string;
  /** The next hops that the call was sent to, at most {@link MOST_TRIED}. The last is where it is now. */
  readonly tried: Destination[];
  /** Undefined once the call was answered, and where there is no other next hop. Then the call stays where it is. */
  kept: KeptInvite | undefined;
  /** Request-URI and To of the INVITE, for an ACK or CANCEL of our own. */
  readonly uri: string;
  readonly to: string;
  /** The next hop whose final answer went to the caller. */
  answered: Destination | undefined;
  /** The members of `tried` that gave a final answer. Nothing is left to cancel there. */
  readonly ended: Destination[];
  /** True when one of these answers was a 503 that the caller has not seen. */
  was503: boolean;
  /**
   * The time at which a moved INVITE is sent again, and the interval until the next repeat (RFC 3261 section 17.1.1.2,
   * timer A).
   */
  repeatAt: Millis;
  repeatAfter: Millis;
}

/**
 * Returns the next hop, among those that the call was sent to, that an answer comes from. It is found even if the
 * policy or DNS no longer names it. On a stream any port counts, where it is the only next hop at that address.
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

/** Returns the message in memory of its own, since views and receive buffers are reused. */
export function keepInvite({ message, listener, address, port }: RequestInHand): KeptInvite {
  const { bytes, start, end } = message;
  return { bytes: Buffer.from(bytes.subarray(start, end)), listener, address, port };
}

/** Where short texts are copied. */
const copied = Buffer.allocUnsafe(512);

/** Returns a copy of a text. A slice of a message's text would keep the whole message in memory. */
export function copyText(text: string): string {
  if (text.length > copied.length) return Buffer.from(text, "latin1").toString("latin1");
  return copied.toString("latin1", 0, copied.write(text, "latin1"));
}
