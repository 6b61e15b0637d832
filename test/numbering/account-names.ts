import t from "tap";
import { createDialPlan } from "../../src/numbering/dial-plan.ts";
import { readSipNumber } from "../../src/numbering/e164.ts";

const beijing = createDialPlan({ homeArea: "10" });
const abroad = createDialPlan({ international: true });

/** User parts that assert no number: what the number in another field says counts alone. */
const names: readonly string[] = [
  "alice",
  "alice7",
  "pbx01",
  "pbx_8001",
  "8001-reception",
  "x8001",
  "user110",
  "line-120",
  "4f2a",
  "3f2a9c7e-11",
  "3f2a9c7e-1b2c-4d5e-8f90-a1b2c3d4e5f6",
  "110e8400-e29b-41d4-a716-446655440000",
  "87654321-e29b-41d4-a716-446655440000",
  "d41d8cd98f00b204e9800998ecf8427e",
  "bj87654321",
  "sip.trunk.4711",
  "gw-192.0.2.7",
  "b2b_user=3",
  "a1b2c3",
  "lol",
  "bob",
  "sos2",
  "b2b",
  "9558b",
  "955x8",
  "O2",
  "q3k8bd9v",
  "1000a",
  "gw_0755_01",
  "pbx_1_8001",
  "lxd_2023_11_05",
  "8001_5000_desk",
];

/** Near misses: an element or a person finds a number in them. */
const numbers: readonly string[] = [
  // Digits alone are a number, or something like one.
  "8001",
  "4321",
  "#31#13912345678",
  "*6701087654321",
  "1391234_5678",
  // Read up to the first letter.
  "95588bank",
  "110x",
  "13912345678abc",
  "+8613912345678-work",
  "01087654321p8001",
  "87654321F",
  "1391234567F",
  "8001F",
  // A number behind other text.
  "icbc95588",
  "bank-95588-cn",
  "tel13912345678",
  "tel+8613912345678",
  "u01087654321",
  "pbx_8613912345678",
  "ext.139-1234-5678",
  "bank_955_88",
  "sip_139_1234_5678",
  "SIP_010_87654321",
  "office_+86_10_8765-4321",
  // Letters inside.
  "139x1234x5678",
  "0108765F4321",
  // Letters that look like digits.
  "O1O87654321",
  "l39l2345678",
  "9558O",
  "I1O",
  "9558B",
  "955BB",
  "95S88",
  "9SS88",
  // One group short of a UUID, or a group of another length.
  "110e8400-e29b-41d4-a716",
  "110e8400-e29b-41d4-a71-6446655440000",
];

void t.test("a user part with letters asserts no number, unless somebody finds one in it", (t) => {
  for (const plan of [beijing, abroad]) {
    const side = plan.international ? "abroad" : "Beijing";
    for (const name of names)
      t.match(readSipNumber(name, plan), { kind: "unusable", why: "not-a-number" }, `${side}: ${name}`);
    for (const number of numbers) {
      // These digits are a number of some other country.
      if (plan.international && /^\d+$/.test(number)) continue;
      if (plan.international && number.endsWith("654321F")) continue;
      t.match(readSipNumber(number, plan), { kind: "unusable", why: "invalid" }, `${side}: ${number}`);
    }
  }
  t.end();
});
