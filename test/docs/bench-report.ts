// The table of the bench: what can't be compared has no number.
import t from "tap";
import { formatReport } from "../../bench/report.ts";

type Target = Parameters<typeof formatReport>[0][number];

function measured(target: Target, microsPerCall: number): Parameters<typeof formatReport>[1] {
  return (["allowed", "rejected"] as const).map((kind) => ({
    target,
    kind,
    microsPerCall,
    calls: 1,
    failed: 0,
    retransmissions: 0,
    p99: 2,
  }));
}

void t.test("bench: a column of ratios without Kamailio says so, and never NaN", (t) => {
  const sigwall: Target = { name: "sigwall", title: "sigwall" };
  const kamailio: Target = { name: "kamailio", title: "kamailio" };
  const alone = formatReport([sigwall], measured(sigwall, 200), new Map());
  t.notMatch(alone, "NaN");
  t.match(alone, /^sigwall +200 +200–200 +– +< 2 +200 +200–200 +– +< 2 +0 of 2/m);
  const both = formatReport(
    [kamailio, sigwall],
    [...measured(kamailio, 100), ...measured(sigwall, 200)],
    new Map(),
  );
  t.match(both, /^sigwall +200 +200–200 +2\.00 /m);
  t.end();
});
