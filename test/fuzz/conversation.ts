import { Buffer } from "node:buffer";
import { header, headers, request, respond, type RequestParts, type Sent } from "../support/proxy.ts";
import { damage } from "./damage.ts";
import { fieldOf, readDraft, writeDraft } from "./draft.ts";
import { mutations, type Loot } from "./mutations.ts";
import type { Random } from "./random.ts";
import { corePeers, listedSpellings, peers, unlistedSpellings } from "./setting.ts";

/** One datagram of a session; a session can be played again from these alone. */
export interface Datagram {
  /** Milliseconds since the one before. */
  readonly after: number;
  /** "address:port". */
  readonly from: string;
  readonly bytes: Buffer;
}

/** Peers that talk through the proxy, mostly by the book: what they send follows from what they heard. */
export interface Conversation {
  next(): Datagram;
  /** What the proxy made of the last datagram. */
  hear(sent: readonly Sent[]): void;
}

/** How much is remembered for later messages. */
const MEMORY = 40;

const everybody = Object.values(peers);
const roamers = ["+8613800138000", "+442079460000"];
const people = [...listedSpellings, ...listedSpellings, ...unlistedSpellings];

/**
 * Makes a conversation whose every word follows from `random`.
 *
 * @param changes how many changes a message gets: one of these numbers
 */
export function createConversation(
  random: Random,
  corpus: readonly Buffer[],
  changes: readonly number[] = [0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 6],
): Conversation {
  const said: Datagram[] = [];
  const heard: Sent[] = [];
  const loot: { readonly [Name in keyof Loot]: string[] } = {
    tokens: [],
    branches: [],
    tags: [],
    fields: [],
  };
  let calls = 0;

  function remember<Item>(list: Item[], item: Item): void {
    if (list.push(item) > MEMORY) list.splice(random.below(list.length), 1);
  }

  /** A call that begins. */
  function call(from: string): string {
    calls++;
    const isCore = corePeers.has(from);
    const usual = from === peers.abroad ? roamers : listedSpellings;
    const user = random.once(4) ? random.pick(people) : random.pick(usual);
    const called = random.once(12) ? "110" : "02787654321";
    const parts: RequestParts = {
      method: from === peers.second && random.once(4) ? "MESSAGE" : "INVITE",
      uri: isCore ? `sip:01087654321@${random.pick([peers.lessee, peers.sixth])}` : `sip:${called}@192.0.2.1`,
      via: [`SIP/2.0/UDP ${from};branch=z9hG4bKc${calls}${random.pick(["", ";rport"])}`],
      from: `<sip:${user}@a.example>;tag=a${calls}`,
      to: "<sip:02787654321@192.0.2.1>",
      callId: `c${calls}@a`,
      headers: [
        `Contact: <sip:pbx@${from}>`,
        ...(random.once(3) ? [`P-Asserted-Identity: <sip:${user}@a.example>`] : []),
      ],
      body: random.once(2) ? "v=0\r\ns= \t\r\n" : "",
    };
    return request(parts);
  }

  /** A request inside a dialog, by what one of its ends heard of it. */
  function goOn({ to, text }: Sent): string {
    const isCaller = text.startsWith("SIP/2.0");
    const [from = "", other = ""] = isCaller
      ? [header(text, "From"), header(text, "To")]
      : [`${header(text, "To") ?? ""};tag=called`, header(text, "From")];
    const routes = headers(text, "Record-Route");
    const method = random.pick(["ACK", "BYE", "INVITE", "UPDATE", "PRACK", "INFO", "OPTIONS"]);
    return request({
      method,
      uri: `sip:x@${random.pick(everybody)}`,
      via: [`SIP/2.0/UDP ${to};branch=z9hG4bKd${random.below(1000)}`],
      from,
      to: other,
      callId: header(text, "Call-ID") ?? "",
      cseq: `${2 + random.below(3)} ${method}`,
      headers: [
        ...(isCaller ? routes.toReversed() : routes).map((route) => `Route: ${route}`),
        `Contact: <sip:x@${to}>`,
      ],
    });
  }

  /** CANCEL, or the ACK of a refusal, for an INVITE that was sent before. */
  function followUp({ bytes }: Datagram): string {
    const draft = readDraft(bytes);
    const method = random.pick(["CANCEL", "ACK"]);
    draft.start = draft.start.replace(/^\S+/, method);
    draft.fields = draft.fields.map((field) => field.replace(/(?<=^CSeq: \d+ )\S+/, method));
    draft.body = "";
    return writeDraft(draft).toString("latin1");
  }

  /** Who sends what, before anything is changed. */
  function speak(): readonly [from: string, text: string] {
    const from = random.once(3) ? random.pick(everybody) : peers.lessee;
    const last = heard.length > 0 ? random.pick(heard) : undefined;
    const mine = said.length > 0 ? random.pick(said) : undefined;
    const turn = random.below(20);
    if (turn < 2) return [from, random.pick(corpus).toString("latin1")];
    if (last !== undefined && turn < 7 && !last.text.startsWith("SIP/2.0"))
      return [
        last.to,
        respond(last.text, random.pick([100, 180, 183, 200, 200, 302, 487, 503]), {
          contact: `<sip:x@${last.to}>`,
        }),
      ];
    if (last !== undefined && turn < 12 && last.text.includes("Record-Route:")) return [last.to, goOn(last)];
    if (mine !== undefined && turn < 13)
      return [random.once(4) ? from : mine.from, mine.bytes.toString("latin1")];
    if (mine !== undefined && turn < 15) return [mine.from, followUp(mine)];
    if (last !== undefined && turn < 16) return [random.pick(everybody), last.text];
    return [from, call(from)];
  }

  function change(bytes: Buffer): Buffer {
    let out = bytes;
    for (let times = random.pick(changes); times > 0; times--) {
      if (random.once(6)) out = damage(out, random);
      else {
        const draft = readDraft(out);
        random.pick(mutations)(draft, random, loot);
        out = writeDraft(draft).subarray(0, 65_507);
      }
    }
    return out;
  }

  return {
    next() {
      const [from, text] = speak();
      const bytes = change(Buffer.from(text, "latin1"));
      const datagram = { after: random.pick([0, 0, 1, 20, 500, 4_000, 31_999]), from, bytes };
      remember(said, datagram);
      return datagram;
    },
    hear(sent) {
      for (const message of sent) {
        remember(heard, message);
        const draft = readDraft(message.bytes);
        for (const [list, pattern] of [
          ["tokens", /;sw=([^;>,\s]+)/],
          ["branches", /branch=([^;,\s]+)/],
          ["tags", /tag=([^;,\s]+)/],
        ] as const) {
          const found = pattern.exec(message.text)?.[1];
          if (found !== undefined) remember(loot[list], found);
        }
        if (fieldOf(draft, "from") !== "") remember(loot.fields, random.pick(draft.fields));
      }
    },
  };
}
