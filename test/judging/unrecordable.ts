// Which new calls are refused while nobody could record them.
import t from "tap";
import { isUnrecordable } from "../../src/judging/admission.ts";
import type { CallReader, CallToJudge } from "../../src/judging/call-reader.ts";
import type { Side } from "../../src/domain/trunk.ts";
import { compileText } from "../support/proxy.ts";

const policy = compileText(`
version: 1
home: { country: "86" }
timeZone: Asia/Shanghai
trunks:
  - { id: core, side: core, match: { addresses: [192.0.2.1] } }
  - { id: lessee, side: lessee, match: { addresses: [192.0.2.2] }, lessee: acme, areaCode: "10", nextHops: ["sip:192.0.2.1"] }
  - { id: national, side: national, match: { addresses: [192.0.2.3] }, nextHops: ["sip:192.0.2.1"] }
  - { id: international, side: international, match: { addresses: [192.0.2.4] }, nextHops: ["sip:192.0.2.1"] }
lessees:
  - { id: acme, name: Acme, contract: HT-1, numbers: bank.csv }
`);

const table: readonly (readonly [side: Side, isEmergency: boolean, isFull: boolean, isRefused: boolean])[] = [
  ["lessee", false, true, true],
  ["lessee", false, false, false],
  ["lessee", true, true, false],
  ["national", false, true, true],
  ["national", true, true, false],
  ["international", false, true, true],
  ["international", true, true, true],
  ["international", true, false, false],
  ["core", false, true, false],
];

void t.test("onFull refuse: by side, emergency and room", (t) => {
  for (const [side, isEmergency, isFull, isRefused] of table) {
    const source = policy.trunks.find(({ trunk }) => trunk.side === side);
    if (source === undefined) throw new Error(side);
    const reader: Pick<CallReader<CallToJudge>, "isEmergency"> = { isEmergency: () => isEmergency };
    const call: CallToJudge = { source, policy, now: 0, at: 0 };
    const what = `${side}${isEmergency ? ", emergency" : ""}, ${isFull ? "full" : "room"}`;
    t.equal(isUnrecordable({ isFull: () => isFull }, reader, call), isRefused, what);
  }
  t.end();
});
