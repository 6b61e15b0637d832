import t from "tap";
import { createTokenBuckets } from "../../src/state/token-bucket.ts";

/** Takes tokens at `now` until there is none; how many. */
function drain(buckets: ReturnType<typeof createTokenBuckets>, rate: number, now: number): number {
  let taken = 0;
  while (buckets.wait("a", rate, now) === 0 && taken < 10_000) {
    buckets.take("a", rate, now);
    taken++;
  }
  return taken;
}

void t.test("token bucket: one second's worth at once, then one a period", (t) => {
  const table: readonly [rate: number, depth: number, period: number][] = [
    [1, 1, 1000],
    [3, 3, 1000 / 3],
    [10, 10, 100],
    [50, 50, 20],
    [200, 200, 5],
    [0.5, 1, 2000],
  ];
  for (const [rate, depth, period] of table) {
    const buckets = createTokenBuckets();
    t.equal(drain(buckets, rate, 0), depth, `${rate}/s: depth`);
    t.equal(buckets.wait("a", rate, 0), period, `${rate}/s: wait`);
    const due = Math.ceil(period);
    t.ok(buckets.wait("a", rate, due - 1) > 0, `${rate}/s: nothing at ${due - 1} ms`);
    t.equal(drain(buckets, rate, due), 1, `${rate}/s: one at ${due} ms`);
    t.equal(drain(buckets, rate, due + 60_000), depth, `${rate}/s: never more than a second's worth`);
  }
  t.end();
});

void t.test("token bucket: refilled in many small steps, not a thousandth is lost or gained", (t) => {
  const buckets = createTokenBuckets();
  drain(buckets, 10, 0);
  for (let now = 1; now < 100; now++) t.ok(buckets.wait("a", 10, now) > 0, `${now} ms`);
  t.equal(buckets.wait("a", 10, 100), 0);
  t.end();
});

void t.test("token bucket: names don't share, and a new rate applies at once", (t) => {
  const buckets = createTokenBuckets();
  t.equal(drain(buckets, 100, 0), 100);
  t.equal(buckets.wait("b", 100, 0), 0, "another trunk");
  t.equal(drain(buckets, 100, 1000), 100);
  t.equal(drain(buckets, 100, 1000), 0);
  t.equal(drain(buckets, 5, 61_000), 5, "a reload to a lower rate empties what is over");
  for (let i = 0; i < 100; i++) t.equal(buckets.wait(`trunk-${i}`, 1, 0), 0);
  t.equal(drain(buckets, 5, 61_000), 0, "more names than the first slots: the old ones stay");
  t.end();
});

void t.test("token bucket: a clock set back gives nothing away", (t) => {
  const buckets = createTokenBuckets();
  drain(buckets, 10, 10_000);
  t.ok(buckets.wait("a", 10, 5000) > 0);
  t.equal(buckets.wait("a", 10, 5100), 0, "it fills on from the new time");
  t.end();
});
