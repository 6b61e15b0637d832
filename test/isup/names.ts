import { Buffer } from "node:buffer";
import t from "tap";
import { encodeIsup } from "../../pcaps/isup-text.ts";
import { describeRefusal, judgementOf } from "../../src/observe/decision-log.ts";
import { createTestRelay, told } from "../support/isup-relay.ts";
import { compileText } from "../support/proxy.ts";

const hex = (text: string): string => Buffer.from(text).toString("hex");
/** A listed caller with a generic name, and with display information. */
const named = (name: string, indicators = "20"): string =>
  `IAM called=3:13800138000 calling=3:1087654321 name=${indicators}${hex(name)}`;
const displayed = (name: string): string =>
  `IAM called=3:13800138000 calling=3:1087654321 display=${hex(name)}`;

void t.test("a misleading name in an IAM is refused: nobody can take a name out of an IAM", (t) => {
  const rows: readonly (readonly [iam: string, passes: boolean])[] = [
    [named("JINGHUA BANK"), true],
    [displayed("JINGHUA BANK"), true],
    [named("BANK 95588"), false],
    [displayed("BANK 95588"), false],
    [named("95588", "21"), false],
    [named("PRIVATE"), false],
    [named("PRIVATE", "21"), true],
    // The name of another party.
    [named("BANK 95588", "60"), true],
    // Control characters, also between digits, and a name as long as a parameter can be.
    [named("9\u00005\u001b5\u00008\u007f8"), false],
    [displayed("x".repeat(230)), true],
    [displayed("1".repeat(230)), true],
  ];
  for (const [iam, passes] of rows) {
    const test = createTestRelay();
    const sent = told(test.lease(iam, 3));
    t.same(
      sent.map((line) => line.split(" ").slice(0, 2).join(" ")),
      [passes ? "1 IAM" : "0 REL"],
      iam,
    );
    t.equal(test.decisions[0]?.verdict.reason, passes ? "listed" : "display-name-misleading", iam);
    t.same(test.faults, []);
  }
  t.end();
});

void t.test("the line of the log names the parameter, and nothing of the name", (t) => {
  const test = createTestRelay();
  test.lease(named("\u001b[2J95588\n"), 3);
  const [event] = test.events;
  const judgement = event && judgementOf(event);
  if (judgement === undefined) throw new Error("nothing was told");
  const line = describeRefusal(judgement);
  t.match(line, { rule: "display-name", why: "field isup-generic-name, shows short-code", cause: 21 });
  t.notMatch(JSON.stringify(line), /2J|95588/u);
  t.end();
});

void t.test("an emergency call goes on with its name, and so does every call where the rule is off", (t) => {
  const emergency = createTestRelay();
  t.match(told(emergency.lease(`IAM called=3:110 calling=3:1087654321 name=20${hex("95588")}`, 3)), [
    "1 IAM",
  ]);
  const off = createTestRelay({ policy: policyWith("display-name: { mode: off }") });
  t.match(told(off.lease(named("BANK 95588"), 3)), ["1 IAM"]);
  const monitor = createTestRelay({ policy: policyWith("display-name: { mode: monitor }") });
  t.match(told(monitor.lease(named("BANK 95588"), 3)), ["1 IAM"]);
  t.match(monitor.decisions[0]?.shadow, [{ rule: "display-name" }]);
  t.end();
});

void t.test("names in a segment, and in INF", (t) => {
  const plain = encodeIsup("IAM called=3:13800138000 calling=3:1087654321").toString("hex");
  // Optional forward call indicators: additional information follows in a segment.
  const iam = `hex ${plain.slice(0, -2)}08010400`;
  const segment = (name: string): string => `SGM name=20${hex(name)}`;
  const held = createTestRelay();
  t.same(told(held.lease(iam, 3)), [], "waits for its segment");
  t.same(
    told(held.lease(segment("BANK"), 3)).map((line) => line.slice(0, 5)),
    ["1 IAM", "1 SGM"],
  );
  const misleading = createTestRelay();
  misleading.lease(iam, 3);
  t.match(told(misleading.lease(segment("BANK 95588"), 3)), ["0 REL"]);
  t.equal(misleading.decisions[0]?.verdict.reason, "display-name-misleading");
  const later = createTestRelay();
  later.lease(named("BANK"), 3);
  t.match(told(later.lease(`INF name=20${hex("BANK")}`, 3)), ["1 INF"]);
  const sent = told(later.lease(`INF name=20${hex("95588")}`, 3));
  t.notOk(
    sent.some((line) => line.startsWith("1 INF")),
    "a name that misleads goes nowhere",
  );
  t.ok(sent.some((line) => line.includes("REL")));
  t.end();
});

void t.test("nine names are more than can be read", (t) => {
  const test = createTestRelay();
  const nine = Array.from({ length: 9 }, () => `display=${hex("A")}`).join(" ");
  t.match(told(test.lease(`IAM called=3:13800138000 calling=3:1087654321 ${nine}`, 3)), ["0 REL"]);
  t.match(test.decisions[0]?.verdict, { reason: "isup-undecodable", facts: { fault: "more than 8 names" } });
  t.end();
});

function policyWith(rules: string) {
  return compileText(`version: 1
trunks:
  - { id: core, side: core, match: { addresses: [198.51.100.1] } }
  - { id: lease, side: lessee, match: { addresses: [203.0.113.10] }, lessee: bank, areaCode: "10" }
lessees:
  - { id: bank, numbers: bank.csv }
rules: { ${rules} }
`);
}
