// What the proxy is asked and told about TCP and TLS connections, beside the messages on them.
import type { Buffer } from "node:buffer";
import type { Millis } from "../domain/time.ts";
import { NEXT_HOP, STRANGER } from "../domain/trunk.ts";
import { countProtocolError } from "../observe/counters.ts";
import { ANY_NAME } from "../policy/trunk-match.ts";
import { goDown, type Destination } from "../routing/hop-health.ts";
import type { Listener } from "../routing/listener.ts";
import { noteFault } from "../sip/message.ts";
import { scan } from "../sip/scan.ts";
import { answerUnreached } from "./requests/answer-for-hop.ts";
import { reportChange, withdrawProbe } from "./sending/probe.ts";
import { answerError } from "./turn/answers.ts";
import { isHop } from "./turn/peer-port.ts";
import { guard, type ProxyState } from "./turn/proxy-state.ts";
import { beginMoment, beginRequest, type Moment } from "./turn/turn.ts";

/** A peer on a connection. */
export interface StreamPeer {
  readonly address: string;
  readonly port: number;
  /** Names that its certificate proves, in lower case. Undefined until a handshake has shown them. */
  readonly names: readonly string[] | undefined;
}

/**
 * Why no connection could carry a message. `unreached`: the peer was asked and did not answer. `back-off`: it was not
 * asked, since it has failed a moment ago. `no-room`: we have no room for one more connection, which shows nothing
 * about the peer.
 */
export type DeliveryFailure = "unreached" | "back-off" | "no-room";

/** What the proxy is asked and told about connections, apart from the messages on them. */
export interface ConnectionEvents {
  /**
   * Returns whose the peer is: its trunk, {@link NEXT_HOP} for the core and next hops, or {@link STRANGER} for a TLS
   * peer that only its certificate can show to be a trunk. Undefined: nobody knows it.
   */
  ownerOf(now: Millis, listener: Listener, peer: StreamPeer): string | undefined;
  /** True when this place is a next hop. */
  isHop(listener: Listener, address: string, port: number): boolean;
  /**
   * True when a TLS peer that we connected to is the intended one (RFC 5922 section 7.3). Its certificate names one of
   * these: the address, the `tlsName` by which the policy knows the trunk there, or the host of the next hop.
   * `addresses` are the addresses in the certificate.
   */
  isMeant(listener: Listener, peer: StreamPeer, addresses: readonly string[]): boolean;
  /**
   * Takes bytes of a stream that can't be cut into messages, and the reason `why`. A request among them is answered
   * 400. The connection ends.
   */
  unframed(now: Millis, listener: Listener, peer: StreamPeer, bytes: Buffer, why: string): void;
  /**
   * Takes back a message that no connection could carry. A request goes elsewhere, or is answered 503 (RFC 3261 section
   * 16.9).
   */
  undelivered(
    now: Millis,
    listener: Listener,
    address: string,
    port: number,
    bytes: Buffer,
    why: DeliveryFailure,
  ): void;
}

export function createConnectionEvents(proxy: ProxyState): ConnectionEvents {
  return {
    ownerOf(now, listener, { address, port, names }) {
      const { policy } = beginMoment(proxy, now);
      const trunk = policy.matchTrunk(listener.id, address, port, names)?.trunk;
      if (trunk !== undefined) return trunk.side === "core" ? NEXT_HOP : trunk.id;
      if (isHop(proxy, { listener, address, port })) return NEXT_HOP;
      if (names !== undefined) return undefined;
      return policy.matchTrunk(listener.id, address, port, ANY_NAME) === undefined ? undefined : STRANGER;
    },
    isHop: (listener, address, port) =>
      proxy.hops.at(listener.transport, address, port) !== undefined || proxy.hops.has(address, port),
    isMeant(listener, { address, port, names = [] }, addresses) {
      if (addresses.includes(address)) return true;
      if (proxy.hops.hostsAt(address, port).some((host) => names.includes(host))) return true;
      const { matchTrunk } = proxy.policyInForce();
      const trunk = matchTrunk(listener.id, address, port, names);
      return trunk !== undefined && trunk !== matchTrunk(listener.id, address, port);
    },
    unframed(now, listener, { address, port, names }, bytes, why) {
      guard(proxy, () => {
        const moment = beginMoment(proxy, now);
        const { workspace } = proxy;
        scan(workspace.message, bytes);
        if (workspace.message.kind !== "request") return;
        noteFault(workspace.message, why);
        const source = moment.policy.matchTrunk(listener.id, address, port, names);
        const turn = beginRequest(moment, workspace, source, { listener, address, port });
        if (turn === undefined) countProtocolError(proxy.counters, source?.trunk.id ?? NEXT_HOP, 400);
        else answerError(turn, { status: 400, why });
      });
    },
    undelivered(now, listener, address, port, bytes, why) {
      guard(proxy, () => {
        const moment = beginMoment(proxy, now);
        // When an answer can't be sent on its own connection any more, that shows nothing about the place where the
        // peer listens.
        const hop = proxy.hops.at(listener.transport, address, port);
        if (hop !== undefined) noteFailure(moment, hop, bytes, why);
        answerUnreached(moment, { listener, address, port }, bytes);
      });
    },
  };
}

/** Notes a failed delivery. A next hop goes down only by a failure of its own. */
function noteFailure(
  { proxy, now, policy }: Moment,
  hop: Destination,
  bytes: Buffer,
  why: DeliveryFailure,
): void {
  const { nextHopHealth } = policy;
  if (why === "no-room") withdrawProbe(hop, bytes, now, nextHopHealth);
  if (why === "unreached" && goDown(hop, now, nextHopHealth)) reportChange(proxy, hop, "no connection");
}
