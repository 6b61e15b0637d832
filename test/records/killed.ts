// A filter that is killed under load: every line but those of its last moment is there, none is torn, and the loss is told.
import { readFileSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { readLines } from "../../src/records/lines/read-lines.ts";
import { runCommand, startFilter } from "../cli/filter-process.ts";
import { openWorkplace, staticText } from "../cli/workplace.ts";
import { until } from "../support/until.ts";

/** Lines are written every 50 ms. A busy machine may take longer to give the thread its turn. Milliseconds. */
const WRITTEN_BY = 2000;

void t.test(
  "killed: what was answered is in the records, and the next start tells of the kill",
  async (t) => {
    const place = await openWorkplace();
    t.teardown(place.remove);
    place.write("sigwall.yaml", `${staticText}node: gw-a\nrecords: { folder: records }\n`);
    const records = join(place.folder, "records");
    const lines = (): readonly Readonly<Record<string, unknown>>[] =>
      [...readLines([records])].flatMap(({ line }) => (line === undefined ? [] : [line]));
    const decidedIds = (): ReadonlySet<unknown> =>
      new Set(lines().flatMap(({ record, callId }) => (record === "decided" ? [callId] : [])));

    const answered: { readonly callId: string; readonly at: number }[] = [];
    for (let round = 0; round < 3; round++) {
      const filter = await startFilter(place.config);
      t.teardown(() => filter.signal("SIGKILL"));
      for (let count = 0; count < 60; count++) {
        const outcome = await place.placeCall(
          filter.sipPort,
          count % 2 === 0 ? "01087654444" : "01087654321",
        );
        if (outcome !== "403" && outcome !== "forwarded") t.fail(outcome);
        const callId = /Call-ID: (.*)\r\n/u.exec(place.lastInvite())?.[1] ?? "";
        answered.push({ callId, at: performance.now() });
        if (count === 40) await until(() => answered.every((call) => decidedIds().has(call.callId)));
      }
      const killedAt = performance.now();
      filter.signal("SIGKILL");
      await filter.ended;
      const there = decidedIds();
      const missing = answered.filter(({ callId, at }) => at < killedAt - WRITTEN_BY && !there.has(callId));
      t.same(missing, [], `round ${round}: no line of before the last moment is missing`);
      // What the kill took is taken out of the account: nobody can know it.
      answered.splice(0, answered.length, ...answered.filter(({ callId }) => there.has(callId)));
      t.not(readFileSync(join(records, "gw-a.lock"), "latin1"), "", "the pid stays");
    }
    const last = await startFilter(place.config);
    t.teardown(() => last.signal("SIGKILL"));
    await until(() => lines().filter(({ record }) => record === "gap").length === 3);
    for (const { why } of lines().filter(({ record }) => record === "gap"))
      t.match(why, /^the process before this one was killed/u);
    const starts = lines().filter(({ record, cause }) => record === "policy" && cause === "start");
    t.equal(starts.length, 4);

    const second = await runCommand(["run", "--config", place.config]);
    t.equal(second.code, 1);
    t.match(
      second.stderr,
      /process \d+ writes the records of node gw-a/u,
      "a second process of the node does not start",
    );

    t.equal(await last.stop(), 0);
    t.equal(readFileSync(join(records, "gw-a.lock"), "latin1"), "");
    const bad = [...readLines([records])].filter(({ line }) => line === undefined);
    t.same(bad, [], "no line is torn");
    const ids = lines().flatMap(({ record, id }) => (record === "decided" ? [id] : []));
    t.equal(new Set(ids).size, ids.length, "every id is there once");
  },
);

void t.test("onFull refuse: new calls are refused as overload until the folder can be written", async (t) => {
  const place = await openWorkplace();
  t.teardown(place.remove);
  place.write("sigwall.yaml", `${staticText}node: gw-a\nrecords: { folder: records/here, onFull: refuse }\n`);
  place.write("records", "in the way");
  const filter = await startFilter(place.config);
  t.teardown(() => filter.signal("SIGKILL"));
  await filter.logged(["records can't be written to", "refused as `overload`, but for emergency calls"]);
  t.equal(await place.placeCall(filter.sipPort, "01087654321"), "503");
  await filter.logged(['"reason":"overload"']);
  const emergency = place
    .lastInvite()
    .replaceAll("02787654321", "110")
    .replace(/Call-ID: .*\r\n/u, "Call-ID: sos\r\n")
    .replace(/branch=[^;\r]*/u, "branch=z9hG4bKsos");
  t.equal(await place.send(filter.sipPort, emergency), "forwarded");
  unlinkSync(join(place.folder, "records"));
  await filter.logged(["records are written to"]);
  t.equal(await place.placeCall(filter.sipPort, "01087654321"), "forwarded");
  t.equal(await filter.stop(), 0);
  const lines = [...readLines([join(place.folder, "records/here")])].map(
    ({ line }) => line?.["reason"] ?? line?.["record"],
  );
  // Memory had room, so that even the refusal has its line. The gap is the policy, which could not be kept.
  t.same(lines, ["gap", "policy", "overload", "emergency", "listed"]);
  t.equal(readFileSync(join(place.folder, "records/here/gw-a.lock"), "latin1"), "", "an orderly end");
});
