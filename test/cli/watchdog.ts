import { join } from "node:path";
import t from "tap";
import { startFilter } from "./filter-process.ts";
import { openWorkplace, staticText } from "./workplace.ts";

const preload = join(process.cwd(), "test/support/standing-still.mjs");

void t.test(
  "watchdog: a call thread that does not turn ends the process with its stack and exit code 70",
  async (t) => {
    for (const [how, stack] of [
      ["spin", "spinningForEver"],
      ["regex", "backtrackingForEver"],
      ["kernel", "in a system call"],
    ] as const) {
      const place = await openWorkplace();
      t.teardown(place.remove);
      place.write("sigwall.yaml", `${staticText}watchdogSeconds: 1\n`);
      process.env["STANDING_STILL"] = how;
      const filter = await startFilter(place.config, ["--import", preload]).finally(() => {
        delete process.env["STANDING_STILL"];
      });
      filter.signal("SIGUSR2");
      const line = await filter.logged(["exit code 70"]);
      t.match(JSON.parse(line), { level: "error", msg: /^the call thread has not turned for 1\.\d s: / });
      t.match(line, stack, how);
      await filter.ended;
      t.equal(filter.exitCode(), 70, how);
    }
  },
);

void t.test("watchdog: 0 switches it off", async (t) => {
  const place = await openWorkplace();
  t.teardown(place.remove);
  place.write("sigwall.yaml", `${staticText}watchdogSeconds: 0\n`);
  const filter = await startFilter(place.config, ["--import", preload]);
  filter.signal("SIGUSR2");
  await filter.logged(["standing still"]);
  await filter.logged(["moving again"]);
  t.equal(await filter.stop(), 0);
});
