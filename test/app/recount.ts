// Record lines that a start counts again: who called an emergency service is called back after a restart, too.
import t from "tap";
import { recountCalls } from "../../src/app/counts/recount.ts";
import type { RecordLine } from "../../src/app/counts/lines-since.ts";
import { isToEmergencyParty } from "../../src/screening/emergency-parties.ts";
import { makeAttempt, makeState, NOW } from "../support/attempt.ts";
import { compileText } from "../support/proxy.ts";

const policy = compileText(`version: 1
trunks:
  - { id: core, side: core, match: { addresses: [198.51.100.1] } }
  - { id: network, side: national, match: { addresses: [203.0.113.20] }, nextHops: ["sip:198.51.100.1:5060"] }
  - { id: abroad, side: international, match: { addresses: [203.0.113.30] }, nextHops: ["sip:198.51.100.1:5060"] }
`);
const caller = "+8613800138000";

function lineOf(given: RecordLine, called: string, number = called): RecordLine {
  return {
    record: "decided",
    id: "gw-1-1",
    time: new Date(NOW).toISOString(),
    trunk: "network",
    action: "forwarded",
    rule: "default",
    reason: "default",
    verdict: "accept",
    signalling: "sip",
    calling: [{ source: "from", raw: caller, number: caller }],
    called: { raw: called, ...(number === "" ? {} : { number }) },
    requestUri: `sip:${called}@192.0.2.1`,
    callId: "c1",
    ...given,
  };
}

void t.test(
  "who called an emergency service is known from its line, whatever the rule emergency was",
  (t) => {
    const rows: readonly (readonly [name: string, line: RecordLine, isKnown: boolean])[] = [
      ["by the rule", lineOf({ rule: "emergency" }, "110"), true],
      ["the rule was off", lineOf({}, "110"), true],
      ["behind an area code", lineOf({}, "075512395", "+8675512395"), true],
      ["an emergency URN", lineOf({ requestUri: "urn:service:sos" }, "", ""), true],
      ["from the core", lineOf({ trunk: "core" }, "110"), true],
      ["from abroad", lineOf({ trunk: "abroad" }, "110"), false],
      ["refused", lineOf({ action: "answered" }, "110"), false],
      ["another short code", lineOf({}, "12110"), false],
      ["a number that ends as one", lineOf({}, "+8613800138110"), false],
    ];
    for (const [name, line, isKnown] of rows) {
      const state = makeState();
      recountCalls([line], policy, state);
      const back = makeAttempt(policy.trunkById("network")!.trunk, { called: caller, at: NOW + 1000 });
      t.equal(isToEmergencyParty(back, state), isKnown, name);
    }
    t.end();
  },
);
