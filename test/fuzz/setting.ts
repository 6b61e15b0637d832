import type { OrdinaryTally } from "../../src/proxy/turn/proxy-state.ts";
import type { Policy } from "../../src/policy/policy.ts";
import {
  basicLists,
  compileText,
  createTestProxy,
  peers as basicPeers,
  type TestProxy,
} from "../support/proxy.ts";

/** Everybody who sends; the stranger is on no trunk. */
export const peers = { ...basicPeers, national: "203.0.113.30:5060" };

/** Trunks that are judged, and whose numbers are the lessee's. */
export const lesseePeers: ReadonlySet<string> = new Set([peers.lessee, peers.second, peers.sixth]);
export const corePeers: ReadonlySet<string> = new Set([peers.core, peers.core6]);

/** A trunk of every side, each exception policy, and tables so small that they fill. */
const policy: Policy = compileText(
  `
version: 1
trunks:
  - { id: core, side: core, match: { addresses: [198.51.100.1, "2001:db8::c"] } }
  - id: lease
    side: lessee
    match: { addresses: [203.0.113.10] }
    lessee: bank
    areaCode: "10"
    nextHops: ["sip:198.51.100.1:5060"]
  - id: lease-2
    side: lessee
    match: { addresses: [203.0.113.11] }
    lessee: bank
    areaCode: "10"
    nextHops: ["sip:198.51.100.1:5060"]
    exception: accept
    methods: { MESSAGE: screen }
    limits: { callsPerSecond: 20, attemptsPerCallerPerMinute: 60 }
  - id: lease-6
    side: lessee
    match: { addresses: ["2001:db8::10"] }
    lessee: bank
    areaCode: "10"
    nextHops: ["sip:198.51.100.1:5060"]
    exception: drop
    limits: { callsPerSecond: 20, attemptsPerCallerPerMinute: 60 }
  - id: intl
    side: international
    match: { addresses: [203.0.113.20] }
    nextHops: ["sip:198.51.100.1:5060"]
    rules: { home-cli-from-abroad: { roamers: withhold } }
  - { id: nat, side: national, match: { addresses: [203.0.113.30] }, nextHops: ["sip:[2001:db8::c]:5060"] }
lessees:
  - { id: bank, numbers: bank.csv }
tables: { calls: 48, callers: 48, sources: 48 }
`,
  basicLists,
);

/** A fresh proxy at virtual time. */
export function createProxy(): TestProxy {
  return createTestProxy(policy, { ledgerSize: policy.tables.calls });
}

/** The same peers with a choice of next hops, labels, and tables that have room. */
const otherPolicy: Policy = compileText(
  `
version: 1
trunks:
  - { id: core, side: core, match: { addresses: [198.51.100.1, "2001:db8::c"] } }
  - id: lease
    side: lessee
    match: { addresses: [203.0.113.10] }
    lessee: bank
    areaCode: "10"
    nextHops: [{ uri: "sip:198.51.100.1:5060", priority: 1 }, { uri: "sip:[2001:db8::c]:5060", priority: 2 }]
    failoverOn503: true
  - { id: lease-2, side: lessee, match: { addresses: [203.0.113.11] }, lessee: bank, areaCode: "10", nextHops: ["sip:198.51.100.1:5060"] }
  - { id: lease-6, side: lessee, match: { addresses: ["2001:db8::10"] }, lessee: bank, areaCode: "10", nextHops: ["sip:[2001:db8::c]:5060"] }
  - id: intl
    side: international
    match: { addresses: [203.0.113.20] }
    nextHops: ["sip:198.51.100.1:5060"]
    rules: { home-cli-from-abroad: { roamers: label } }
  - { id: nat, side: national, match: { addresses: [203.0.113.30] }, nextHops: ["sip:198.51.100.1:5060"] }
lessees:
  - { id: bank, numbers: bank.csv }
`,
  basicLists,
);

/** Two proxies for {@link createTwins}, under one of the two policies. */
export function createTwinProxy(isOther: boolean, ordinary: OrdinaryTally | false): TestProxy {
  return isOther
    ? createTestProxy(otherPolicy, { ordinary, ledgerSize: 60 })
    : createTestProxy(policy, { ordinary, ledgerSize: policy.tables.calls });
}

/** The lessee's numbers in spellings that all mean the same, and numbers that are nobody's in this policy. */
export const listedSpellings = [
  "+861087654321",
  "01087654322",
  "00861087654323",
  "861087654324",
  "+86-10-8765.4325",
  "87654326",
];
export const unlistedSpellings = [
  "+861087654400",
  "01087654299",
  "+442079460000",
  "00442079460000",
  "13800138000",
  "+8613800138000",
  "95588",
  "4008208820",
  "110",
  "+86",
  "0",
  "anonymous",
  "",
  "99999999999999999999999",
];

/** Every number of the lessee, in the spellings that a Beijing trunk may use, without separators. */
export function isListed(digits: string): boolean {
  return /^(?:(?:\+|00)?86(?:0?10)|0?10|)?(?:876543\d\d)$/.test(digits);
}
