// The folder of the records can't be written, that of the evidence can: evidence goes on, and its answers wait for nothing else.
import { unlinkSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { startFilter } from "../cli/filter-process.ts";
import { evidenceLines, metricOf, NUMBERS, openCrowd, recordLines, verifyFolder } from "../support/crowd.ts";
import { until } from "../support/until.ts";

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
