import t from "tap";
import type { Decision } from "../../src/domain/decision.ts";
import { createHeldRefusals, LONGEST_HOLD } from "../../src/judging/held-refusals.ts";
import { decisionOf } from "../observe/decision.ts";
import { createTestEvidence } from "../support/evidence-log.ts";

void t.test("held refusals: at most 16,384 wait, then the oldest leaves early", (t) => {
  const evidence = createTestEvidence("lease");
  const sent: number[] = [];
  const held = createHeldRefusals<number>(evidence, (answer) => sent.push(answer));
  for (let call = 1; call <= 16_384; call++) held.hold(String(call), call, 0);
  t.same(sent, []);
  held.hold("one more", 16_385, 0);
  t.same(sent, [1]);
  t.equal(held.size(), 16_384);
  t.equal(held.overdue(), 1);
  evidence.keepAll();
  held.release(1);
  t.equal(sent.length, 16_385);
  t.equal(held.overdue(), 1);
  t.end();
});

void t.test("held refusals: each leaves when its own evidence is on disk", (t) => {
  const evidence = createTestEvidence("lease");
  const sent: string[] = [];
  const held = createHeldRefusals<string>(evidence, (answer) => sent.push(answer));
  held.hold("a", "a", 0);
  evidence.keepAll();
  held.hold("b", "b", 1);
  held.release(2);
  t.same(sent, ["a"]);
  t.ok(held.has("b"));
  held.hold("b", "b again", 3);
  held.release(3 + LONGEST_HOLD - 1);
  t.same(sent, ["a"]);
  held.release(3 + LONGEST_HOLD);
  t.same(sent, ["a", "b again"], "one answer for one key");
  evidence.keepAll();
  evidence.next = 1;
  held.hold("c", "c", 500);
  t.same(sent, ["a", "b again", "c"], "on disk already");
  t.end();
});

void t.test("held refusals: an answer whose evidence was lost keeps no other one waiting", (t) => {
  const evidence = createTestEvidence("lease");
  const sent: string[] = [];
  const held = createHeldRefusals<string>(
    { ...evidence, ticket: () => (isLost ? Infinity : evidence.ticket()) },
    (answer) => sent.push(answer),
  );
  let isLost = true;
  held.hold("lost", "lost", 0);
  isLost = false;
  held.hold("kept", "kept", 1);
  t.equal(held.size(), 2);
  t.ok(held.has("lost") && held.has("kept"));
  evidence.keepAll();
  held.release(2);
  t.same(sent, ["kept"], "at once");
  isLost = true;
  held.hold("lost", "lost again", 3);
  held.release(2 + LONGEST_HOLD);
  t.same(sent, ["kept"]);
  held.release(3 + LONGEST_HOLD);
  t.same(sent, ["kept", "lost again"]);
  t.equal(held.overdue(), 1);
  t.equal(held.size(), 0);
  t.end();
});

void t.test("held refusals: refusals by rules are held, on trunks that say so", (t) => {
  const reject = { kind: "reject", reason: "cli-hidden" } as const;
  const rows: readonly (readonly [Partial<Decision>, boolean])[] = [
    [{ verdict: reject, rule: "hidden-caller" }, true],
    [{ verdict: { kind: "drop", reason: "cli-hidden" }, rule: "hidden-caller" }, false],
    [{ verdict: { kind: "accept", reason: "listed" }, rule: "caller-authentication" }, false],
    [{ verdict: { kind: "withhold", reason: "cli-hidden" }, rule: "hidden-caller" }, false],
    [{ verdict: reject, rule: "default" }, true],
    [{ verdict: { kind: "reject", reason: "message-malformed" }, rule: "protocol" }, true],
    [{ verdict: { kind: "reject", reason: "rule-fault" }, rule: "exception" }, true],
    [{ verdict: { kind: "reject", reason: "protocol" }, rule: "protocol" }, false],
    [{ verdict: { kind: "reject", reason: "overload" }, rule: "protocol" }, false],
    [{ verdict: { kind: "reject", reason: "overload" }, rule: "exception" }, false],
  ];
  for (const [given, isHeld] of rows) {
    const decision: Decision = { ...decisionOf({}), ...given };
    const { id } = decision.attempt.trunk;
    const ofTrunk = createHeldRefusals(createTestEvidence(id), () => undefined);
    t.equal(ofTrunk.isHeld(decision), isHeld, `${given.verdict?.kind} by ${given.rule}`);
    t.equal(createHeldRefusals(createTestEvidence("other"), () => undefined).isHeld(decision), false);
    t.equal(createHeldRefusals(undefined, () => undefined).isHeld(decision), false);
  }
  t.end();
});
