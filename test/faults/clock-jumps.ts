// The clock jumps a year ahead and back under a running filter: nothing is deleted, nothing is lost, the log verifies.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { readLines } from "../../src/records/lines/read-lines.ts";
import { wallNow } from "../../src/wire/kernel/clock.ts";
import { startFilter } from "../cli/filter-process.ts";
import {
  evidenceLines,
  type Fields,
  NUMBERS,
  openCrowd,
  recordLines,
  verifyFolder,
} from "../support/crowd.ts";
import { until } from "../support/until.ts";

const DAY = 86_400_000;
const folders = existsSync("/usr/lib") ? readdirSync("/usr/lib") : [];
const library = folders
  .map((name) => join("/usr/lib", name, "faketime/libfaketimeMT.so.1"))
  .find((path) => existsSync(path));

const settings = `records: { folder: records, keepDays: 10 }
evidence: { folder: evidence, durability: before-reject, checkpointSeconds: 1, keepDays: 10 }
`;

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

if (library === undefined) t.pass("clock jumps", { skip: "faketime is not installed: no clock is set" });
else
  for (const days of [365, -365])
    void t.test(`the clock jumps by ${days} days and back`, async (t) => {
      const place = await openCrowd(settings);
      t.teardown(place.close);
      const records = join(place.folder, "records");
      const evidence = join(place.folder, "evidence");
      const setClock = (by: number): void => place.write("clock", `${by >= 0 ? "+" : ""}${by}d\n`);
      setClock(0);
      const now = wallNow();
      // Days that stay, and one that is too old by the right clock.
      for (const age of [1, 5, 9, 20]) {
        mkdirSync(join(records, dayOf(now - age * DAY)), { recursive: true });
        writeFileSync(
          join(records, dayOf(now - age * DAY), "12-gw-a.ndjson"),
          `{"record":"x","time":"${dayOf(now - age * DAY)}T12:00:00.000Z"}\n`,
        );
      }
      const filter = await startFilter(place.config, [], undefined, {
        LD_PRELOAD: library,
        FAKETIME_TIMESTAMP_FILE: join(place.folder, "clock"),
        FAKETIME_NO_CACHE: "1",
        FAKETIME_DONT_FAKE_MONOTONIC: "1",
      });
      t.teardown(() => filter.signal("SIGKILL"));
      const [caller] = place.callers;
      if (caller === undefined) throw new Error("no caller");
      const ofKind = (record: string): readonly Fields[] =>
        recordLines(records).filter((line) => line["record"] === record);
      const timeOf = (callId: string): number =>
        Date.parse(
          String(
            recordLines(records).find((line) => line["callId"] === callId && line["record"] === "decided")?.[
              "time"
            ],
          ),
        );
      /** Sets the clock, and places calls until one has the new time. The clock is looked at ten times a second. */
      const callsAt = async (step: number): Promise<readonly string[]> => {
        setClock(step);
        const ids: string[] = [];
        const isDated = (): boolean => Math.abs(timeOf(ids.at(-1) ?? "") - wallNow() - step * DAY) < DAY / 2;
        while (ids.length < 3 || !isDated()) {
          if (ids.length > 500) throw new Error(`no line follows the clock by ${step} days`);
          const number = ids.length % 3 === 1 ? NUMBERS.listed : NUMBERS.unlisted;
          const call = await caller.call(filter.sipPort, number);
          t.equal(call.outcome, number === NUMBERS.listed ? "forwarded" : "403");
          ids.push(call.callId);
          await until(() => !Number.isNaN(timeOf(call.callId)));
        }
        return ids;
      };
      const ids = [...(await callsAt(0))];
      t.same(
        ofKind("deleted").map(({ day }) => day),
        [dayOf(now - 20 * DAY)],
        "retention works before the jump",
      );
      ids.push(...(await callsAt(days)));
      if (days > 0)
        await filter.logged(["old records and evidence are deleted when it has said so for 24 hours"]);
      ids.push(...(await callsAt(0)));
      ids.push(...(await callsAt(days)));
      t.equal(ofKind("deleted").length, 1, "no jump deletes a day");
      t.equal(await filter.stop(), 0);

      // A start while the clock is wrong.
      const again = await startFilter(place.config, [], undefined, {
        LD_PRELOAD: library,
        FAKETIME_TIMESTAMP_FILE: join(place.folder, "clock"),
        FAKETIME_NO_CACHE: "1",
        FAKETIME_DONT_FAKE_MONOTONIC: "1",
      });
      t.teardown(() => again.signal("SIGKILL"));
      ids.push((await caller.call(again.sipPort)).callId);
      await until(() => !Number.isNaN(timeOf(ids.at(-1) ?? "")));
      t.equal(await again.stop(), 0);
      t.equal(ofKind("deleted").length, 1, "nor does a start");
      for (const age of [1, 5, 9])
        t.ok(existsSync(join(records, dayOf(now - age * DAY), "12-gw-a.ndjson")), `${age} days old`);

      const decided = ofKind("decided").map(({ callId }) => String(callId));
      t.same(decided.toSorted(byText), ids.toSorted(byText), "every call has its line, once");
      for (const callId of ids) {
        const at = timeOf(callId);
        const found = [...readLines([records], { from: at - 1000, to: at + 1000 })].filter(
          ({ line }) => line?.["callId"] === callId,
        );
        t.equal(found.length, 1, "and it is found by its time");
      }
      const refused = ids.filter((callId) => caller.calls.get(callId)?.outcome === "403");
      t.same(
        evidenceLines(evidence)
          .filter(({ record }) => record === "decided")
          .map(({ callId }) => callId),
        refused,
        "the evidence has them in the order in which they came",
      );
      const { code, said } = verifyFolder(evidence);
      t.equal(code, 0, said);
    });
