// A day of calls through the limits by contract, beside a naive count of chosen subjects that shares no code with them.
import t from "tap";
import { policyText, runDay } from "../../bench/counts/day.ts";
import { compileText } from "../support/proxy.ts";

/** A day of a twenty-fifth of the lines and callers, each with as many calls; `npm run bench:counts` has all 20 million calls. */
const CALLS = Number(process.env["DAY_CALLS"] ?? 800_000);

void t.test("a day of calls: exact up to an hour, at most 2 % high beyond, and level memory", (t) => {
  const policy = compileText(policyText(CALLS), { "all.csv": "number\n+86*\n" });
  const hours = runDay(policy, CALLS, [1, 6, 12, 24, 30]);
  t.same(
    hours.map(({ hour }) => hour),
    [1, 6, 12, 24, 30],
  );
  for (const { hour, compared, off, low, high, wrong, full } of hours) {
    t.ok(
      compared[0] > 100 && compared[1] > 100,
      `hour ${hour}: ${compared.join(" and ")} counts were compared`,
    );
    t.equal(off, 0, `hour ${hour}: up to an hour none differs`);
    t.equal(low, 0, `hour ${hour}: beyond none is low`);
    t.ok(high <= 0.02, `hour ${hour}: ${(high * 100).toFixed(2)} % high at most`);
    t.equal(wrong, 0, `hour ${hour}: the naive count bears out every verdict`);
    t.equal(full, 0, `hour ${hour}: the table has room`);
  }
  const [, sixth, , day, last] = hours;
  t.ok((last?.octets ?? 0) < 1.05 * (day?.octets ?? 0), "the next day takes no more memory");
  t.ok((last?.refused ?? 0) > 0, "some limit refuses");
  t.ok((sixth?.calls ?? 0) > CALLS / 20, "the night has calls too");
  t.end();
});
