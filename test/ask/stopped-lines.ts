import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import t from "tap";
import { NO_LINES } from "../../src/app/lines/lines-document.ts";
import { keepLines } from "../../src/app/lines/lines-files.ts";
import { decided, parseLines, seal } from "../support/records-folder.ts";
import { at, openPlace } from "./why-place.ts";

/** An `order` line. */
function order(time: string, line: string, state: string, given: object = {}): object {
  return {
    record: "order",
    time,
    node: "gw-a",
    line,
    state,
    previous: "active",
    order: `JG-${state}`,
    reason: "fraud",
    by: "command",
    ...given,
  };
}

for (const isSealed of [false, true])
  void t.test(`why: a line that was stopped by order, ${isSealed ? "sealed" : "open"}`, async (t) => {
    const { records, write, revision, why } = openPlace(t);
    const stopped = (id: string, minute: number, given: object = {}): object =>
      decided({ id, time: at(minute), revision, reason: "line-stopped", rule: "line-state", ...given });
    write("2026-08-20/08-gw-a.ndjson", [
      order("2026-08-20T08:00:00.000Z", "lessee:bank", "suspended", {
        authority: "public\u001b[31m security",
      }),
    ]);
    write("2026-10-03/08-gw-a.ndjson", [
      stopped("by-lessee", 1),
      order(at(2), "trunk:other", "closed"),
      order(at(3), "trunk:lease", "closed", { until: "2026-12-31T16:00:00.000Z" }),
      stopped("by-trunk", 4),
      order(at(5), "trunk:lease", "active"),
      stopped("by-lessee-again", 6),
      order(at(7), "lessee:bank", "active"),
      stopped("by-nobody", 8),
      order(at(9), "trunk:lease", "closed"),
      stopped("of-another-node", 10, { node: "gw-b" }),
      decided({ id: "other-reason", time: at(11), revision }),
    ]);
    if (isSealed) await seal(records);
    const { code, out, err } = await why({ callId: "call-1@203.0.113.10" });
    t.equal(code, 0, err);
    const stories = new Map(out.split("\n\n").map((text) => [text.slice(5, text.indexOf(",")), text]));
    const lessee =
      / {2}order +lessee:bank suspended since 2026-08-20T16:00:00\.000\+08:00 by command, order JG-suspended, authority public\\x1b\[31m security, reason fraud\n/;
    t.match(stories.get("by-lessee"), lessee);
    t.match(
      stories.get("by-trunk"),
      / {2}order +trunk:lease closed since 2026-10-03T16:03:00\.000\+08:00 by command, order JG-closed, reason fraud, until 2027-01-01T00:00:00\.000\+08:00\n/,
    );
    t.match(stories.get("by-lessee-again"), lessee);
    const unknown = / {2}order +no order for this line is recorded before the call/;
    t.match(stories.get("by-nobody"), unknown);
    t.match(
      stories.get("of-another-node"),
      / {2}order +trunk:lease closed since 2026-10-03T16:09:00\.000\+08:00 .*; told by node gw-a\n/,
    );
    t.notMatch(stories.get("other-reason"), /order /);
    t.match(stories.get("by-trunk"), /then +policy .*; not what was recorded/);
    t.match(
      stories.get("by-trunk"),
      /orders by command that were in force then, but as `order` lines: the policy of then is judged without them/,
    );
    const lines = parseLines((await why({ callId: "call-1@203.0.113.10", json: true })).out);
    t.match(lines[0], { id: "by-lessee", stoppedBy: { record: "order", order: "JG-suspended" } });
  });

void t.test("why: today counts the orders by command", async (t) => {
  const { records, write, revision, why } = openPlace(t);
  write("2026-10-03/08-gw-a.ndjson", [decided({ revision })]);
  const callId = "call-1@203.0.113.10";
  t.match((await why({ callId })).out, /today +policy [0-9a-f]{12}: accept listed/);
  const state = join(records, "..", "state");
  mkdirSync(state);
  const commanded = { state: "suspended", order: "JG-9", calls: "keep" } as const;
  await keepLines(state, { ...NO_LINES, orders: new Map([["lessee:bank", commanded]]) });
  const config = join(records, "..", "sigwall.yaml");
  const { STATE_DIRECTORY: _unused, ...env } = process.env;
  const { stdout, status } = spawnSync(
    process.execPath,
    [resolve("out/src/main.js"), "why", callId, "--config", config, "--records", records],
    { encoding: "utf8", env },
  );
  t.equal(status, 0);
  t.match(
    stdout,
    /today +policy [0-9a-f]{12}: reject line-stopped by line-state, which saw lessee:bank is suspended by command, order JG-9;/,
  );
  t.match(stdout, /to turn it +take the order away: sigwall line open lessee:bank/);
});
