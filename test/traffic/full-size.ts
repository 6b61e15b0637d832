// The full-size day: how many campaigns, and how many honest subjects carry the main sign of each detector.
import t from "tap";
import { detectors, difficulties } from "../../bench/traffic/call.ts";
import { createTraffic } from "../../bench/traffic/traffic.ts";

void t.test("traffic: the full size has enough of everything to measure precision and recall", (t) => {
  // Only subjects and campaigns are made: calls are made while they are read.
  const { campaigns, subjects, trunks, lessees } = createTraffic({ seed: 5, scale: 1 });
  for (const detector of detectors) {
    const mine = campaigns.filter((campaign) => campaign.detector === detector);
    t.ok(mine.length >= 100, `${detector}: ${mine.length} campaigns`);
    for (const difficulty of difficulties) {
      const count = mine.filter((campaign) => campaign.difficulty === difficulty).length;
      t.ok(count >= 30, `${detector} ${difficulty}: ${count}`);
    }
    const honest = subjects.filter(({ signs }) => signs.includes(detector));
    t.ok(honest.length >= 300, `${detector}: ${honest.length} honest subjects carry its main sign`);
    t.ok(
      new Set(honest.map(({ population }) => population)).size >= 3,
      `${detector}: they are of several populations`,
    );
  }
  const planned = campaigns.reduce((sum, { calls }) => sum + calls, 0);
  t.ok(Math.abs(planned / 200_000 - 1) < 0.15, `one hundredth of 20 million calls: ${planned}`);

  t.same(
    campaigns.filter(({ callers, blocks, called }) => callers.length + blocks.length + called.length === 0),
    [],
    "every campaign names its subjects",
  );
  t.same(
    campaigns.flatMap((campaign) => campaign.trunks.filter((trunk) => trunks[trunk]?.side !== "leased")),
    [],
    "no trunk of another network is a subject",
  );
  t.same(
    lessees.flatMap(({ id, trunks: own }) => own.filter((trunk) => trunks[trunk]?.lessee !== id)),
    [],
  );
  const firms = lessees.filter(({ licence }) => licence === "own-use").length;
  t.ok(firms > 3000, `firms: ${firms}`);
  t.end();
});
