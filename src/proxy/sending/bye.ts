// The BYE of the filter to either side of a dialog, and the ACK of a 2xx that nobody else acknowledges.
import { Buffer } from "node:buffer";
import type { CallParty } from "../../calls/kept-texts.ts";
import { causeField } from "../../judging/refusal.ts";
import type { Listener, Target } from "../../routing/listener.ts";
import { createAddressSpan, readAddress, readParam, readUri } from "../../sip/fields/name-addr.ts";
import { formatBranch } from "../../sip/tag.ts";
import { writeRelease } from "../../ss7/m3ua-reply.ts";
import { causeOf } from "../../domain/reason.ts";
import { bracketed } from "../../net/endpoint.ts";
import { readPlace, type KeptDialog } from "../memory/kept-dialogs.ts";
import type { OwnRequest } from "../memory/own-requests.ts";
import type { ReleasedCall } from "../memory/released-calls.ts";
import { portTowards } from "../turn/peer-port.ts";
import type { Moment } from "../turn/turn.ts";
import { sendText } from "./own-following.ts";

/** Why the filter ends calls: the line was stopped by order. */
export const RELEASE_REASON = "line-stopped";
/** The cause of Q.850 that both sides are told. */
export const RELEASE_CAUSE = causeOf(RELEASE_REASON) ?? 21;

/** A dialog as one of its sides knows it: what a request of the other side to it looks like (RFC 3261 section 12.2.1.1). */
interface Remote {
  readonly contact: string;
  readonly routes: string;
  readonly from: string;
  readonly to: string;
  readonly place: string;
}

function remoteOf(dialog: KeptDialog, side: CallParty): Remote {
  const { from, to } = dialog;
  if (side === "called")
    return {
      contact: dialog.calledContact,
      routes: dialog.calledRoutes,
      from,
      to,
      place: dialog.calledPlace,
    };
  return {
    contact: dialog.callerContact,
    routes: dialog.callerRoutes,
    from: to,
    to: dialog.callerFrom === "" ? from : dialog.callerFrom,
    place: dialog.callerPlace,
  };
}

/**
 * The highest CSeq (RFC 3261 section 8.1.1.5). A party that has used it up is sent it again: only a lower one is out of
 * order (section 12.2.2).
 */
const LAST_CSEQ = 0x7fffffff;

/**
 * Sends a BYE to one side of a dialog. Its answer ends here.
 *
 * @param above one above the highest CSeq that this side has seen
 * @returns false when it could not be sent
 */
export function sendBye(
  { proxy, now }: Moment,
  call: ReleasedCall,
  dialog: KeptDialog,
  side: CallParty,
  above: number,
): boolean {
  const cseq = Math.min(above, LAST_CSEQ);
  const remote = remoteOf(dialog, side);
  const there = readPlace(proxy.listeners, remote.place);
  if (there === undefined) return false;
  const { listener, target } = there;
  const mac = proxy.tags.mac(
    "release",
    `BYE ${side}\n${dialog.callId}\n${dialog.calledTag}\n${cseq}\n${now}`,
  );
  const [type, body] = dialog.isup === undefined ? ["", ""] : releaseBody(dialog.isup);
  const text =
    requestHead("BYE", remote, dialog.callId, cseq, there, mac) +
    `Reason: ${causeField(RELEASE_REASON) ?? ""}\r\n${type}Content-Length: ${body.length}\r\n\r\n${body}`;
  const port = portTowards(proxy, listener, target);
  const bytes = sendText(proxy, listener, target.address, port, text);
  if (bytes === undefined) return false;
  const request: OwnRequest = {
    method: "BYE",
    mac,
    listener,
    address: target.address,
    port,
    bytes: listener.isReliable ? undefined : Buffer.from(bytes),
    call,
  };
  call.sent++;
  if (proxy.ownRequests.start(request, now)) call.open++;
  return true;
}

/**
 * Sends the ACK of a 2xx to the called side, where the caller has no such dialog any more (RFC 3261 section 13.2.2.4).
 */
export function acknowledge({ proxy }: Moment, dialog: KeptDialog, cseq: number): void {
  const remote = remoteOf(dialog, "called");
  const there = readPlace(proxy.listeners, remote.place);
  if (there === undefined) return;
  const { listener, target } = there;
  const mac = proxy.tags.mac("release", `ACK\n${dialog.callId}\n${dialog.calledTag}\n${cseq}`);
  const text = `${requestHead("ACK", remote, dialog.callId, cseq, there, mac)}Content-Length: 0\r\n\r\n`;
  sendText(proxy, listener, target.address, portTowards(proxy, listener, target), text);
}

/** A listener, and where a message leaves it for. */
interface Place {
  readonly listener: Listener;
  readonly target: Target;
}

/** Everything up to the fields that only some requests have. */
function requestHead(
  method: "BYE" | "ACK",
  { contact, routes, from, to }: Remote,
  callId: string,
  cseq: number,
  { listener, target }: Place,
  mac: string,
): string {
  const uri = contact === "" ? uriAt(target) : contact;
  const way = routes === "" ? { uri, routes } : follow(uri, routes);
  return (
    `${method} ${way.uri} SIP/2.0\r\n` +
    `Via: ${listener.via}${formatBranch(listener.index, mac)}\r\n` +
    "Max-Forwards: 70\r\n" +
    (way.routes === "" ? "" : `Route: ${way.routes}\r\n`) +
    `From: ${from}\r\nTo: ${to}\r\nCall-ID: ${callId}\r\nCSeq: ${cseq} ${method}\r\n`
  );
}

/** A peer that gave no Contact is asked at its place. */
function uriAt({ transport, address, port }: Target): string {
  const over = transport === "udp" ? "" : `;transport=${transport}`;
  return `sip:${bracketed(address)}:${port}${over}`;
}

const span = createAddressSpan();

/** A strict router wants itself in the Request-URI, and the remote target at the end of the Route (RFC 3261 section 12.2.1.1). */
function follow(uri: string, routes: string): { readonly uri: string; readonly routes: string } {
  readAddress(routes, 0, span);
  const { uriStart, uriEnd, end } = span;
  const { params } = readUri(routes, uriStart, uriEnd);
  if (readParam(params, 0, params.length, "lr") !== undefined) return { uri, routes };
  const rest = routes.slice(end + 1);
  return { uri: routes.slice(uriStart, uriEnd), routes: `${rest}${rest === "" ? "" : ","}<${uri}>` };
}

/** The REL in the BYE of a SIP-I call (Q.1912.5 profile C, RFC 3204): its header lines, and its octets as latin1. */
function releaseBody(params: string): readonly [string, string] {
  const type = `Content-Type: application/ISUP${params}\r\nContent-Disposition: signal;handling=optional\r\n`;
  return [type, Buffer.from(writeRelease(RELEASE_CAUSE)).toString("latin1")];
}
