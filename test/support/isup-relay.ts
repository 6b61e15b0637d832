import type { LinkSide } from "../../src/isup/links.ts";
import { keepDecisions, naming } from "./events.ts";
import { Buffer } from "node:buffer";
import { encodeIsup, writeM3ua } from "../../pcaps/isup-text.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { createCalls } from "../../src/calls/call-memory.ts";
import { createTeller } from "../../src/judging/tell.ts";
import type { CallEvent } from "../../src/domain/call.ts";
import type { Decision } from "../../src/domain/decision.ts";
import { createCounters, type Counters } from "../../src/observe/counters.ts";

import { createIsupRelay, type IsupRelay } from "../../src/isup/isup-relay.ts";
import { usualForm, type AssociationPlace, type LinkForm } from "../../src/isup/isup-turn.ts";
import type { EvidenceWait } from "../../src/judging/held-refusals.ts";
import { createOverload, type Overload } from "../../src/judging/overload.ts";
import { createScreeningState, type ScreeningState } from "../../src/screening/state.ts";
import { createIsupMessage, readIsup } from "../../src/ss7/isup.ts";
import { createM3uaMessage, readM3ua, readProtocolData } from "../../src/ss7/m3ua.ts";
import { createMsu, readCircuit } from "../../src/ss7/mtp3.ts";
import { compileText } from "./proxy.ts";

/** Point codes: the lessee's exchange, ours behind the filter, and one that no trunk has. */
export const LEASE = 11;
export const CORE = 900;
export const STRANGER = 77;

export const isupPolicy = `
version: 1
home: { country: "86" }
timeZone: Asia/Shanghai
trunks:
  - { id: core, side: core, match: { addresses: [198.51.100.1] } }
  - { id: lease, side: lessee, match: { addresses: [203.0.113.10], opc: [${LEASE}], dpc: [${CORE}] }, lessee: bank, areaCode: "10" }
lessees:
  - { id: bank, name: Bank, contract: HT-1, numbers: bank.csv }
`;

/** Callers of the contract, and not. */
export const LISTED = "IAM called=3:13800138000 calling=3:1087654321";
export const UNLISTED = "IAM called=3:13800138000 calling=3:1087654444";

export const places: readonly [AssociationPlace, AssociationPlace] = [
  {
    id: "sctp:192.0.2.1:2905",
    transport: "sctp",
    localAddress: "192.0.2.1",
    localPort: 2905,
    address: "203.0.113.10",
    port: 2905,
  },
  {
    id: "sctp:192.0.2.1:2906",
    transport: "sctp",
    localAddress: "192.0.2.1",
    localPort: 2906,
    address: "198.51.100.1",
    port: 2905,
  },
];

export interface SentUnit {
  /** Left out: the first link. */
  readonly link?: number;
  readonly to: LinkSide;
  readonly stream: number;
  readonly bytes: Buffer;
}

export interface TestRelay {
  readonly relay: IsupRelay;
  readonly counters: Counters;
  readonly decisions: Decision[];
  /** Everything that was told, bytes left as they are. */
  readonly events: CallEvent[];
  readonly alarms: string[];
  readonly faults: unknown[];
  readonly overload: Overload;
  now: number;
  /** Hands the relay one message of a side; returns what it sent. */
  receive(side: LinkSide, bytes: Buffer, stream?: number, link?: number): SentUnit[];
  /** What was sent since the last call. */
  take(): SentUnit[];
  /** An ISUP message of the lessee's exchange, and of ours. */
  lease(text: string, cic?: number, link?: number): SentUnit[];
  core(text: string, cic?: number, link?: number): SentUnit[];
  /** Tells the relay that more evidence is on disk; returns what it sent. */
  evidenceKept(): SentUnit[];
  /** Lets time pass in ticks of a second. */
  pass(millis: number): SentUnit[];
}

/** The lessee's association is side 0, the core's is side 1. */
export function createTestRelay(
  options: {
    policy?: Policy;
    circuits?: number;
    calls?: number;
    state?: ScreeningState;
    evidence?: EvidenceWait;
    variant?: "itu" | "ansi";
    form?: Partial<LinkForm>;
    /** Links of the linkset, all up; 1 when left out. */
    links?: number;
  } = {},
): TestRelay {
  let sent: SentUnit[] = [];
  const policy = options.policy ?? compileText(isupPolicy);
  const counters = createCounters();
  const decisions: Decision[] = [];
  const events: CallEvent[] = [];
  const keep = keepDecisions(decisions);
  const happened = (event: CallEvent): void => {
    events.push(event);
    keep(event);
  };
  const tell = createTeller(counters, happened);
  const alarms: string[] = [];
  const faults: unknown[] = [];
  const overload = createOverload();
  const relay = createIsupRelay({
    policy: () => policy,
    forms: [{ ...usualForm, variant: options.variant ?? "itu", ...options.form }],
    state: options.state ?? createScreeningState(policy.tables),
    overload,
    counters,
    circuits: options.circuits ?? 1000,
    elapsed: () => 0,
    evidence: options.evidence,
    calls: createCalls({ ...naming, capacity: options.calls ?? 1000, longestCall: () => 43_200_000, tell }),
    sink: {
      send: (link, to, stream, bytes) =>
        void sent.push({ ...(link === 0 ? {} : { link }), to, stream, bytes: Buffer.from(bytes) }),
      happened,
      alarm: (message) => alarms.push(message),
      fault: (error) => faults.push(error),
    },
  });
  for (let link = 0; link < (options.links ?? 1); link++) relay.connect(link, places);
  const take = (): SentUnit[] => {
    const taken = sent;
    sent = [];
    return taken;
  };
  const test: TestRelay = {
    relay,
    counters,
    decisions,
    events,
    alarms,
    faults,
    overload,
    now: Date.UTC(2026, 9, 3, 8, 0, 0),
    take,
    receive(side, bytes, stream = 1, link = 0) {
      relay.handle(test.now, { link, side }, stream, bytes);
      return take();
    },
    lease: (text, cic = 2, link = 0) => test.receive(0, fromLease(text, cic), 1, link),
    core: (text, cic = 2, link = 0) => test.receive(1, fromCore(text, cic), 1, link),
    evidenceKept() {
      relay.evidenceKept(test.now);
      return take();
    },
    pass(millis) {
      for (let left = millis; left > 0; left -= 1000) {
        test.now += Math.min(left, 1000);
        relay.tick(test.now);
      }
      return take();
    },
  };
  return test;
}

export function fromLease(text: string, cic = 2): Buffer {
  return writeM3ua({ opc: LEASE, dpc: CORE, cic }, encodeIsup(text));
}

export function fromCore(text: string, cic = 2): Buffer {
  return writeM3ua({ opc: CORE, dpc: LEASE, cic }, encodeIsup(text));
}

const names: ReadonlyMap<number, string> = new Map([
  [0x01, "IAM"],
  [0x02, "SAM"],
  [0x04, "INF"],
  [0x05, "COT"],
  [0x06, "ACM"],
  [0x09, "ANM"],
  [0x0c, "REL"],
  [0x10, "RLC"],
  [0x12, "RSC"],
  [0x13, "BLO"],
  [0x17, "GRS"],
  [0x29, "GRA"],
  [0x37, "IRS"],
  [0x38, "SGM"],
]);

const message = createM3uaMessage();
const msu = createMsu();
const isup = createIsupMessage();

/**
 * What was sent, for people: "0 REL 21 900>11-2" to side 0, with cause, point codes and circuit; "1:0 REL …" by the
 * second link.
 */
export function told(sent: readonly SentUnit[]): string[] {
  return sent.map(({ link = 0, to: side, bytes }) => {
    const to = link === 0 ? side : `${link}:${side}`;
    if (!readM3ua(message, bytes, 0, bytes.length)) return `${to} broken: ${message.fault}`;
    if (!readProtocolData(msu, message, bytes)) return `${to} ${message.messageClass}/${message.messageType}`;
    const start = readCircuit(msu);
    if (start < 0) return `${to} SI ${msu.si}`;
    readIsup(isup, "itu", bytes, start, msu.end);
    const name = names.get(isup.type) ?? isup.type.toString(16);
    const cause = isup.type === 0x0c ? ` ${(bytes[isup.variableStart + 1] ?? 0) & 0x7f}` : "";
    return `${to} ${name}${cause} ${msu.opc}>${msu.dpc}-${msu.cic}`;
  });
}
