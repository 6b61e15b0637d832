import { keepDecisions, naming } from "./events.ts";
import { Buffer } from "node:buffer";
import type { HostPort } from "../../src/net/host.ts";
import type { Policy } from "../../src/policy/policy.ts";
import type { ReleaseCount } from "../../src/calls/release.ts";
import type { CallEvent, CallNaming } from "../../src/domain/call.ts";
import type { Decision } from "../../src/domain/decision.ts";
import { type Counters, createCounters } from "../../src/observe/counters.ts";
import { createListener, type Listener } from "../../src/routing/listener.ts";
import type { NextHopStatus, ResolvedAddress } from "../../src/routing/next-hops.ts";
import { createSipProxy, type SipProxy } from "../../src/proxy/sip-proxy.ts";
import type { OrdinaryTally } from "../../src/proxy/turn/proxy-state.ts";
import type { SharedMemory } from "../../src/proxy/memory/shared-memory.ts";
import type { EvidenceWait } from "../../src/judging/held-refusals.ts";
import { createScreeningState, type ScreeningState } from "../../src/screening/state.ts";
import { createKeyedTags } from "../../src/sip/tag.ts";
import { loadPolicy } from "../../src/config/load-policy.ts";

/** A datagram that the proxy sent. */
export interface Sent {
  readonly listener: string;
  readonly to: string;
  readonly bytes: Buffer;
  readonly text: string;
}

/** Documentation addresses (RFC 5737, RFC 3849): the filter listens on one of each family. */
export const listeners: readonly Listener[] = [
  createListener("udp:192.0.2.1:5060", 0, "udp", "192.0.2.1", 5060),
  createListener("udp:[2001:db8::1]:5060", 1, "udp", "2001:db8::1", 5060),
];

/** Who is where in {@link basicPolicy}. */
export const peers = {
  core: "198.51.100.1:5060",
  core6: "[2001:db8::c]:5060",
  lessee: "203.0.113.10:5060",
  second: "203.0.113.11:5060",
  sixth: "[2001:db8::10]:5060",
  abroad: "203.0.113.20:5060",
  stranger: "203.0.113.99:5060",
};

/** A policy with one trunk of every side; lists are in {@link basicLists}. */
export const basicPolicy = `
version: 1
home: { country: "86" }
timeZone: Asia/Shanghai
trunks:
  - { id: core, side: core, match: { addresses: [198.51.100.1, "2001:db8::c"] } }
  - { id: lease, side: lessee, match: { addresses: [203.0.113.10] }, lessee: bank, areaCode: "10", nextHops: ["sip:198.51.100.1:5060"] }
  - { id: lease-2, side: lessee, match: { addresses: [203.0.113.11] }, lessee: bank, areaCode: "10", nextHops: ["sip:198.51.100.1:5060"] }
  - { id: lease-6, side: lessee, match: { addresses: ["2001:db8::10"] }, lessee: bank, areaCode: "10", nextHops: ["sip:198.51.100.1:5060"] }
  - { id: intl, side: international, match: { addresses: [203.0.113.20] }, nextHops: ["sip:198.51.100.1:5060"] }
lessees:
  - { id: bank, name: Bank, contract: HT-1, numbers: bank.csv }
`;

export const basicLists: Readonly<Record<string, string>> = {
  "bank.csv":
    "number,valid_from,valid_to,verified_on,may_forward\n+861087654300..+861087654399,2020-01-01,2099-12-31,2026-01-01,no\n",
};

/** Compiles a policy from text; throws with every issue when it has errors. */
export function compileText(policy: string, lists: Readonly<Record<string, string>> = basicLists): Policy {
  const files = new Map(Object.entries({ "policy.yaml": policy, ...lists }));
  const loaded = loadPolicy((path) => {
    const text = files.get(path);
    return text === undefined ? { error: "no such file" } : { bytes: Buffer.from(text) };
  }, "policy.yaml");
  if (loaded.policy === undefined)
    throw new Error(
      loaded.issues.map((issue) => `${issue.line}: ${issue.path}: ${issue.message}`).join("\n"),
    );
  return loaded.policy;
}

export interface TestProxy {
  readonly counters: Counters;
  readonly decisions: Decision[];
  /** Everything that was told, bytes left as they are. */
  readonly events: CallEvent[];
  readonly faults: unknown[];
  readonly proxy: SipProxy;
  readonly state: ScreeningState;
  policy: Policy;
  now: number;
  /** Hands the proxy a datagram from "address:port"; returns what it sent. */
  receive(from: string, message: string | Buffer, by?: Listener): Sent[];
  /** Tells the proxy that more evidence is on disk; returns what it sent. */
  evidenceKept(): Sent[];
  /** Lets `millis` pass in ticks of 100 ms; returns what was sent meanwhile. */
  pass(millis: number): Sent[];
  /** Releases the calls of trunks; returns what was sent. The work is at its end. */
  release(...trunks: readonly string[]): ReleaseRun;
  resolve(id: string, addresses: readonly ResolvedAddress[]): void;
  unreachable(place: string): void;
  nextHops(): readonly NextHopStatus[];
  /** Changes of next hops, as "place state: why". */
  readonly changes: string[];
}

/** A release that was begun: what was sent at once, and its count as it stands when asked. */
export interface ReleaseRun {
  readonly sent: readonly Sent[];
  readonly count: () => ReleaseCount;
  readonly waiting: () => number;
}

/** A proxy at virtual time over documentation addresses. Everything it sends is kept. */
export function createTestProxy(
  policy: Policy = compileText(basicPolicy),
  options: {
    key?: string;
    ledgerSize?: number;
    failoverSize?: number;
    callBytes?: number;
    /** In place of {@link listeners}; the peers of each have its address family. */
    listeners?: readonly Listener[];
    ownNames?: readonly HostPort[];
    state?: ScreeningState;
    evidence?: EvidenceWait;
    /** What a socket does that fails: throws. */
    sending?: (to: string) => void;
    /** False: every message takes the general path. */
    ordinary?: OrdinaryTally | false;
    /** The name of the filter among the nodes; left out: "test". */
    naming?: CallNaming;
    /** Tells other nodes of calls. */
    sharing?: SharedMemory;
    /** Takes every event, beside the lists. */
    told?: (event: CallEvent) => void;
  } = {},
): TestProxy {
  let sent: Sent[] = [];
  let inForce = policy;
  const state = options.state ?? createScreeningState(policy.tables);
  const counters = createCounters();
  const decisions: Decision[] = [];
  const events: CallEvent[] = [];
  const keep = keepDecisions(decisions);
  const faults: unknown[] = [];
  const changes: string[] = [];
  const proxy = createSipProxy({
    policy: () => inForce,
    listeners: options.listeners ?? listeners,
    ownNames: options.ownNames ?? [],
    tags: createKeyedTags(Buffer.from(options.key ?? "0123456789abcdef")),
    state,
    counters,
    elapsed: () => 0,
    ledgerSize: options.ledgerSize ?? 1000,
    failoverSize: options.failoverSize ?? 1000,
    callBytes: options.callBytes ?? 1_000_000,
    transactionsSize: 1000,
    evidence: options.evidence,
    naming: options.naming ?? naming,
    sharing: options.sharing,
    ...(options.ordinary === undefined ? {} : { ordinary: options.ordinary }),
    sink: {
      send(listener, address, port, bytes, length) {
        const copy = Buffer.from(bytes.subarray(0, length));
        const to = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
        options.sending?.(to);
        sent.push({ listener: listener.id, to, bytes: copy, text: copy.toString("latin1") });
        return true;
      },
      nextHop: (key, turned, why) => changes.push(`${key.slice(4)} ${turned}: ${why}`),
      happened: (event) => {
        events.push(event);
        keep(event);
        options.told?.(event);
      },
      fault: (error) => faults.push(error),
    },
  });
  const test: TestProxy = {
    counters,
    decisions,
    events,
    faults,
    proxy,
    state,
    get policy() {
      return inForce;
    },
    set policy(next) {
      inForce = next;
    },
    now: Date.UTC(2026, 9, 3, 8, 0, 0),
    changes,
    pass(millis) {
      sent = [];
      for (const end = test.now + millis; test.now < end;) {
        test.now += 100;
        proxy.tick(test.now);
      }
      return sent;
    },
    evidenceKept() {
      sent = [];
      proxy.evidenceKept(test.now);
      return sent;
    },
    release(...trunks) {
      sent = [];
      const work = proxy.release(new Set(trunks));
      while (!work.step(test.now));
      return { sent, count: () => work.count(), waiting: () => work.waiting() };
    },
    resolve: (id, addresses) => proxy.resolve(test.now, id, addresses),
    unreachable(place) {
      const { address, port } = splitPlace(place);
      proxy.unreachable(test.now, "udp", address, port);
    },
    nextHops: () => proxy.nextHops(),
    receive(from, message, by) {
      const { address, port } = splitPlace(from);
      const listener = by ?? (options.listeners ?? listeners)[address.includes(":") ? 1 : 0];
      if (listener === undefined) throw new Error("no listener");
      sent = [];
      proxy.handle(
        test.now,
        listener,
        address,
        port,
        typeof message === "string" ? Buffer.from(message, "latin1") : message,
      );
      return sent;
    },
  };
  return test;
}

function splitPlace(place: string): { readonly address: string; readonly port: number } {
  const colon = place.lastIndexOf(":");
  const address = place.slice(0, colon).replace("[", "").replace("]", "");
  return { address, port: Number(place.slice(colon + 1)) };
}

/** The parts of a request that a test may want to change. Header lines are without line ends. */
export interface RequestParts {
  readonly method?: string;
  readonly uri?: string;
  readonly via?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly callId?: string;
  readonly cseq?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}

/** A request text with CRLF line ends and the right Content-Length. */
export function request(parts: RequestParts = {}): string {
  const method = parts.method ?? "INVITE";
  const body = parts.body ?? "";
  return [
    `${method} ${parts.uri ?? "sip:02787654321@192.0.2.1"} SIP/2.0`,
    ...(parts.via ?? ["SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKcall1"]).map((via) => `Via: ${via}`),
    `From: ${parts.from ?? "<sip:+861087654321@203.0.113.10>;tag=caller"}`,
    `To: ${parts.to ?? "<sip:02787654321@192.0.2.1>"}`,
    `Call-ID: ${parts.callId ?? "call-1@203.0.113.10"}`,
    `CSeq: ${parts.cseq ?? `1 ${method}`}`,
    "Max-Forwards: 70",
    ...(parts.headers ?? ["Contact: <sip:pbx@203.0.113.10:5060>"]),
    `Content-Length: ${Buffer.byteLength(body, "latin1")}`,
    "",
    body,
  ].join("\r\n");
}

/** The value of the first header line `name` in a message text. */
export function header(text: string, name: string): string | undefined {
  return headers(text, name)[0];
}

/** The values of all header lines `name`. */
export function headers(text: string, name: string): string[] {
  return text
    .slice(0, text.indexOf("\r\n\r\n"))
    .split("\r\n")
    .filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
    .map((line) => line.slice(name.length + 1).trim());
}

/** A response as a UAS makes it from a request it received: Via, From, To, Call-ID, CSeq and Record-Route copied. */
export function respond(
  received: string,
  status: number,
  options: { toTag?: string; contact?: string; body?: string } = {},
): string {
  const lines = received.slice(0, received.indexOf("\r\n\r\n")).split("\r\n");
  const copied = lines.filter((line) => /^(via|v|from|f|call-id|i|cseq|record-route)\s*:/i.test(line));
  const to = lines.find((line) => /^(to|t)\s*:/i.test(line)) ?? "To: <sip:nobody>";
  return [
    `SIP/2.0 ${status} Whatever`,
    ...copied,
    status === 100 || to.includes("tag=") ? to : `${to};tag=${options.toTag ?? "called"}`,
    ...(options.contact === undefined ? [] : [`Contact: ${options.contact}`]),
    `Content-Length: ${(options.body ?? "").length}`,
    "",
    options.body ?? "",
  ].join("\r\n");
}

/** What a request gets: "nothing", a status, or where it went. */
export function outcomeOf(sent: readonly Sent[]): string {
  const [first] = sent;
  if (first === undefined) return "nothing";
  return first.text.startsWith("SIP/2.0 ") ? first.text.slice(8, 11) : `to ${first.to}`;
}

/** Our Record-Route value as the caller learns it from the 200. */
export function answeredRoute(proxy: TestProxy, out: string): string {
  return header(proxy.receive(peers.core, respond(out, 200))[0]?.text ?? "", "Record-Route") ?? "";
}
