import { Buffer } from "node:buffer";
import { array, assert, constantFrom, oneof, property, tuple } from "fast-check";
import t from "tap";
import { fieldsNamed } from "../../src/sip/field-name.ts";
import { Header } from "../../src/sip/header.ts";
import { readCalling } from "../../src/sip/attempt/sip-identity.ts";
import { createMessage, headerValue, type SipMessage } from "../../src/sip/message.ts";
import { scan } from "../../src/sip/scan.ts";
import { createDialPlan } from "../../src/numbering/dial-plan.ts";
import { basicPolicy, compileText, createTestProxy, outcomeOf, peers, request } from "../support/proxy.ts";

const plan = createDialPlan({ international: true });
const number = "+8613912345678";

const display = constantFrom(
  "",
  '"95588" ',
  '"Wang, \\"Wu\\" <x>;y"  ',
  "Wang Wu ",
  '"\xe5\xbc\xa0\xe4\xb8\x89"',
);
const params = constantFrom("", ";verstat=No-TN-Validation", ";VerStat", ";cpc=ordinary;verstat=x", ";npdi");
const tail = constantFrom("", ";x=1", ";verstat=y", '; a = "b;verstat=z"', ";\r\n user=phone");
const address = tuple(
  display,
  constantFrom("sip", "tel"),
  params,
  constantFrom("", ";user=phone", ";verstat=q"),
  tail,
).map(([name, scheme, own, uri, behind]) =>
  scheme === "tel"
    ? `${name}<tel:${number}${own}>${behind}`
    : `${name}<sip:${number}${own}@a.example${uri}>${behind}`,
);
const fields = array(
  oneof(
    array(address, { minLength: 1, maxLength: 3 }).map((all) => `P-Asserted-Identity: ${all.join(" , ")}`),
    address.map((one) => `p-preferred-identity :\r\n\t${one}`),
    address.map((one) => `REMOTE-PARTY-ID: ${one}`),
    constantFrom(
      "Subject: x",
      "s:y",
      "Privacy: none",
      "P-Sigwall-Label: forged",
      "X: kept",
      "y: eyJ",
      "k: 100rel",
    ),
  ),
  { maxLength: 8 },
);

/** The message as whoever stands behind us reads it. */
function reread(bytes: Buffer): SipMessage {
  return scan(createMessage(), bytes);
}

function valuesNamed(message: SipMessage, name: string): readonly string[] {
  return fieldsNamed(message, name).map((index) => headerValue(message, index));
}

for (const verdict of ["accept", "label", "withhold"] as const) {
  void t.test(`whatever the fields look like: ${verdict}`, async (t) => {
    const proxy = createTestProxy(
      compileText(
        basicPolicy.replace(
          "id: intl, side: international,",
          `id: intl, side: international, strip: [Subject], stripVerstat: true, label: { displayName: "[?]" }, rules: { home-cli-from-abroad: { roamers: ${verdict} } },`,
        ),
      ),
      { ledgerSize: 10_000 },
    );
    let passed = 0;
    let count = 0;
    assert(
      property(address, fields, (from, headers) => {
        const via = [`SIP/2.0/UDP ${peers.abroad};branch=z9hG4bKt${count++}`];
        const text = request({ from: `${from};tag=t`, via, headers, body: "v=0\r\nSubject: x\r\n" });
        const sent = proxy.receive(peers.abroad, text);
        const [first] = sent;
        if (first === undefined || outcomeOf(sent) !== `to ${peers.core}`) return;
        passed++;
        const received = reread(Buffer.from(text, "latin1"));
        const out = reread(first.bytes);
        const calling = readCalling(out, plan, 0);
        const numbers = calling.filter((identity) => identity.number.kind !== "unusable").length;
        t.equal(out.fault, undefined, out.fault === undefined ? "" : first.text);
        t.equal(out.bytes.subarray(out.bodyStart).toString(), "v=0\r\nSubject: x\r\n");
        t.match(headerValue(out, out.first[Header.from]!), /;tag=t$/u);
        t.same(valuesNamed(out, "x"), valuesNamed(received, "x"));
        t.same(valuesNamed(out, "subject"), []);
        t.equal(valuesNamed(out, "p-sigwall-label").length, verdict === "label" ? 1 : 0);
        t.notMatch(first.text.replaceAll('"b;verstat=z"', ""), /verstat/iu);
        if (verdict === "withhold") {
          t.notMatch(first.text, number.slice(1));
          t.same(valuesNamed(out, "privacy"), ["id"]);
        } else {
          t.equal(numbers, readCalling(received, plan, 0).length, "every number is still there");
        }
        const names = calling.map((identity) => identity.display ?? "");
        if (verdict === "label")
          t.ok(
            names.every((name) => name.startsWith('"[?]')),
            "each is marked",
          );
        const isStripped = proxy.decisions.at(-1)?.marks.some(({ kind }) => kind === "strip") === true;
        if (isStripped) t.notMatch(first.text, "95588");
      }),
      { seed: 3323, numRuns: 400 },
    );
    t.ok(passed > 200, `${passed} of 400 passed`);
    t.same(proxy.faults, []);
  });
}
