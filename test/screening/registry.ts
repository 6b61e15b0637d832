import t from "tap";
import { reasonCodes } from "../../src/domain/reason.ts";
import { ruleIds } from "../../src/domain/rule-id.ts";
import { rules } from "../../src/screening/chain/rule-order.ts";

/** Reasons that no rule gives: those of the protocol layer, of rules to come, and of the end of the chain. */
const withoutGiver = [
  "source-unknown",
  "message-malformed",
  "isup-undecodable",
  "method-not-allowed",
  "dialog-unknown",
  "routing-refused",
  "message-rate-exceeded",
  "overload",
  "protocol",
  "rule-fault",
  "listed",
  "default",
];

void t.test("the registry holds every enforced rule once, in the order of the contract", (t) => {
  t.same(
    rules.map((rule) => rule.id),
    [...ruleIds],
  );
  t.end();
});

void t.test("exemptions come first and limits last, so that only survivors spend", (t) => {
  const stages = rules.map((rule) => rule.stage);
  t.same(
    stages,
    stages.toSorted((a, b) => rank(a) - rank(b)),
  );
  t.end();
});

function rank(stage: string): number {
  return ["exempt", "screen", "limit"].indexOf(stage);
}

void t.test("every reason is given by exactly one rule, or by none and said so", (t) => {
  // The limit of emergency calls refuses as the rate of a trunk does.
  const given = rules.flatMap(({ id, reasons }) =>
    id === "emergency" ? reasons.filter((reason) => reason !== "call-rate-exceeded") : reasons,
  );
  t.equal(new Set(given).size, given.length, "no reason has two rules");
  t.same([...given, ...withoutGiver].toSorted(), [...reasonCodes].toSorted());
  t.end();
});

void t.test("options: defaults are complete, unknown keys are errors, parsing twice changes nothing", (t) => {
  for (const rule of rules) {
    const parsed = rule.options.parse({});
    t.same(rule.options.parse(parsed), parsed, rule.id);
    t.equal(rule.options.safeParse({ nosuch: 1 }).success, false, rule.id);
    t.ok(rule.summary.endsWith("."), `${rule.id}: the summary is a sentence`);
  }
  t.end();
});
