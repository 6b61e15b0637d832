// The way back of a response: proves that it answers a request of ours, and sends it to the Via behind.
import { noteAnswer, noteRefusal, type Destination } from "../../routing/hop-health.ts";
import { defaultPort, TOKEN_PARAM, type Listener } from "../../routing/listener.ts";
import { toTagOf, type TransactionPath } from "../../routing/request-in-hand.ts";
import { isOwnSentBy } from "../../routing/own-places.ts";
import { clearEdits, ensureContentLength, removeFirstValue, render, splice } from "../../sip/edit.ts";
import { readVia, type Via } from "../../sip/fields/via.ts";
import { Header } from "../../sip/header.ts";
import { headerValue, nextHeader, type SipMessage } from "../../sip/message.ts";
import { BRANCH_LENGTH, parseBranch } from "../../sip/tag.ts";
import { confirmToken } from "../memory/dialog-token.ts";
import { removeLabels } from "../messages/message-changes.ts";
import { asAsked, isSamePeer, type StrayReason } from "../sending/asked-place.ts";
import { readMark } from "../sending/call-mark.ts";
import { heedRetryAfter, probedBy, reportChange, takeProbeAnswer } from "../sending/probe.ts";
import { bridgeResponse, hushRequest } from "../sending/stream-to-datagram.ts";
import { mostOctets } from "../turn/output.ts";
import { portTowards, trunkOf } from "../turn/peer-port.ts";
import type { ProxyState } from "../turn/proxy-state.ts";
import type { ResponseTurn } from "../turn/turn.ts";
import { noteAnswered } from "./call-progress.ts";
import { hasMethod, takeAnswer } from "./failover-answers.ts";
import { takeLateAnswer, takeReleaseAnswer } from "./release-answers.ts";

/**
 * Sends a response to the next Via. Its top branch must prove that it answers a request that we forwarded, to the same
 * peer that the response comes from. Otherwise says why not; the filter would else be a reflector (RFC 3261 sections
 * 16.7, 18.1.2). `isOurs`: the response is our own, in the place of a hop that did not answer.
 */
export function relayResponse(received: ResponseTurn, isOurs = false): StrayReason | undefined {
  const { proxy, message, edits, listener } = received;
  const { hops } = proxy;
  if (message.fault !== undefined) return UNREADABLE;
  const index = message.first[Header.via]!;
  // Our own Via is never folded. A peer that folded it did not copy it as RFC 3261 section 8.2.6.2 requires.
  if (message.folded[index] === 1) return "its Via is none of ours";
  const value = headerValue(message, index);
  const top = readOwnVia(proxy.listeners, value);
  const ours = top === undefined ? undefined : parseBranch(top.branch);
  const ingress = ours === undefined ? undefined : proxy.listeners[ours.listener];
  if (top === undefined || ours === undefined || ingress === undefined) return "its Via is none of ours";
  const next = secondVia(message, index, value, top.end);
  if (next === undefined) return takeOwnAnswer(received, ours.mac);
  const path: TransactionPath = {
    via: next,
    replyAddress: replyAddressOf(next),
    replyPort: replyPortOf(next),
    callId: headerValue(message, message.first[Header.callId]!),
    cseq: message.cseq,
  };
  const { branchEnd, end } = top;
  const turn = asAsked(received, { value, branchEnd, end, mac: ours.mac, path, ingress });
  if (typeof turn === "string") return turn;
  if (ingress.isReliable && !listener.isReliable) hushRequest(turn, top.branch);
  const marked = readMark(proxy, value.slice(0, end), branchEnd, ours.mac);
  const call = marked === undefined || marked.isWithin ? undefined : proxy.calls.setupOf(marked.slot)?.sent;
  if (hops.isWatching || call !== undefined) {
    const from = { transport: listener.transport, address: turn.address, port: turn.port };
    const hop = hops.answeringFrom(from.transport, from.address, from.port);
    if (hop !== undefined && !isOurs) hearAnswer(turn, hop);
    if (call !== undefined && takeAnswer(turn, { path, from, ingress, call })) return undefined;
  }
  if (
    proxy.released.size > 0 &&
    marked !== undefined &&
    takeLateAnswer(turn, marked, { path, ingress }, isOurs)
  )
    return undefined;
  const toTag = message.status > 100 && message.status < 300 ? toTagOf(message) : "";
  if (marked !== undefined) noteAnswered(turn, marked, toTag, { path, ingress, isOurs });
  clearEdits(edits);
  if (message.status === 503 && !passes503(turn, ingress, path))
    splice(edits, message.start, message.headersStart, "SIP/2.0 500 Server Internal Error\r\n");
  removeFirstValue(message, edits, index, message.valueStart[index]! + top.end);
  if (message.count[Header.label] !== 0) removeLabels(message, edits);
  if (toTag !== "") confirmRecordRoute(turn, path.callId, toTag);
  if (ingress.isReliable) ensureContentLength(message, edits);
  const out = proxy.output.bufferFor(ingress);
  const length = render(message, edits, out, mostOctets(ingress));
  if (length < 0) return UNREADABLE;
  proxy.counters.forwarded++;
  const isNews =
    ingress.isReliable === listener.isReliable ||
    bridgeResponse(turn, { path, branch: top.branch, to: ingress }, out, length);
  if (isNews) proxy.output.transmit(ingress, path.replyAddress, portBack(proxy, ingress, path), length);
  return undefined;
}

/** Notes what the answer of a next hop to a call shows about the state of that next hop. */
function hearAnswer(turn: ResponseTurn, hop: Destination): void {
  const { message, now, policy } = turn;
  const { nextHopHealth } = policy;
  const isRefusal = message.status === 503 && hasMethod(message, "INVITE");
  const changed = isRefusal ? noteRefusal(hop, now, nextHopHealth) : noteAnswer(hop, now, nextHopHealth);
  if (isRefusal) heedRetryAfter(turn, hop);
  if (changed) reportChange(turn.proxy, hop, isRefusal ? "calls answered 503" : "answered");
}

/** Takes a response that has no Via behind ours. It answers an OPTIONS, a CANCEL or a BYE of our own. */
function takeOwnAnswer(turn: ResponseTurn, mac: string): StrayReason | undefined {
  if (takeReleaseAnswer(turn, mac) || hasMethod(turn.message, "CANCEL")) return undefined;
  const hop = probedBy(turn.proxy, mac);
  if (hop === undefined) return "no request of ours asked for it";
  if (hop.transport !== turn.listener.transport || !isSamePeer(turn, hop))
    return "its request went to another peer";
  takeProbeAnswer(turn, hop);
  return undefined;
}

const UNREADABLE: StrayReason = "it can't be read or sent on";

/** True when the caller's trunk wants to see the 503 of a next hop (RFC 3261 section 16.7 step 6). */
function passes503(turn: ResponseTurn, listener: Listener, path: TransactionPath): boolean {
  const caller = trunkOf(turn, { listener, address: path.replyAddress, port: path.replyPort });
  return caller?.trunk.passThrough503 ?? true;
}

/**
 * Returns the port to send the response to. When the connection is gone, that is the port that the caller says it
 * listens on (RFC 3261 section 18.2.2).
 */
function portBack(proxy: ProxyState, ingress: Listener, path: TransactionPath): number {
  const { via, replyAddress, replyPort } = path;
  if (!ingress.isReliable) return replyPort;
  const { transport } = ingress;
  return portTowards(proxy, ingress, {
    transport,
    address: replyAddress,
    port: via.port || defaultPort(transport),
    connection: replyPort,
  });
}

/** The top Via, where it is ours. */
interface OwnVia extends Pick<Via, "branch" | "end"> {
  /** The position at which parameters behind the branch may begin. */
  readonly branchEnd: number;
}

/**
 * Returns branch and end of the top Via. Most peers return it as we wrote it. It is read in full only where they do
 * not.
 */
function readOwnVia(listeners: readonly Listener[], value: string): OwnVia | undefined {
  for (const { via } of listeners) {
    const branchEnd = via.length + BRANCH_LENGTH;
    if (!value.startsWith(via) || !isParamEnd(value, branchEnd)) continue;
    const comma = value.indexOf(",", branchEnd);
    const end = comma < 0 ? value.length : comma;
    return { branch: value.slice(via.length, branchEnd), branchEnd, end };
  }
  const via = readVia(value, 0);
  if (via === undefined || !isOwnSentBy(listeners, via.host, via.port)) return undefined;
  return { branch: via.branch, branchEnd: via.paramsStart, end: via.end };
}

function isParamEnd(value: string, at: number): boolean {
  if (at >= value.length) return true;
  const c = value.charCodeAt(at);
  return c === 0x3b || c === 0x2c || c <= 0x20;
}

/** Returns the Via behind ours. It is on the same line, or the first on the next Via line. */
function secondVia(message: SipMessage, index: number, value: string, end: number): Via | undefined {
  if (end < value.length) return readVia(value, end + 1);
  const next = nextHeader(message, Header.via, index);
  return next < 0 ? undefined : readVia(headerValue(message, next), 0);
}

/** Returns the address that the Via of a caller leads to, as we filled it in. */
export function replyAddressOf({ received, host }: Via): string {
  return literal(received ?? host);
}

/** Returns the port that the Via of a caller leads to, as we filled it in. */
export function replyPortOf({ rport, port }: Via): number {
  return rport === undefined ? port || 5060 : rport;
}

/** Removes the brackets of an IPv6 address. `received` may hold it with or without brackets. */
function literal(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}

/**
 * Adds the called side's tag to our own Record-Route value, which a proxy may rewrite in an answer (RFC 3261 section
 * 16.7 step 8). So an INVITE of the dialog can't be mistaken for one that begins a call.
 */
function confirmRecordRoute(
  { proxy, message, edits }: ResponseTurn,
  callId: string,
  calledTag: string,
): void {
  const { tags } = proxy;
  if (!hasMethod(message, "INVITE")) return;
  for (let i = message.first[Header.recordRoute]!; i >= 0; i = nextHeader(message, Header.recordRoute, i)) {
    if (message.folded[i] === 1) continue;
    const value = headerValue(message, i);
    // A peer that writes URIs anew may write the name of the parameter in capitals (RFC 3261 section 19.1.4).
    const names = value.includes(TOKEN_START) ? value : value.toLowerCase();
    for (let at = names.indexOf(TOKEN_START); at >= 0; at = names.indexOf(TOKEN_START, at + 1)) {
      const start = at + TOKEN_START.length;
      let end = start;
      while (end < value.length && !isTokenEnd(value.charCodeAt(end))) end++;
      const confirmation = confirmToken(tags, value.slice(start, end), callId, calledTag);
      // There is room for so many edits only: what changes nothing is none.
      if (confirmation === "") continue;
      const place = message.valueStart[i]! + end;
      splice(edits, place, place, confirmation);
    }
  }
}

const TOKEN_START = `;${TOKEN_PARAM}=`;

/** True for ";", ">", "," and white space. */
function isTokenEnd(c: number): boolean {
  return c === 0x3b || c === 0x3e || c === 0x2c || c <= 0x20;
}
