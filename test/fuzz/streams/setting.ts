import type { Decision } from "../../../src/domain/decision.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { basicLists, compileText } from "../../support/proxy.ts";
import { createStreamProxy, type StreamProxy } from "../../support/streams.ts";

/**
 * Trunks whose calls have several places to go to, by every transport, and move to TCP when they are large; a trunk of every
 * exception policy; tables so small that they fill. Nothing is changed in a call that passes, so that its octets tell who was judged.
 */
const policy: Policy = compileText(
  `
version: 1
rules: { display-name: { mode: off } }
trunks:
  - { id: core, side: core, match: { addresses: [198.51.100.1, 198.51.100.2, 198.51.100.3, "2001:db8::c"] } }
  - id: lease
    side: lessee
    match: { addresses: [203.0.113.10] }
    lessee: bank
    areaCode: "10"
    tcpAbove: 1300
    nextHops:
      - { uri: "sip:198.51.100.1:5060", weight: 2 }
      - { uri: "sip:198.51.100.2:5060" }
      - { uri: "sip:198.51.100.3:5060;transport=tcp", priority: 2 }
  - id: lease-2
    side: lessee
    match: { addresses: [203.0.113.11] }
    lessee: bank
    areaCode: "10"
    exception: accept
    nextHops: ["sip:198.51.100.1:5061;transport=tls", "sip:198.51.100.3:5060;transport=tcp"]
  - id: lease-6
    side: lessee
    match: { addresses: ["2001:db8::10"] }
    lessee: bank
    areaCode: "10"
    exception: drop
    nextHops: ["sip:[2001:db8::c]:5060", "sip:198.51.100.2:5060"]
  - { id: intl, side: international, match: { addresses: [203.0.113.20] }, tcpAbove: 1300, nextHops: ["sip:198.51.100.2:5060"] }
  - { id: nat, side: national, match: { addresses: [203.0.113.30] }, nextHops: ["sip:[2001:db8::c]:5060;transport=tcp"] }
lessees:
  - { id: bank, numbers: bank.csv }
nextHopHealth: { intervalSeconds: 5, timeoutSeconds: 1 }
tables: { calls: 48, callers: 48, sources: 48 }
`,
  basicLists,
);

/** A fresh proxy at virtual time, over every transport. */
export function createProxy(decided: (decision: Decision, message: Uint8Array) => void): StreamProxy {
  return createStreamProxy(policy, { ledger: 48, failovers: 24, transactions: 24, decided });
}
