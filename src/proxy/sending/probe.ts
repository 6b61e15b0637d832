import { bracketed } from "../../net/endpoint.ts";
import type { Buffer } from "node:buffer";
import type { Millis } from "../../domain/time.ts";
import type { NextHopHealth } from "../../policy/policy.ts";
import { formatBranch } from "../../sip/tag.ts";
import {
  type Destination,
  noteProbeAnswer,
  noteProbeMiss,
  noteSilence,
  noteTime,
} from "../../routing/hop-health.ts";
import type { Listener } from "../../routing/listener.ts";
import { guard, type Relay } from "../turn/proxy-state.ts";
import { outputFor, transmit } from "../turn/output.ts";

/** OPTIONS sent in one tick; the rest go with the next one. */
const MOST_PROBES = 100;

/** Counts what stayed silent, and asks those whose time has come. */
export function probeNextHops(relay: Relay): void {
  const { now, policy } = relay;
  const health = policy.nextHopHealth;
  let sent = 0;
  for (const hop of relay.hops.destinations) {
    const { listener } = hop;
    if (listener === undefined) continue;
    guard(relay, () => {
      if (noteSilence(hop, now, health)) reportChange(relay, hop, "calls met no answer");
      if (noteTime(hop, now, health)) reportChange(relay, hop, "tried again");
      if (!health.probes) return;
      if (hop.probe !== "" && now - hop.probedAt >= health.timeout && noteProbeMiss(hop, now, health))
        reportChange(relay, hop, "OPTIONS met no answer");
      if (hop.probe !== "" || now < hop.nextProbe || sent >= MOST_PROBES) return;
      sent++;
      sendProbe(relay, listener, hop);
    });
  }
}

/** Every OPTIONS is a call of its own: its Call-ID, tag and branch come from one MAC, which nobody else can make. */
function sendProbe(relay: Relay, listener: Listener, hop: Destination): void {
  const { now } = relay;
  const mac = relay.tags.mac("probe", `${hop.key}\n${now}`);
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
  const length = outputFor(relay, listener).write(text, 0, "latin1");
  transmit(relay, listener, hop.address, hop.port, length);
}

/**
 * Takes the answer to an OPTIONS of ours. Any says that something lives there (a 404 or 405 too), but 503, which asks for no
 * more requests, and 408, which a proxy says for what is dead behind it. False: nobody asked.
 */
export function takeProbeAnswer(relay: Relay, hop: Destination, mac: string): boolean {
  const { now, policy } = relay;
  const health = policy.nextHopHealth;
  if (hop.probe === "" || hop.probe !== mac) return false;
  const { status } = relay.message;
  if (status < 200) return true;
  if (status === 503 || status === 408) {
    if (noteProbeMiss(hop, now, health)) reportChange(relay, hop, `OPTIONS answered ${status}`);
  } else if (noteProbeAnswer(hop, now, health)) reportChange(relay, hop, `OPTIONS answered ${status}`);
  return true;
}

/** Takes back an OPTIONS that was not sent, if `bytes` are one: the hop is asked again, when an answer would have come at the latest. */
export function withdrawProbe(hop: Destination, bytes: Buffer, now: Millis, health: NextHopHealth): void {
  if (hop.probe === "" || !bytes.includes(hop.probe)) return;
  hop.probe = "";
  hop.nextProbe = now + health.timeout;
}

/** Tells who watches the next hops. */
export function reportChange(relay: Relay, hop: Destination, why: string): void {
  relay.hops.changed();
  relay.sink.nextHop?.(hop.key, hop.state, why);
}
