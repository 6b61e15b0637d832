import t from "tap";
import type { SipTransport } from "../../src/domain/trunk.ts";
import { header, headers, request, respond } from "../support/proxy.ts";
import { createStreamProxy, streamPolicy, type StreamProxy } from "../support/streams.ts";

const T1 = 500;
const T2 = 4000;
const LIFE = 64 * T1;

/** The generator of the same numbers for the same seed (mulberry32). */
function createDice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Something that a peer says again until it is told not to. */
interface Saying {
  readonly text: string;
  due: number;
  interval: number;
  readonly longest: number;
  readonly ends: number;
}

/** One call at both its ends, each a plain transaction user by RFC 3261 section 17 for its own transport. */
interface Call {
  readonly callerSays: Map<string, Saying>;
  readonly calledSays: Map<string, Saying>;
  /** What the called side answered to each request, by branch and method. */
  readonly answered: Map<string, string>;
  /** Final status of the INVITE at the caller; and of the BYE. */
  status: number;
  byeStatus: number;
  isAcknowledged: boolean;
  ringsUntil: number;
}

interface World {
  readonly ingress: SipTransport;
  readonly egress: SipTransport;
  readonly proxy: StreamProxy;
  readonly isLost: () => boolean;
}

const caller = { udp: "203.0.113.10:5070", tcp: "203.0.113.10:40001", tls: "203.0.113.10:40002" };
const core = { udp: "198.51.100.1:5060", tcp: "198.51.100.1:5060", tls: "198.51.100.1:5061" };

function saying(text: string, now: number, longest: number): Saying {
  return { text, due: now + T1, interval: T1, longest, ends: now + LIFE };
}

function methodOf(text: string): string {
  return (header(text, "CSeq") ?? "").split(" ")[1] ?? "";
}

function callIdOf(text: string): string {
  return header(text, "Call-ID") ?? "";
}

/** Places `count` calls through a proxy whose datagrams get lost, until all is over; returns the calls. */
function placeCalls(
  ingress: SipTransport,
  egress: SipTransport,
  count: number,
  loss: number,
  seed: number,
  answer: 200 | 486,
): { calls: ReadonlyMap<string, Call>; proxy: StreamProxy; lost: number } {
  const dice = createDice(seed);
  let lost = 0;
  const proxy = createStreamProxy(streamPolicy(egress));
  const isLost = (): boolean => {
    const is = dice() < loss;
    lost += is ? 1 : 0;
    return is;
  };
  const world: World = { ingress, egress, proxy, isLost };
  const calls = new Map<string, Call>();
  const begin = proxy.now;
  for (let i = 0; i < count; i++) {
    const callId = `call-${seed}-${i}`;
    const call: Call = {
      callerSays: new Map(),
      calledSays: new Map(),
      answered: new Map(),
      status: 0,
      byeStatus: 0,
      isAcknowledged: false,
      ringsUntil: 0,
    };
    calls.set(callId, call);
    const text = request({
      callId,
      via: [`SIP/2.0/${ingress.toUpperCase()} 203.0.113.10:5070;branch=z9hG4bK${callId}`],
      headers: ["Contact: <sip:pbx@203.0.113.10:5070>"],
    });
    if (ingress === "udp") call.callerSays.set("INVITE", saying(text, proxy.now, Infinity));
    say(world, calls, "caller", text, answer);
  }
  while (proxy.now < begin + 3 * LIFE) {
    deliver(world, calls, proxy.wait(100), answer);
    for (const call of calls.values()) {
      repeatDue(world, calls, "caller", call.callerSays, answer);
      repeatDue(world, calls, "called", call.calledSays, answer);
    }
  }
  return { calls, proxy, lost };
}

function repeatDue(
  world: World,
  calls: ReadonlyMap<string, Call>,
  side: "caller" | "called",
  sayings: Map<string, Saying>,
  answer: 200 | 486,
): void {
  const { now } = world.proxy;
  for (const [name, each] of sayings) {
    if (now >= each.ends) sayings.delete(name);
    else if (now >= each.due) {
      each.interval = Math.min(each.interval * 2, each.longest);
      each.due = now + each.interval;
      say(world, calls, side, each.text, answer);
    }
  }
}

/** A peer sends; datagrams may get lost. */
function say(
  world: World,
  calls: ReadonlyMap<string, Call>,
  side: "caller" | "called",
  text: string,
  answer: 200 | 486,
): void {
  const transport = side === "caller" ? world.ingress : world.egress;
  if (transport === "udp" && world.isLost()) return;
  const from = (side === "caller" ? caller : core)[transport];
  deliver(world, calls, world.proxy.receive(transport, from, text), answer);
}

function deliver(
  world: World,
  calls: ReadonlyMap<string, Call>,
  sent: readonly { readonly to: string; readonly listener: string; readonly text: string }[],
  answer: 200 | 486,
): void {
  for (const { to, listener, text } of sent) {
    if (listener.startsWith("udp:") && world.isLost()) continue;
    const call = calls.get(callIdOf(text));
    if (call === undefined) throw new Error(`a message of no call: ${text}`);
    if (to === core[world.egress]) hearCalled(world, calls, call, text, answer);
    else if (to === caller[world.ingress]) hearCaller(world, calls, call, text, answer);
    else throw new Error(`a message to ${to}`);
  }
}

function hearCalled(
  world: World,
  calls: ReadonlyMap<string, Call>,
  call: Call,
  text: string,
  answer: 200 | 486,
): void {
  const method = text.slice(0, text.indexOf(" "));
  if (method === "ACK") {
    call.isAcknowledged = true;
    call.calledSays.clear();
    return;
  }
  const key = `${header(text, "Via") ?? ""} ${method}`;
  const before = call.answered.get(key);
  if (before !== undefined) {
    say(world, calls, "called", before, answer);
    return;
  }
  const final = respond(text, method === "INVITE" ? answer : 200, { contact: "<sip:198.51.100.1:5060>" });
  call.answered.set(key, final);
  if (method === "INVITE" && (answer === 200 || world.egress === "udp"))
    call.calledSays.set("final", saying(final, world.proxy.now, T2));
  say(world, calls, "called", final, answer);
}

function hearCaller(
  world: World,
  calls: ReadonlyMap<string, Call>,
  call: Call,
  text: string,
  answer: 200 | 486,
): void {
  const status = Number(text.slice(8, 11));
  const method = methodOf(text);
  if (method === "BYE") {
    call.callerSays.delete("BYE");
    call.byeStatus = status;
    return;
  }
  call.callerSays.delete("INVITE");
  const isFirst = call.status === 0;
  // RFC 3261 section 17.1.1.2: over a stream timer D is zero, and a second refusal finds no transaction.
  if (!isFirst && status >= 300 && world.ingress !== "udp") return;
  call.status = status;
  const callId = callIdOf(text);
  const via = (branch: string): readonly string[] => [
    `SIP/2.0/${world.ingress.toUpperCase()} 203.0.113.10:5070;branch=z9hG4bK${callId}${branch}`,
  ];
  const parts = {
    callId,
    to: header(text, "To") ?? "",
    headers: headers(text, "Record-Route")
      .toReversed()
      .map((value) => `Route: ${value}`),
  };
  if (status >= 300) {
    say(
      world,
      calls,
      "caller",
      request({ ...parts, headers: [], method: "ACK", cseq: "1 ACK", via: via("") }),
      answer,
    );
    return;
  }
  say(world, calls, "caller", request({ ...parts, method: "ACK", cseq: "1 ACK", via: via("ack") }), answer);
  if (!isFirst) return;
  const bye = request({ ...parts, method: "BYE", cseq: "2 BYE", via: via("bye") });
  if (world.ingress === "udp") call.callerSays.set("BYE", saying(bye, world.proxy.now, T2));
  say(world, calls, "caller", bye, answer);
}

const COUNT = 300;

void t.test("datagrams get lost on the way to or from the filter: no call does", async (t) => {
  for (const [ingress, egress] of [
    ["tcp", "udp"],
    ["tls", "udp"],
    ["udp", "tcp"],
    ["udp", "tls"],
  ] as const) {
    for (const answer of [200, 486] as const) {
      const { calls, proxy, lost } = placeCalls(ingress, egress, COUNT, 0.2, 7, answer);
      const name = `${ingress} to ${egress}, ${answer}`;
      t.ok(lost > COUNT / 2, `${name}: ${lost} datagrams were lost`);
      const all = [...calls.values()];
      t.equal(
        all.filter(({ status }) => status === answer).length,
        COUNT,
        `${name}: every INVITE got its answer`,
      );
      t.equal(all.filter(({ isAcknowledged }) => isAcknowledged).length, COUNT, "and every answer its ACK");
      if (answer === 200)
        t.equal(all.filter(({ byeStatus }) => byeStatus === 200).length, COUNT, "and every BYE");
      t.ok(
        all.every(({ answered }) => answered.size === (answer === 200 ? 2 : 1)),
        "the called side saw each request as one transaction",
      );
      t.equal(proxy.decisions.length, COUNT, "each call was judged once");
      t.same(proxy.faults, []);
    }
  }
});
