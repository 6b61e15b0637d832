// OPTIONS of our own to next hops: asks those whose time has come, and takes their answers.
import type { Buffer } from "node:buffer";
import { bracketed } from "../../net/endpoint.ts";
import type { Millis } from "../../domain/time.ts";
import type { NextHopHealth } from "../../policy/policy.ts";
import {
  noteProbeAnswer,
  noteProbeMiss,
  noteRested,
  noteRetryAfter,
  noteSilence,
  noteTime,
  postponeProbe,
  type Destination,
} from "../../routing/hop-health.ts";
import type { Listener } from "../../routing/listener.ts";
import { readRetryAfter } from "../../sip/fields/retry-after.ts";
import { formatBranch } from "../../sip/tag.ts";
import { guard, type ProxyState } from "../turn/proxy-state.ts";
import type { Moment, ResponseTurn } from "../turn/turn.ts";

/** OPTIONS sent in one tick, at most. The rest are sent with the next tick. */
const MOST_PROBES = 100;

/** Counts the OPTIONS that got no answer, and sends OPTIONS to the next hops that are due. */
export function probeNextHops(moment: Moment): void {
  const { proxy, now, policy } = moment;
  const health = policy.nextHopHealth;
  let sent = 0;
  for (const hop of proxy.hops.destinations()) {
    const { listener } = hop;
    if (listener === undefined) continue;
    guard(proxy, () => {
      if (noteSilence(hop, now, health)) reportChange(proxy, hop, "calls met no answer");
      if (noteTime(hop, now, health)) reportChange(proxy, hop, "tried again");
      if (noteRested(hop, now, health)) reportChange(proxy, hop, "its Retry-After is over");
      if (!health.probes) return;
      if (hop.probe !== "" && now - hop.probedAt >= health.timeout && noteProbeMiss(hop, now, health))
        reportChange(proxy, hop, "OPTIONS met no answer");
      if (hop.probe !== "" || now < hop.nextProbe || sent >= MOST_PROBES) return;
      if (proxy.hops.isSpared(hop)) {
        postponeProbe(hop, now, health);
        return;
      }
      sent++;
      sendProbe(moment, listener, hop);
    });
  }
}

/**
 * Sends one OPTIONS. Every OPTIONS is a call of its own: its Call-ID, tag and branch come from one MAC, which nobody
 * else can make.
 */
function sendProbe({ proxy, now }: Moment, listener: Listener, hop: Destination): void {
  const mac = proxy.tags.mac("probe", `${hop.key}\n${now}`);
  hop.probe = mac;
  hop.probedAt = now;
  const host = bracketed(hop.address);
  const transport = hop.transport === "udp" ? "" : `;transport=${hop.transport}`;
  const uri = `sip:${host}:${hop.port}${transport}`;
  const text =
    `OPTIONS ${uri} SIP/2.0\r\n` +
    `Via: ${listener.via}${formatBranch(listener.index, mac)}\r\n` +
    "Max-Forwards: 70\r\n" +
    `From: <sip:${listener.sentBy}${transport}>;tag=${mac}\r\n` +
    `To: <${uri}>\r\n` +
    `Call-ID: ${mac}@${host}\r\n` +
    "CSeq: 1 OPTIONS\r\n" +
    `Contact: <sip:${listener.sentBy}${transport}>\r\n` +
    "Accept: application/sdp\r\n" +
    "Content-Length: 0\r\n\r\n";
  const length = proxy.output.bufferFor(listener).write(text, 0, "latin1");
  proxy.output.transmit(listener, hop.address, hop.port, length);
}

/**
 * Takes the answer to an OPTIONS of ours. Every status shows that the next hop is alive (a 404 or 405 too), with two
 * exceptions. 503 asks for no more requests. A proxy answers 408 when the server behind it does not answer.
 */
export function takeProbeAnswer(turn: ResponseTurn, hop: Destination): void {
  const { proxy, now, policy } = turn;
  const health = policy.nextHopHealth;
  const { status } = turn.message;
  if (status < 200) return;
  if (status === 503) heedRetryAfter(turn, hop);
  if (status === 503 || status === 408) {
    if (noteProbeMiss(hop, now, health)) reportChange(proxy, hop, `OPTIONS answered ${status}`);
  } else if (noteProbeAnswer(hop, now, health)) reportChange(proxy, hop, `OPTIONS answered ${status}`);
}

/**
 * Heeds the Retry-After of a 503 to an INVITE or OPTIONS: the server asks for no more requests for that time (RFC 3261
 * section 21.5.4).
 */
export function heedRetryAfter({ proxy, now, policy, message }: ResponseTurn, hop: Destination): void {
  const seconds = readRetryAfter(message);
  if (seconds === undefined || !noteRetryAfter(hop, seconds, now, policy.nextHopHealth)) return;
  const rest = Math.ceil((hop.restsUntil - now) / 1000);
  reportChange(proxy, hop, `answered 503 with Retry-After: no new calls for ${rest} s while another is up`);
}

/** Finds the next hop that an OPTIONS of ours asked, by the MAC of its branch, as long as it waits for the answer. */
export function probedBy({ hops }: ProxyState, mac: string): Destination | undefined {
  for (const hop of hops.destinations()) if (hop.probe === mac) return hop;
  return undefined;
}

/**
 * Takes back an OPTIONS that was not sent, if `bytes` are one. The hop is asked again at the latest time at which an
 * answer would have come.
 */
export function withdrawProbe(hop: Destination, bytes: Buffer, now: Millis, health: NextHopHealth): void {
  if (hop.probe === "" || !bytes.includes(hop.probe)) return;
  hop.probe = "";
  hop.nextProbe = now + health.timeout;
}

/** Reports that a next hop changed its state, to the table of next hops and to the sink. */
export function reportChange(proxy: ProxyState, hop: Destination, why: string): void {
  proxy.hops.changed();
  proxy.sink.nextHop?.(hop.key, hop.state, why);
}
