import t from "tap";
import { createLifeTest } from "../../src/wire/sctp/life-test.ts";
import { comesTrue } from "../support/until.ts";

void t.test("one test at a time: later callers share its outcome", async (t) => {
  let asked = 0;
  let answers = true;
  const life = createLifeTest(
    () => void asked++,
    () => answers,
  );
  const told: string[] = [];
  life.begin((isAlive) => told.push(`first ${isAlive}`));
  life.begin((isAlive) => told.push(`second ${isAlive}`));
  t.same([asked, told], [1, []], "nothing is told at once");
  t.ok(await comesTrue(() => told.length === 2));
  t.same(told, ["first true", "second true"]);
  answers = false;
  life.begin((isAlive) => told.push(`third ${isAlive}`));
  t.equal(asked, 2, "asked anew");
  t.ok(await comesTrue(() => told.length === 3));
  t.equal(told[2], "third false");
});

void t.test("an association that ends is dead at once", async (t) => {
  const life = createLifeTest(
    () => undefined,
    () => true,
  );
  const told: boolean[] = [];
  life.begin((isAlive) => told.push(isAlive));
  life.end();
  t.same(told, [], "in a later turn");
  await new Promise((resolve) => setImmediate(resolve));
  t.same(told, [false]);
  life.begin((isAlive) => told.push(isAlive));
  await new Promise((resolve) => setImmediate(resolve));
  t.same(told, [false, false], "and stays so");
});

void t.test("an association that ends while the judge thinks is told once", async (t) => {
  const decisions: ((isAlive: boolean) => void)[] = [];
  const life = createLifeTest(
    () => undefined,
    () => new Promise((resolve) => decisions.push(resolve)),
  );
  const told: boolean[] = [];
  life.begin((isAlive) => told.push(isAlive));
  t.ok(await comesTrue(() => decisions.length === 1));
  life.end();
  decisions[0]?.(true);
  await new Promise((resolve) => setImmediate(resolve));
  t.same(told, [false]);
});
