import { decisionIn, naming } from "./events.ts";
import { Buffer } from "node:buffer";
import type { Policy } from "../../src/policy/policy.ts";
import type { ReleaseCount } from "../../src/calls/release.ts";
import type { Decision } from "../../src/domain/decision.ts";
import type { SipTransport } from "../../src/domain/trunk.ts";
import { createCounters, type Counters } from "../../src/observe/counters.ts";
import { createListener, type Listener } from "../../src/routing/listener.ts";
import { createSipProxy, type SipProxy } from "../../src/proxy/sip-proxy.ts";
import { createScreeningState } from "../../src/screening/state.ts";
import { createKeyedTags } from "../../src/sip/tag.ts";
import { compileText, type Sent } from "./proxy.ts";

/** The filter listens on every transport and family (RFC 5737, RFC 3849). */
export const everyListener: readonly Listener[] = [
  createListener("udp:192.0.2.1:5060", 0, "udp", "192.0.2.1", 5060),
  createListener("tcp:192.0.2.1:5060", 1, "tcp", "192.0.2.1", 5060),
  createListener("tls:192.0.2.1:5061", 2, "tls", "192.0.2.1", 5061),
  createListener("udp:[2001:db8::1]:5060", 3, "udp", "2001:db8::1", 5060),
  createListener("tcp:[2001:db8::1]:5060", 4, "tcp", "2001:db8::1", 5060),
  createListener("tls:[2001:db8::1]:5061", 5, "tls", "2001:db8::1", 5061),
];

/** A lessee on any transport, and one that is known by its certificate; calls go to `core` by `transport`. */
export function streamPolicy(transport: SipTransport, more = ""): Policy {
  const to = `sip:198.51.100.1:${transport === "tls" ? 5061 : 5060};transport=${transport}`;
  return compileText(`
version: 1
home: { country: "86" }
timeZone: Asia/Shanghai
trunks:
  - { id: core, side: core, match: { addresses: [198.51.100.1, "2001:db8::c"] } }
  - { id: lease, side: lessee, match: { addresses: [203.0.113.10, "2001:db8::10"] }, lessee: bank, areaCode: "10", nextHops: ["${to}"]${more} }
  - { id: named, side: lessee, match: { addresses: [203.0.113.0/24], tlsName: pbx.example }, lessee: bank, areaCode: "10", nextHops: ["${to}"] }
lessees:
  - { id: bank, name: Bank, contract: HT-1, numbers: bank.csv }
nextHopHealth: { probe: off }
`);
}

/** A message on the wire: from where, on which listener. */
export interface StreamProxy {
  readonly proxy: SipProxy;
  readonly counters: Counters;
  readonly decisions: Decision[];
  readonly faults: unknown[];
  /** Open connections by `listener address:port`, with the names of the peer. */
  readonly connections: Map<string, readonly string[]>;
  now: number;
  /** Everything the proxy has sent since the last call. */
  take(): Sent[];
  /** Releases the calls of a trunk; returns what was sent, and the count as it stands when asked. */
  release(trunk: string): { readonly sent: Sent[]; readonly count: () => ReleaseCount };
  /** Hands the proxy a message that came by `transport` from "address:port"; returns what it sent. A stream from there is open from then on. */
  receive(transport: SipTransport, from: string, message: string): Sent[];
  /** Lets time pass in steps of the engine's; returns what was sent. */
  wait(milliseconds: number): Sent[];
}

/** `policy`: one, or a function that says which is in force. */
export function createStreamProxy(
  policy: Policy | (() => Policy),
  options: {
    transactions?: number;
    failovers?: number;
    ledger?: number;
    /** Told of every decision, with the bytes it is about. */
    decided?: (decision: Decision, message: Uint8Array) => void;
    /** What a socket does that fails: throws. */
    sending?: (to: string) => void;
  } = {},
): StreamProxy {
  let sent: Sent[] = [];
  const counters = createCounters();
  const decisions: Decision[] = [];
  const faults: unknown[] = [];
  const connections = new Map<string, readonly string[]>();
  const inForce = typeof policy === "function" ? policy : () => policy;
  const proxy = createSipProxy({
    policy: inForce,
    listeners: everyListener,
    tags: createKeyedTags(Buffer.from("0123456789abcdef")),
    state: createScreeningState(inForce().tables),
    counters,
    elapsed: () => 0,
    ledgerSize: options.ledger ?? 10_000,
    callBytes: 1_000_000,
    failoverSize: options.failovers ?? 10_000,
    transactionsSize: options.transactions ?? 10_000,
    naming,
    sink: {
      send(listener, address, port, bytes, length) {
        const copy = Buffer.from(bytes.subarray(0, length));
        const to = joinAddress(address, port);
        options.sending?.(to);
        sent.push({ listener: listener.id, to, bytes: copy, text: copy.toString("latin1") });
        return true;
      },
      namesOf: (listener, address, port) => connections.get(`${listener.id} ${joinAddress(address, port)}`),
      happened(event) {
        const decision = decisionIn(event);
        if (decision === undefined) return;
        decisions.push(decision);
        if ("bytes" in event && event.bytes !== undefined) options.decided?.(decision, event.bytes);
      },
      fault: (error) => faults.push(error),
    },
  });
  const take = (): Sent[] => {
    const all = sent;
    sent = [];
    return all;
  };
  const test: StreamProxy = {
    proxy,
    counters,
    decisions,
    faults,
    connections,
    now: Date.UTC(2026, 9, 3, 8, 0, 0),
    take,
    release(trunk) {
      const work = proxy.release(new Set([trunk]));
      while (!work.step(test.now));
      return { sent: take(), count: () => work.count() };
    },
    receive(transport, from, message) {
      const { address, port } = splitAddress(from);
      const listener = listenerFor(transport, address);
      const key = `${listener.id} ${from}`;
      if (transport !== "udp" && !connections.has(key)) connections.set(key, []);
      proxy.handle(test.now, listener, address, port, Buffer.from(message, "latin1"), connections.get(key));
      return take();
    },
    wait(milliseconds) {
      const end = test.now + milliseconds;
      while (test.now < end) {
        test.now = Math.min(end, test.now + 100);
        proxy.tick(test.now);
      }
      return take();
    },
  };
  return test;
}

/** The listener of a transport and of the family of `address`. */
export function listenerFor(transport: SipTransport, address: string): Listener {
  const family = address.includes(":") ? 6 : 4;
  const listener = everyListener.find((each) => each.transport === transport && each.family === family);
  if (listener === undefined) throw new Error("no listener");
  return listener;
}

export function joinAddress(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

export function splitAddress(text: string): { readonly address: string; readonly port: number } {
  const colon = text.lastIndexOf(":");
  return {
    address: text.slice(0, colon).replace("[", "").replace("]", ""),
    port: Number(text.slice(colon + 1)),
  };
}
