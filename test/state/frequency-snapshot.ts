// Counts over a restart: what was packed counts on, on another clock.
import { Buffer } from "node:buffer";
import t from "tap";
import { createFrequencyCounts } from "../../src/state/frequency/frequency-counts.ts";
import { packFrequencies, restoreFrequencies } from "../../src/state/frequency/frequency-snapshot.ts";
import { createRandom } from "../pcap/reading.ts";

const HOUR = 3_600_000;
const forms = [
  { name: "short", calls: 40, within: 60_000 },
  { name: "exact", calls: 500, within: HOUR },
  { name: "long", calls: 100_000, within: 24 * HOUR },
  { name: "month", calls: 100_000, within: 720 * HOUR },
] as const;

void t.test(
  "the counts after a restart are those before it, whatever the clock of the process shows",
  (t) => {
    const random = createRandom(77);
    const before = createFrequencyCounts(4096);
    // Another number for each limit: a policy may have others by then.
    const after = createFrequencyCounts(4096);
    after.limit("new", { calls: 1, within: 1000 });
    const limits = forms.map((form) => before.limit(form.name, form));
    let now = 1000;
    for (let i = 0; i < 60_000; i++) {
      now += random(1200);
      const limit = random(4);
      const subject = limit === 3 ? 13_800_138_000 + random(3) : random(40) - 4;
      if (before.count(limits[limit]!, subject, now) < forms[limit]!.calls)
        before.add(limits[limit]!, subject, now, "a");
    }
    const at = Date.UTC(2026, 10, 30);
    const bytes = packFrequencies(before.view(), now, at);
    // The process begins anew three seconds later, its clock near 0.
    const restored = restoreFrequencies(after, bytes, 50, at + 3000);
    t.match(restored, { at });
    let wrong = 0;
    for (const [limit, form] of forms.entries())
      for (let subject = -4; subject < 40; subject++) {
        const key = limit === 3 ? 13_800_138_000 + (subject & 3) : subject;
        for (const later of [3000, 30_000, 59_000, HOUR / 2, HOUR, 12 * HOUR, 23 * HOUR, 25 * HOUR]) {
          const expected = before.count(limits[limit]!, key, now + later);
          const counted = after.count(after.limit(form.name, form), key, 50 + later - 3000);
          // Seconds of long windows begin elsewhere on the other clock.
          if (Math.abs(counted - expected) > (limit < 2 ? 0 : Math.max(2, expected * 0.002))) wrong++;
        }
      }
    t.equal(wrong, 0);
    t.end();
  },
);

void t.test("what is no snapshot is told in words, and takes nothing", (t) => {
  const counts = createFrequencyCounts(64);
  const limit = counts.limit("x", { calls: 5, within: 60_000 });
  counts.add(limit, 1, 1000, "a");
  const good = packFrequencies(counts.view(), 2000, 5000);
  const damaged = Buffer.from(good);
  damaged[good.length - 1]! ^= 1;
  const newer = Buffer.from(good);
  newer[4] = 2;
  for (const [bytes, why] of [
    [Buffer.alloc(0), /no snapshot/],
    [Buffer.from("SWCLxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"), /no snapshot/],
    [good.subarray(0, -2), /cut or changed/],
    [damaged, /cut or changed/],
    [newer, /another release/],
  ] as const) {
    const empty = createFrequencyCounts(64);
    t.match(restoreFrequencies(empty, bytes, 0, 5000), why);
    t.equal(empty.size, 0);
  }
  const taken = createFrequencyCounts(64);
  t.match(restoreFrequencies(taken, good, 0, 4000), { subjects: 1 }, "a clock that was set back");
  t.equal(taken.count(taken.limit("x", { calls: 5, within: 60_000 }), 1, 0), 1);
  t.end();
});
