import { createHash } from "node:crypto";
import type { Buffer } from "node:buffer";
import type { Decision } from "../../../src/domain/decision.ts";
import { everyListener, splitAddress, type StreamProxy } from "../../support/streams.ts";
import type { Sent } from "../../support/proxy.ts";
import { fieldOf, readDraft, splitField, type Draft } from "../draft.ts";
import { readCallers } from "../second-reader.ts";
import { isListed, lesseePeers, peers } from "../setting.ts";
import { findMalformation, foldToken, isOfCalledParty, isResponse } from "../wire.ts";

/**
 * Watches what leaves, whatever it was that made it leave: one message may lead to several, and time alone to others. What every
 * message does to the next is the other campaign's; here it is that nothing unjudged leaves, over any transport or detour.
 */
export interface StreamReferee {
  /** A message as the proxy gets it. */
  hear(from: string, message: Buffer): void;
  decide(decision: Decision, message: Uint8Array): void;
  /** What is wrong with what was sent. */
  judge(proxy: StreamProxy, sent: readonly Sent[]): string | undefined;
}

/** The fields that the filter has its own lines in (RFC 3261 sections 16.6 and 18.3). */
const rewritten = new Set([
  "via",
  "max-forwards",
  "record-route",
  "route",
  "p-sigwall-label",
  "content-length",
]);
const ownHosts = new Set(everyListener.map(({ sentBy }) => sentBy));
const coreHosts = new Set(["198.51.100.1", "198.51.100.2", "198.51.100.3", "2001:db8::c"]);
const trunkHosts = new Set(
  Object.values(peers)
    .map((peer) => splitAddress(peer).address)
    .filter((host) => host !== splitAddress(peers.stranger).address),
);
const lesseeHosts = new Set([...lesseePeers].map((peer) => splitAddress(peer).address));

export function createStreamReferee(): StreamReferee {
  /** Accepted requests by what must not change on the way, with the reason. */
  const accepted = new Map<string, string>();
  /** Every message that is no response, without what we add to a Via, and the host that it came from. */
  const said: { readonly host: string; readonly text: string }[] = [];
  /** Call-IDs by the tokens that were written for them. */
  const tokens = new Map<string, string>();

  /** Hosts that have sent a request with this Via field. Whatever it holds, it comes back as it was. */
  function sendersOf(via: string): readonly string[] {
    const value = withoutOurParams(via.slice(via.indexOf(":") + 1).trim());
    // A next hop may have added to it in its answer, or another Via behind a comma: to all but the branch, which ours proves.
    const [first = value] = value.split(",");
    const branch = /;branch=[^;]+/i.exec(first)?.[0] ?? first;
    return said.filter(({ text }) => text.includes(value) || text.includes(branch)).map(({ host }) => host);
  }

  function judgeRequest(out: Sent, draft: Draft): string | undefined {
    const [method = ""] = draft.start.split(" ");
    const [own = "", theirs] = draft.fields.filter((field) => splitField(field)[0] === "via");
    if (!ownHosts.has(/^Via: SIP\/2\.0\/(?:UDP|TCP|TLS) (\S+);branch=z9hG4bKsw/.exec(own)?.[1] ?? ""))
      return `no Via of ours: ${own}`;
    if (theirs === undefined)
      return ["OPTIONS", "ACK", "CANCEL"].includes(method) ? undefined : `unjudged: a ${method} of nobody's`;
    const callId = fieldOf(draft, "call-id");
    const isInDialog = /;\s*tag\s*=/i.test(fieldOf(draft, "to"));
    const hosts = sendersOf(theirs);
    if (hosts.length === 0) return `unjudged: a ${method} that nobody sent`;
    const isOfCore = hosts.some((host) => coreHosts.has(host));
    const carried = [...out.text.matchAll(/^Record-Route: <[^>]*;sw=([^>]*)>\r$/gm)];
    for (const [, token = ""] of carried) if (!tokens.has(token)) tokens.set(token, callId);
    if (isOfCore || method === "ACK" || method === "CANCEL") return undefined;
    if (isInDialog)
      return spokenFor.has(callId) ? undefined : `unjudged: ${method} in a dialog without a token`;
    const reason = accepted.get(essenceOf(draft));
    if (reason === undefined) return `unjudged: ${method} that nobody accepted`;
    if (carried.length === 0) return `${method} without our Record-Route`;
    if (fieldOf(draft, "route") !== "") return "unjudged: a Route of the sender's choice";
    if (reason === "emergency" || !hosts.every((host) => lesseeHosts.has(host))) return undefined;
    const foreign = readCallers(draft).find((caller) => !isListed(caller));
    return foreign === undefined ? undefined : `unjudged: caller ${foreign} on a lessee's trunk`;
  }

  /** Call-IDs under which somebody has shown a token that was written for them. */
  const spokenFor = new Set<string>();

  return {
    hear(from, message) {
      const draft = readDraft(bytesOf(message));
      if (isResponse(draft)) return;
      const text = message.toString("latin1");
      // Fields go on unfolded.
      const unfolded = text.replaceAll(/\r\n[ \t]+/g, " ");
      said.push({ host: splitAddress(from).address, text: withoutOurParams(unfolded) });
      const callId = fieldOf(draft, "call-id");
      for (const [, shown = ""] of text.matchAll(/;\s*sw\s*=\s*([^;>,\s]+)/gi))
        for (const [written, id] of tokens)
          if (id === callId && foldToken(shown).startsWith(written)) spokenFor.add(callId);
    },
    decide({ verdict }, message) {
      if (verdict.kind !== "reject" && verdict.kind !== "drop")
        accepted.set(essenceOf(readDraft(bytesOf(message))), verdict.reason);
    },
    judge(proxy, sent) {
      if (proxy.faults.length > 0) return `fault: ${String(proxy.faults[0])}`;
      if (proxy.counters.trunks.size > 7) return "unbounded: trunks that are none";
      if (sent.length > 60) return `a flood: ${sent.length} messages for one`;
      for (const out of sent) {
        const { address } = splitAddress(out.to);
        if (!trunkHosts.has(address) && !coreHosts.has(address)) return `to a stranger: ${out.to}`;
        const draft = readDraft(out.bytes);
        const malformed = findMalformation(out, draft, isResponse(draft));
        if (malformed !== undefined) return `unreadable: ${malformed}`;
        // Nothing else ends a message on a stream (RFC 3261 section 18.3).
        if (!out.listener.startsWith("udp:") && fieldOf(draft, "content-length") === "")
          return `a message without Content-Length on a stream`;
        const wrong = isResponse(draft) ? judgeResponse(out, draft) : judgeRequest(out, draft);
        if (wrong !== undefined) return `${wrong}, to ${out.to}`;
      }
      return undefined;
    },
  };

  /** A response goes to a host that asked. */
  function judgeResponse({ to }: Sent, draft: Draft): string | undefined {
    const via = draft.fields.find((field) => splitField(field)[0] === "via") ?? "";
    // What is too broken to be read has a 400, whose Via need not be found in what was said.
    if (draft.start.startsWith("SIP/2.0 400 Bad Request"))
      return said.some(({ host }) => host === splitAddress(to).address)
        ? undefined
        : `stray: ${draft.start} for nobody`;
    return sendersOf(via).includes(splitAddress(to).address)
      ? undefined
      : `stray: ${draft.start} for nobody's request`;
  }
}

/** Without `received` and `rport` (RFC 3261 section 18.2.1, RFC 3581), and what an answer of ours leaves out of a field: white space and control bytes; in lower case. */
function withoutOurParams(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^!-~]/g, "")
    .replaceAll(/;(?:rport|received)(?:=[\w.:[\]]*)?(?=[;,]|$)/gi, "");
}

/** Everything that a proxy leaves as it is, the Request-URI included. */
function essenceOf({ start, fields, body }: Draft): string {
  const length = fieldOf({ start, fields, body }, "content-length");
  const kept = fields.filter((field) => {
    const name = splitField(field)[0];
    return !rewritten.has(name) && !isOfCalledParty(fields, name);
  });
  const text = [start, ...kept, body.slice(0, length === "" ? undefined : Number(length))].join("\r\n");
  return createHash("sha256").update(text, "latin1").digest("base64");
}

/** Without the line breaks that may stand before a message. */
function bytesOf(message: Uint8Array): Buffer {
  const bytes = globalThis.Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  let start = 0;
  while (bytes[start] === 13 && bytes[start + 1] === 10) start += 2;
  return bytes.subarray(start);
}
