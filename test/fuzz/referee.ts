import { createHash } from "node:crypto";
import type { Decision } from "../../src/domain/decision.ts";
import type { Sent, TestProxy } from "../support/proxy.ts";
import type { Datagram } from "./conversation.ts";
import { fieldOf, readDraft, type Draft } from "./draft.ts";
import { claimsIsup, readIsupCallers } from "./isup-reader.ts";
import { isHidden, readCallers } from "./second-reader.ts";
import { corePeers, isListed, lesseePeers, peers } from "./setting.ts";
import { findChange, findMalformation, foldToken, isAnonymous, isResponse } from "./wire.ts";

/** What must not happen. The kind is what a smaller session must still show. */
export interface Complaint {
  readonly kind: string;
  readonly detail: string;
}

/** Watches a proxy from outside: everything it says follows from the datagrams alone, read by other code than the proxy's. */
export interface Referee {
  /** What is wrong with what the proxy did about one datagram. */
  judge(datagram: Datagram, sent: readonly Sent[], decisions: readonly Decision[]): Complaint | undefined;
}

const hosts = new Set(Object.values(peers).map(hostOf));

function hostOf(peer: string): string {
  return peer.slice(0, peer.lastIndexOf(":"));
}

/** Trunks are told by addresses here, whatever the port. */
function isFrom(group: ReadonlySet<string>, { from }: Pick<Datagram, "from">): boolean {
  for (const peer of group) if (hostOf(peer) === hostOf(from)) return true;
  return false;
}

/** True for another port of the peer that was asked, and for another node of the core. */
function isSamePeer(asked: string, answering: string): boolean {
  if (hostOf(asked) === hostOf(answering)) return true;
  return isFrom(corePeers, { from: asked }) && isFrom(corePeers, { from: answering });
}

/** A request that left, by its branch. */
interface Passage {
  readonly from: string;
  readonly to: string;
}

/** A call for which a token was written. */
interface CallOfToken {
  readonly callId: string;
  /** Where its INVITE came from. */
  readonly from: string;
  /** Of an emergency call, which nobody judged: whom its INVITE named as forwarded. */
  readonly unjudged: readonly string[] | undefined;
}

/** What a referee has seen. A smaller session is judged with the memory of the whole one: tokens prove themselves, wherever they come from. */
export interface Memory {
  /** Accepted requests by source and bytes, with the reason, or `withheld`. */
  readonly accepted: Map<string, string>;
  readonly passages: Map<string, Passage>;
  /** The calls for which tokens were written. */
  readonly tokens: Map<string, CallOfToken>;
  /** Numbers that the core called behind trunks: whoever answers there may show them (RFC 4916). */
  readonly calledNumbers: Set<string>;
}

export function createMemory(): Memory {
  return { accepted: new Map(), passages: new Map(), tokens: new Map(), calledNumbers: new Set() };
}

export function createReferee(
  proxy: TestProxy,
  { accepted, passages, tokens, calledNumbers }: Memory,
): Referee {
  function judge(
    datagram: Datagram,
    sent: readonly Sent[],
    decisions: readonly Decision[],
  ): string | undefined {
    if (proxy.faults.length > 0) return `fault: ${String(proxy.faults[0])}`;
    if (proxy.counters.trunks.size > proxy.policy.trunks.length + 1) return "unbounded: trunks that are none";
    const incoming = readDraft(withoutLeadingLines(datagram.bytes));
    const [decision] = decisions;
    if (decisions.length > 1) return "decided twice";
    if (decision !== undefined && decision.verdict.kind !== "reject" && decision.verdict.kind !== "drop")
      accepted.set(
        keyOf(datagram, incoming),
        decision.verdict.kind === "withhold" ? "withheld" : decision.verdict.reason,
      );
    const [out] = sent;
    if (out === undefined) return undefined;
    if (sent.length > 1) return "more than one datagram for one";
    if (!hosts.has(hostOf(out.to))) return `to a stranger: ${out.to}`;
    if (hostOf(datagram.from) === hostOf(peers.stranger)) return "an answer to a stranger";
    const draft = readDraft(out.bytes);
    // A question without From is answered, without From (RFC 4475 section 3.3.1).
    const isAnswer = isResponse(draft) && !isResponse(incoming);
    const malformed = findMalformation(out, draft, isAnswer);
    if (malformed !== undefined) return `unreadable: ${malformed}`;
    if (!isResponse(draft)) return judgeRequest(datagram, incoming, out, draft);
    return isAnswer
      ? judgeAnswer(datagram, incoming, out, draft)
      : judgeRelayed(datagram, incoming, out, draft);
  }

  function judgeRequest(datagram: Datagram, incoming: Draft, out: Sent, draft: Draft): string | undefined {
    const [method = ""] = draft.start.split(" ");
    const isInDialog = /;\s*tag\s*=/i.test(fieldOf(draft, "to"));
    // Only the core chooses targets; in a dialog, a strict router may stand before us (RFC 3261 section 16.4).
    const mayReroute = isInDialog || method === "ACK" || isFrom(corePeers, datagram);
    const changed = findChange(incoming, draft, mayReroute);
    if (changed !== undefined) return `changed on the way: ${changed}`;
    const branch = /branch=([^;,\s]+)/.exec(fieldOf(draft, "via"))?.[1] ?? "";
    passages.set(branch, { from: datagram.from, to: out.to });
    const callId = fieldOf(draft, "call-id");
    const isEmergency = !isInDialog && accepted.get(keyOf(datagram, incoming)) === "emergency";
    const call = { callId, from: datagram.from, unjudged: isEmergency ? callersOf(draft) : undefined };
    for (const [, token = ""] of out.text.matchAll(/^Record-Route: <[^>]*;sw=([^>]*)>\r$/gm))
      if (!tokens.has(token)) tokens.set(token, call);
    if (isFrom(corePeers, datagram)) {
      for (const name of ["to", "p-called-party-id"])
        for (const digits of readCallers({ start: "", fields: [`From: ${fieldOf(draft, name)}`], body: "" }))
          calledNumbers.add(digits);
      for (const digits of readCallers({
        start: "",
        fields: [`From: <${draft.start.split(" ")[1] ?? ""}>`],
        body: "",
      }))
        calledNumbers.add(digits);
      return undefined;
    }
    const isJudged =
      method === "INVITE" || (method === "MESSAGE" && hostOf(datagram.from) === hostOf(peers.second));
    if (!isInDialog && !isJudged && method !== "ACK" && method !== "CANCEL")
      return `unjudged: ${method} without a dialog`;
    const proved = isInDialog ? provedBy(incoming, callId) : undefined;
    if (isInDialog && method !== "ACK" && method !== "CANCEL" && proved === undefined)
      return `unjudged: ${method} without a token of this call`;
    if (!isInDialog && method !== "ACK" && fieldOf(draft, "route") !== "")
      return "unjudged: a Route of the sender's choice";
    let reason: string | undefined;
    if (isJudged && !isInDialog) {
      reason = accepted.get(keyOf(datagram, incoming));
      if (reason === undefined) return `unjudged: ${method} that nobody accepted`;
      if (reason === "withheld" && !isAnonymous(draft)) return "unjudged: a number to be withheld";
    }
    if (!isJudged && method !== "UPDATE") return undefined;
    if (proved?.unjudged !== undefined && hostOf(proved.from) === hostOf(datagram.from)) {
      const { unjudged } = proved;
      const stranger = callersOf(draft).find((caller) => !unjudged.includes(caller) && !isListed(caller));
      return stranger === undefined ? undefined : `unjudged: caller ${stranger} in an emergency call`;
    }
    // The called side of a call that the core began may hide itself.
    const isCalled = proved !== undefined && isFrom(corePeers, proved);
    return judgeCaller(datagram, draft, reason, isCalled);
  }

  function provedBy(incoming: Draft, callId: string): CallOfToken | undefined {
    // A strict router puts Route into the Request-URI (RFC 3261 section 16.4). Tokens in other fields prove nothing.
    const routes = incoming.fields.filter((field) => /^route\s*:/i.test(field));
    const text = [incoming.start, ...routes].join("\n");
    // Answers add a confirmation at the end of a token.
    for (const [, token = ""] of text.matchAll(/;\s*sw\s*=\s*([^;>,\s]+)/gi)) {
      for (const [written, call] of tokens)
        if (call.callId === callId && foldToken(token).startsWith(written)) return call;
    }
    return undefined;
  }

  /** By other readers than ours, the emitted message shows no caller that the trunk may not have. */
  function judgeCaller(
    datagram: Datagram,
    draft: Draft,
    reason: string | undefined,
    mayHide: boolean,
  ): string | undefined {
    if (reason === "emergency") {
      const called = draft.start.split(" ")[1] ?? "";
      return /^(?:urn:service:sos|(?:sips?|tel):[^@]*1\d\d)/i.test(called)
        ? undefined
        : `unjudged: ${called} is no emergency`;
    }
    const isup = claimsIsup(draft) ? readIsupCallers(draft) : [];
    if (isup === undefined) return "unjudged: ISUP that is no IAM";
    const isRead = isFrom(lesseePeers, datagram) || hostOf(datagram.from) === hostOf(peers.abroad);
    const carried = isRead ? unreadType(draft) : undefined;
    if (carried !== undefined) return `unjudged: a body of type ${carried}`;
    const hides = isHidden(draft) || isup.some((caller) => caller.isHidden);
    if (hides && !mayHide && isFrom(lesseePeers, datagram)) return "unjudged: a hidden caller";
    for (const caller of [...readCallers(draft), ...isup.map(({ digits }) => digits)]) {
      if (calledNumbers.has(caller)) continue;
      if (isFrom(lesseePeers, datagram) && !isListed(caller))
        return `unjudged: caller ${caller} on a lessee's trunk`;
      if (hostOf(datagram.from) === hostOf(peers.abroad) && /^(?:\+|00)86/.test(caller))
        return `unjudged: caller ${caller} from abroad`;
    }
    return undefined;
  }

  /** A response of somebody's goes back where its request came from, and only from where that went. */
  function judgeRelayed(datagram: Datagram, incoming: Draft, out: Sent, draft: Draft): string | undefined {
    const passage = passages.get(/;\s*branch\s*=\s*([^;,\s]+)/i.exec(fieldOf(incoming, "via"))?.[1] ?? "");
    if (passage === undefined) return "stray: a response to nothing of ours";
    if (!isSamePeer(passage.to, datagram.from)) return "stray: a response from elsewhere";
    if (hostOf(passage.from) !== hostOf(out.to)) return `stray: a response to ${out.to}`;
    if (!incoming.body.startsWith(draft.body)) return "changed on the way: the body of a response";
    return draft.start === incoming.start ? undefined : "changed on the way: a status line";
  }

  return {
    judge(datagram, sent, decisions) {
      const said = judge(datagram, sent, decisions);
      if (said === undefined) return undefined;
      const kind = said.split(":", 1)[0] ?? said;
      return { kind, detail: said };
    },
  };
}

/** An answer of the proxy's own: to the one who asked, about what was asked. */
function judgeAnswer(datagram: Datagram, incoming: Draft, out: Sent, draft: Draft): string | undefined {
  if (hostOf(out.to) !== hostOf(datagram.from)) return "an answer to somebody else";
  if (incoming.start.startsWith("ACK ")) return "an ACK was answered";
  if (out.bytes.length > datagram.bytes.length + 600) return "an answer much larger than its question";
  const asked = unfold(datagram.bytes.toString("latin1"));
  for (const name of ["call-id", "cseq", "from"]) {
    if (!asked.includes(unfold(fieldOf(draft, name)))) return `an answer with another ${name}`;
  }
  return undefined;
}

function unfold(value: string): string {
  return value.replaceAll(/[\0-\x20\x7f]+/g, " ");
}

/** The type of the whole body, where a gateway could take a caller from it and nobody has read it. */
function unreadType(draft: Draft): string | undefined {
  const type = fieldOf(draft, "content-type").split(";", 1)[0]?.replaceAll(/\s+/g, "").toLowerCase() ?? "";
  if (draft.body === "" || type === "" || type.startsWith("multipart/")) return undefined;
  return /^(?:application\/(?:sdp|(?:x-)?isup|dtmf(?:-relay)?|pidf\+xml)|text\/(?:plain|html))$/.test(type)
    ? undefined
    : type;
}

/** Whom a message names as its sender, by another reader than ours. */
function callersOf(draft: Draft): readonly string[] {
  const isup = claimsIsup(draft) ? (readIsupCallers(draft) ?? []) : [];
  return [...readCallers(draft), ...isup.map(({ digits }) => digits)];
}

/** Source, and the message without what lies behind its Content-Length. */
function keyOf(datagram: Datagram, { start, fields, body }: Draft): string {
  const length = fieldOf({ start, fields, body }, "content-length");
  const text = [start, ...fields, body.slice(0, length === "" ? undefined : Number(length))].join("\r\n");
  return `${datagram.from} ${createHash("sha256").update(text, "latin1").digest("base64")}`;
}

function withoutLeadingLines(bytes: Buffer): Buffer {
  let start = 0;
  while (bytes[start] === 13 && bytes[start + 1] === 10) start += 2;
  return bytes.subarray(start);
}
