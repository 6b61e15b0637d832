// One message on its way by octets: what every step of the byte path is given.
import type { Millis } from "../../domain/time.ts";
import type { Policy, TrunkPolicy } from "../../policy/policy.ts";
import type { Listener } from "../../routing/listener.ts";
import type { SipMessage } from "../../sip/message.ts";
import type { ProxyState } from "../turn/proxy-state.ts";
import { octetsOf } from "../octets/octets.ts";

/** What a listener writes into messages, as octets. */
export interface OwnOctets {
  readonly listener: Listener;
  readonly via: Uint8Array;
  readonly route: Uint8Array;
  /** False: another listener writes the same Record-Route. */
  readonly isRouteUnique: boolean;
  readonly bound: Uint8Array;
}

/** Reused from message to message: nothing may keep it. */
export interface OrdinaryTurn {
  readonly proxy: ProxyState;
  /** By the index of the listener. */
  readonly own: readonly OwnOctets[];
  readonly message: SipMessage;
  policy: Policy;
  now: Millis;
  /** The trunk that the message comes from, if any. */
  source: TrunkPolicy | undefined;
  /** The listener that took the message, and where it came from. */
  listener: Listener;
  address: string;
  port: number;
}

export function ownOctetsOf(listeners: readonly Listener[]): readonly OwnOctets[] {
  return listeners.map((listener) => ({
    listener,
    via: octetsOf(listener.via),
    route: octetsOf(listener.route),
    isRouteUnique: listeners.every((other) => other === listener || other.route !== listener.route),
    bound: octetsOf(listener.bound),
  }));
}
