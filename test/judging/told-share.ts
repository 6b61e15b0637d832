// Which refusals are told one by one, and which as a sum.
import t from "tap";
import type { CallsShed } from "../../src/domain/call.ts";
import { createToldShare, type ToldShare } from "../../src/judging/told-share.ts";

/** How many of `count` are told one by one. */
function take(share: ToldShare, count: number, now: number, trunk = "lease", status = 503): number {
  let told = 0;
  for (let i = 0; i < count; i++) if (share.take(trunk, "overload", status, now)) told++;
  return told;
}

/** The sums that are due, as text. */
function flush(share: ToldShare, now: number): readonly string[] {
  const sums: CallsShed[] = [];
  share.flush(now, (event) => sums.push(event));
  return sums.map(
    ({ trunk, reason, status, count, from, to }) =>
      `${trunk} ${reason} ${status}: ${count}, ${from} to ${to}`,
  );
}

void t.test("fifty of a second are told one by one, the others as a sum when it is over", (t) => {
  const share = createToldShare();
  t.equal(take(share, 50, 5000), 50);
  t.same(flush(share, 7000), [], "near miss: nothing is left to sum");
  t.equal(take(share, 51, 10_000), 50);
  t.equal(take(share, 2, 10_999), 0, "the last moment of the second");
  t.same(flush(share, 10_999), [], "not over yet");
  t.same(flush(share, 11_000), ["lease overload 503: 3, 10000 to 11000"]);
  t.same(flush(share, 12_000), [], "each sum once");
  t.equal(take(share, 60, 11_000), 50, "a second of its own");
  t.end();
});

void t.test("a take in the next second closes the sum of before", (t) => {
  const share = createToldShare();
  take(share, 60, 0);
  t.equal(take(share, 1, 1000), 1);
  t.same(flush(share, 1000), ["lease overload 503: 10, 0 to 1000"]);
  t.end();
});

void t.test("each trunk has its share, and each reason and status its sum", (t) => {
  const share = createToldShare();
  t.equal(take(share, 60, 0, "lease"), 50);
  t.equal(take(share, 10, 0, "other"), 10);
  t.equal(take(share, 3, 0, "lease", 500), 0, "the share is the trunk's, not the status's");
  share.take("lease", "protocol", 503, 0);
  t.same(flush(share, 1000), [
    "lease overload 503: 10, 0 to 1000",
    "lease overload 500: 3, 0 to 1000",
    "lease protocol 503: 1, 0 to 1000",
  ]);
  t.end();
});

void t.test("a clock that is set back begins a second, and loses nothing", (t) => {
  const share = createToldShare();
  take(share, 60, 100_000);
  t.equal(take(share, 1, 5000), 1);
  t.same(flush(share, 5000), ["lease overload 503: 10, 100000 to 101000"]);
  t.end();
});
