import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import t, { type Test } from "tap";
import { type Filter, startFilter } from "./filter-process.ts";
import { openWorkplace, staticText, type Workplace } from "./workplace.ts";

const preload = join(process.cwd(), "test/support/standing-still.mjs");

/** What `kill -STOP` and `kill -CONT` do to the process, in seconds: stopped, then running. */
type Pauses = readonly (readonly [stopped: number, running: number])[];

const longPause: Pauses = [[30, 0]];

const table: readonly (readonly [what: string, pauses: Pauses])[] = [
  ["30 s", longPause],
  ["1 s on, 1 s off, for 20 s", Array.from({ length: 10 }, () => [1, 1] as const)],
  ["0.4 s in each half of a second, for 10 s", Array.from({ length: 20 }, () => [0.4, 0.1] as const)],
  ["2.1 s, just over the limit, again and again", Array.from({ length: 12 }, () => [2.1, 0.05] as const)],
];

async function open(t: Test): Promise<readonly [Workplace, Filter]> {
  const place = await openWorkplace();
  t.teardown(place.remove);
  place.write("sigwall.yaml", `${staticText}watchdogSeconds: 2\n`);
  const filter = await startFilter(place.config, ["--import", preload], undefined, {
    STANDING_STILL: "spin",
  });
  return [place, filter];
}

async function stopAndGo(filter: Filter, pauses: Pauses): Promise<void> {
  for (const [stopped, running] of pauses) {
    filter.signal("SIGSTOP");
    await pause(stopped * 1000);
    filter.signal("SIGCONT");
    await pause(running * 1000);
  }
}

/** The call thread hangs from now on: the watchdog ends the process. The seconds that it says are the hang's alone. */
async function endsByWatchdog(t: Test, filter: Filter): Promise<void> {
  t.match(
    JSON.parse(await filter.logged(["exit code 70"])),
    { level: "error", msg: /^the call thread has not turned for 2\.\d s: / },
    "the pause doesn't count",
  );
  await filter.ended;
  t.equal(filter.exitCode(), 70);
}

void t.test("watchdog of 2 s: a process that SIGSTOP stopped lives on", async (t) => {
  for (const [what, pauses] of table)
    await t.test(what, async (t) => {
      const [place, filter] = await open(t);
      await stopAndGo(filter, pauses);
      const ready = await fetch(`${filter.admin}/readyz`);
      t.same([ready.status, await ready.text()], [200, "ready\n"]);
      const gone = filter.ended.then(() => "the filter has ended");
      const call = place.placeCall(filter.sipPort, "01087654321", true);
      t.equal(await Promise.race([call, gone]), "forwarded");
      t.notMatch(filter.output(), "has not turned");
      // A hang is still seen.
      filter.signal("SIGUSR2");
      await endsByWatchdog(t, filter);
    });
});

void t.test("watchdog of 2 s: a hang that SIGSTOP interrupts ends the process all the same", async (t) => {
  const [, filter] = await open(t);
  filter.signal("SIGUSR2");
  await filter.logged(["standing still"]);
  await stopAndGo(filter, longPause);
  await endsByWatchdog(t, filter);
});
