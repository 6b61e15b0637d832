// CANCEL and ACK of our own: they follow an INVITE that went to a next hop, with its branch.
import type { CallName } from "../../calls/calls.ts";
import { hopPort, branchFields } from "../../routing/request-in-hand.ts";
import type { Listener, Target } from "../../routing/listener.ts";
import { formatBranch } from "../../sip/tag.ts";
import type { SentInvite } from "../memory/released-calls.ts";
import { portTowards } from "../turn/peer-port.ts";
import type { ProxyState } from "../turn/proxy-state.ts";
import { placeParam } from "./asked-place.ts";
import { markOfName } from "./call-mark.ts";

/** A request that was sent, or could not be. */
export interface OwnFollowing {
  /** The MAC of its branch. */
  readonly mac: string;
  readonly port: number;
  /** In the output buffer, until the next message is rendered. Undefined: it was too long. */
  readonly bytes: Uint8Array | undefined;
}

/**
 * Sends an ACK of a final answer that the caller does not see, or a CANCEL of an INVITE that nobody waits for (RFC 3261
 * sections 9.1, 17.1.1.3). There is no Via behind ours: the answer ends here.
 *
 * @param to the value of To: of an ACK, that of the answer
 */
export function sendFollowing(
  proxy: ProxyState,
  method: "ACK" | "CANCEL",
  { invite, name, to }: { readonly invite: SentInvite; readonly name: CallName; readonly to: string },
  egress: Listener,
  hop: Target,
): OwnFollowing {
  const { path, ingress, uri, from, routes } = invite;
  const fields = branchFields(path, hop.address, hopPort(egress, hop.port), ingress.bound);
  const mac = proxy.tags.mac("branch", fields);
  const mark = markOfName(proxy.callTags, name, mac);
  const text =
    `${method} ${uri} SIP/2.0\r\n` +
    `Via: ${egress.via}${formatBranch(ingress.index, mac)}${mark}${placeParam(hop)}\r\n` +
    "Max-Forwards: 70\r\n" +
    routes +
    `From: ${from}\r\nTo: ${to}\r\nCall-ID: ${path.callId}\r\nCSeq: ${path.cseq} ${method}\r\n` +
    "Content-Length: 0\r\n\r\n";
  const port = portTowards(proxy, egress, hop);
  return { mac, port, bytes: sendText(proxy, egress, hop.address, port, text) };
}

/** Sends a message of latin1. @returns its octets, in the output buffer; undefined when it is too long */
export function sendText(
  proxy: ProxyState,
  listener: Listener,
  address: string,
  port: number,
  text: string,
): Uint8Array | undefined {
  const out = proxy.output.bufferFor(listener);
  if (text.length > out.length) return undefined;
  const length = out.write(text, 0, "latin1");
  proxy.output.transmit(listener, address, port, length);
  return out.subarray(0, length);
}
