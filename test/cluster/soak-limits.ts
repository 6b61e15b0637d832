// What the soak of two nodes counts as too many calls.
import t from "tap";
import { excessOfChannels, excessOfRate } from "../../bench/soak/cluster/limits.ts";

/** 20 at once, then `perSecond` a second for 10 s. */
function calls(perSecond: number): readonly number[] {
  const steady = Array.from({ length: perSecond * 10 }, (_, index) => (index * 1000) / perSecond);
  return [...Array.from({ length: 20 }, () => 0), ...steady];
}

const away = (who: string, from: number, until: number): { who: string; from: number; until: number } => ({
  who,
  from,
  until,
});

void t.test("callsPerSecond: 20 at once and 20 a second are those of one node", (t) => {
  const one = excessOfRate(calls(20), 20, 40, 2, [])["all there"];
  t.ok(one.most <= 0, "none above");
  t.equal(one.bound, 6, "what the other lets pass in 300 ms");
  const both = excessOfRate(calls(40), 20, 40, 2, [])["all there"];
  t.ok(both.most > both.bound, "two nodes that count alone");
  const alone = excessOfRate(calls(40), 20, 40, 2, [away("Redis", -1000, 10_000)])["Redis away"];
  t.ok(alone.most <= alone.bound, "they may while Redis is away");
  const killed = excessOfRate(calls(40), 20, 40, 2, [away("node-1", -1000, 10_000)])["a node away"];
  t.ok(killed.most > killed.bound, "and not while a node is");
  const short = excessOfRate(calls(40), 20, 40, 2, [away("Redis", 0, 1_000)])["Redis away"];
  t.ok(short.most > short.bound, "nor for longer than Redis is away");
  t.end();
});

void t.test("channels: calls that stand at one time", (t) => {
  const steps = Array.from({ length: 40 }, (_, index) => ({ at: index * 100, by: 1 as const }));
  const all = excessOfChannels(steps, 30, 20, 2, 3_000, [])["all there"];
  t.match(all, { most: 10, bound: 3 });
  const alone = excessOfChannels(steps, 30, 20, 2, 3_000, [away("Redis", 0, 4_000)])["Redis away"];
  t.ok(alone.most <= alone.bound);
  t.end();
});
