// The counts of limits by contract over a restart: after an orderly stop, and after a kill.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { lineFilesIn } from "../../src/records/lines/read-lines.ts";
import { comesTrue } from "../support/until.ts";
import { openStage } from "./call-stage.ts";
import { type Filter, startFilter } from "./filter-process.ts";

async function openLimited(t: Parameters<typeof openStage>[0], records: string) {
  const stage = await openStage(t);
  const { place } = stage;
  const policy = join(place.folder, "policy.yaml");
  const text = readFileSync(policy, "utf8");
  const limits =
    "    limits: { frequency: [{ per: caller, calls: 4, within: 1h }, { per: trunk, calls: 1000, within: 1d }] }\n";
  writeFileSync(policy, text.replace(/( {2}- id: lease\n)/, `$1${limits}`));
  writeFileSync(place.config, `${readFileSync(place.config, "utf8")}${records}`);
  const start = async (): Promise<Filter> => {
    const filter = await startFilter(place.config);
    t.teardown(() => filter.signal("SIGKILL"));
    return filter;
  };
  /** Places a call that the limit refuses. */
  const isRefused = async (callId: string): Promise<string> => {
    stage.caller.send(stage.request("INVITE", callId, ["To: <sip:02787654321@127.0.0.1>", "CSeq: 1 INVITE"]));
    return stage.caller.heard(callId, "SIP/2.0 403");
  };
  return { ...stage, start, isRefused };
}

void t.test("kill -9: the calls since the snapshot are counted again, out of the record lines", async (t) => {
  const { start, placeCall, isRefused, place } = await openLimited(t, "records: { folder: records }\n");
  const first = await start();
  for (const callId of ["a", "b"]) await placeCall(callId, true);
  t.equal(await first.stop(), 0);

  const second = await start();
  await second.logged(["restored the counts of 2 numbers, and counted 0 calls since the snapshot"]);
  for (const callId of ["c", "d"]) await placeCall(callId, true);
  await isRefused("e");
  const isWritten = (): boolean =>
    lineFilesIn([join(place.folder, "records")]).some(({ path }) =>
      readFileSync(path, "utf8").includes('"callId":"e"'),
    );
  t.ok(await comesTrue(isWritten), "the line of the last call is on the disk");
  second.signal("SIGKILL");
  await second.ended;

  const third = await start();
  await third.logged(["restored the counts of 2 numbers, and counted 2 calls since the snapshot"]);
  t.match(await isRefused("f"), /^SIP\/2.0 403/, "four calls of the hour were made");
  t.equal(await third.stop(), 0);

  const damaged = join(place.folder, "state/frequency.counts");
  writeFileSync(damaged, readFileSync(damaged).subarray(0, -1));
  const fourth = await start();
  t.match(
    await fourth.logged(["the counts before the restart are forgotten"]),
    "it was cut or changed after it was written",
  );
  await placeCall("g", true);
  t.equal(await fourth.stop(), 0);
});
