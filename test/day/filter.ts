// The filter as a process that is killed and started again, and the policy and the places of the simulated day.
import { Buffer } from "node:buffer";
import { packCalls } from "../../src/calls/call-snapshot.ts";
import type { CallEvent } from "../../src/domain/call.ts";
import { createCounters } from "../../src/observe/counters.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { createSipProxy, type SipProxy } from "../../src/proxy/sip-proxy.ts";
import { createListener, type Listener } from "../../src/routing/listener.ts";
import { createScreeningState } from "../../src/screening/state.ts";
import { createKeyedTags } from "../../src/sip/tag.ts";
import { basicLists, compileText } from "../support/proxy.ts";

/** Where each party stands. A place is `udp:ADDRESS:PORT`. */
export const place = {
  lease: "udp:203.0.113.10:5060",
  second: "udp:203.0.113.11:5060",
  wired: "tcp:203.0.113.12:5060",
  far: "udp:203.0.113.13:5060",
  abroad: "udp:203.0.113.20:5060",
  core: "udp:198.51.100.1:5060",
  a: "udp:198.51.100.11:5060",
  b: "udp:198.51.100.12:5060",
  c: "udp:198.51.100.13:5060",
  single: "udp:198.51.100.14:5060",
  nowhere: "tcp:198.51.100.19:5060",
} as const;

const trunk = (id: string, at: string, hops: string, more = ""): string =>
  `  - { id: ${id}, side: lessee, match: { addresses: [${at}] }, lessee: bank, areaCode: "10", nextHops: [${hops}]${more} }`;

/** Trunks of every kind: several next hops in order, one alone, from TCP to UDP, to a TCP peer that nobody reaches, by weight. */
const policyText = `
version: 1
home: { country: "86" }
timeZone: Asia/Shanghai
trunks:
  - { id: core, side: core, match: { addresses: [198.51.100.0/24] }, maxCallHours: 3 }
${trunk("lease", "203.0.113.10", '{ uri: "sip:198.51.100.11" }, { uri: "sip:198.51.100.12", priority: 2 }, { uri: "sip:198.51.100.13", priority: 3 }', ", maxCallHours: 4")}
${trunk("second", "203.0.113.11", '"sip:198.51.100.14"', ", maxCallHours: 2")}
${trunk("wired", "203.0.113.12", '"sip:198.51.100.14"')}
${trunk("far", "203.0.113.13", '"sip:198.51.100.19;transport=tcp"')}
  - { id: abroad, side: international, match: { addresses: [203.0.113.20] }, nextHops: [{ uri: "sip:198.51.100.12", weight: 3 }, { uri: "sip:198.51.100.13", weight: 1 }] }
lessees:
  - { id: bank, name: Bank, contract: HT-1, numbers: bank.csv }
`;

/** Hours that a call may last, as the policy has them. */
export const longestHours = (id: string): number => ({ core: 3, second: 2, lease: 4 })[id] ?? 12;
export const trunkIds: readonly string[] = ["core", "lease", "second", "wired", "far", "abroad"];

export const listeners: readonly Listener[] = [
  createListener("udp:192.0.2.1:5060", 0, "udp", "192.0.2.1", 5060),
  createListener("tcp:192.0.2.1:5060", 1, "tcp", "192.0.2.1", 5060),
];

/** A message that the filter sent, and where to. */
export interface Sent {
  readonly to: string;
  readonly text: string;
}

/** The filter as a process: it can be killed and started again. */
export interface Filter {
  readonly isRunning: boolean;
  readonly epoch: number;
  readonly counters: ReturnType<typeof createCounters>;
  receive(now: number, from: string, text: string): readonly Sent[];
  tick(now: number): readonly Sent[];
  /** Gives a message back that reached nobody. */
  undelivered(now: number, sent: Sent): readonly Sent[];
  channels(trunk: string): number;
  save(): void;
  kill(): void;
  start(now: number): number;
}

function peerAt(at: string): { listener: Listener; address: string; port: number } {
  const [transport, address = "", port] = at.split(":");
  return { listener: listeners[transport === "udp" ? 0 : 1]!, address, port: Number(port) };
}

export function createFilter(
  rows: number,
  happened: (event: CallEvent) => void,
  fault: (error: unknown) => void,
): Filter {
  const policy: Policy = compileText(policyText, basicLists);
  const counters = createCounters();
  let sent: Sent[] = [];
  let epoch = 1_700_000_000;
  let snapshot = new Uint8Array();
  let state = createScreeningState(policy.tables);

  const createProcess = (): SipProxy =>
    createSipProxy({
      policy: () => policy,
      listeners,
      tags: createKeyedTags(Buffer.from("0123456789abcdef")),
      state,
      counters,
      elapsed: () => 0,
      ledgerSize: rows,
      failoverSize: rows,
      transactionsSize: rows,
      naming: { node: "day", epoch },
      sink: {
        send(listener, address, port, bytes, length) {
          sent.push({
            to: `${listener.transport}:${address}:${port}`,
            text: bytes.toString("latin1", 0, length),
          });
          return true;
        },
        namesOf: () => [],
        happened,
        fault,
      },
    });
  let proxy: SipProxy | undefined = createProcess();

  const takeSent = (): readonly Sent[] => {
    const taken = sent;
    if (taken.length > 0) sent = [];
    return taken;
  };
  return {
    get isRunning() {
      return proxy !== undefined;
    },
    get epoch() {
      return epoch;
    },
    counters,
    receive(now, from, text) {
      const { listener, address, port } = peerAt(from);
      proxy?.handle(now, listener, address, port, Buffer.from(text, "latin1"));
      return takeSent();
    },
    tick(now) {
      proxy?.tick(now);
      return takeSent();
    },
    undelivered(now, { to, text }) {
      const { listener, address, port } = peerAt(to);
      proxy?.undelivered(now, listener, address, port, Buffer.from(text, "latin1"), "unreached");
      return takeSent();
    },
    channels: (id) => state.channels.of(id),
    save() {
      const packed = proxy && packCalls(proxy.calls.shared, proxy.calls.trunkNames());
      if (packed === undefined || packed.torn > 0)
        throw new Error("a snapshot without a second thread is whole");
      snapshot = Uint8Array.from(packed.bytes);
    },
    kill: () => void (proxy = undefined),
    start(now) {
      epoch += 1000;
      state = createScreeningState(policy.tables);
      proxy = createProcess();
      const { rows: restored, leftOut, issue } = proxy.calls.restore(snapshot, now);
      if (issue !== undefined || leftOut > 0) throw new Error(`${issue ?? ""} ${leftOut} rows left out`);
      return restored;
    },
  };
}
