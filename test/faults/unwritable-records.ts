// Folders that can't be written: evidence goes on without records, and a stop answers what waits for evidence.
import { unlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import t from "tap";
import { startFilter } from "../cli/filter-process.ts";
import { evidenceLines, metricOf, NUMBERS, openCrowd, recordLines, verifyFolder } from "../support/crowd.ts";
import { until } from "../support/until.ts";

const REFUSED =
  'sigwall_attempts_total{trunk="lease",verdict="reject",reason="cli-not-listed",rule="caller-authentication",mode="enforce"}';

void t.test("records can't be written: evidence can", async (t) => {
  const place = await openCrowd(
    "records: { folder: records/here }\nevidence: { folder: evidence, durability: before-reject }\n",
  );
  t.teardown(place.close);
  place.write("records", "in the way");
  const filter = await startFilter(place.config);
  t.teardown(() => filter.signal("SIGKILL"));
  await filter.logged(["records can't be written to"]);
  const [caller] = place.callers;
  if (caller === undefined) throw new Error("no caller");
  const folder = join(place.folder, "evidence");
  let isQuick = false;
  for (let count = 1; count <= 20; count++) {
    const { outcome, sentAt, endedAt } = await caller.call(filter.sipPort);
    t.equal(outcome, "403");
    isQuick ||= endedAt - sentAt < 200;
    if (endedAt - sentAt < 240)
      t.equal(evidenceLines(folder).length, count, "the evidence is there with the answer");
  }
  t.ok(isQuick, "answers don't wait for 250 ms");
  t.equal((await caller.call(filter.sipPort, NUMBERS.listed)).outcome, "forwarded");
  t.equal(await metricOf(filter.admin, 'sigwall_evidence_lost_total{cause="memory"}'), 0);
  unlinkSync(join(place.folder, "records"));
  const records = join(place.folder, "records/here");
  await until(() => recordLines(records).filter(({ record }) => record === "decided").length === 21);
  t.equal(await filter.stop(), 0);
  const { code, said } = verifyFolder(folder);
  t.equal(code, 0, said);
});

void t.test(
  "a stop without a drain: refusals that wait for their evidence are answered before the end",
  async (t) => {
    const place = await openCrowd("evidence: { folder: evidence, durability: before-reject }\n");
    t.teardown(place.close);
    place.write("evidence", "in the way");
    const filter = await startFilter(place.config);
    t.teardown(() => filter.signal("SIGKILL"));
    await filter.logged(["evidence can't be written to"]);
    const [caller] = place.callers;
    if (caller === undefined) throw new Error("no caller");
    // Nothing but time lets these answers go. They are held when the process is told to stop.
    const calls = Array.from({ length: 20 }, () => caller.call(filter.sipPort));
    while ((await metricOf(filter.admin, REFUSED)) !== calls.length) await pause(5);
    t.equal(await filter.stop(), 0);
    for (const { outcome } of await Promise.all(calls)) t.equal(outcome, "403");
  },
);
