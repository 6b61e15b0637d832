import { join } from "node:path";
import t from "tap";
import { startFilter } from "./filter-process.ts";
import { openWorkplace } from "./workplace.ts";

const preload = join(process.cwd(), "test/support/standing-still.mjs");

/** The value of a series without labels; undefined when a scrape does not have it. */
function valueOf(metrics: string, name: string): number | undefined {
  const line = metrics.split("\n").find((text) => text.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

void t.test(
  "a call thread that stands still: /healthz and /readyz turn 503, scrapes are answered, and all comes back",
  async (t) => {
    const place = await openWorkplace();
    t.teardown(place.remove);
    const filter = await startFilter(place.config, ["--import", preload]);
    const ask = async (path: string): Promise<readonly [status: number, body: string]> => {
      const response = await fetch(`${filter.admin}${path}`);
      return [response.status, await response.text()];
    };
    /** Asks again and again until the answer has this status; how many were asked before. */
    const until = async (path: string, status: number): Promise<string> => {
      for (;;) {
        const [found, body] = await ask(path);
        if (found === status) return body;
      }
    };
    t.same(await ask("/healthz"), [200, "alive\n"]);
    const before = (await ask("/metrics"))[1];
    t.equal(valueOf(before, "sigwall_forwarded_messages_total"), 0);

    filter.signal("SIGUSR2");
    await filter.logged(["standing still"]);
    const begun = performance.now();
    t.same(await ask("/healthz"), [200, "alive\n"], "at first it can't be known");
    const metrics = ask("/metrics");
    t.match(await until("/healthz", 503), /^the call thread has not turned for 2\.\d s\n$/);
    const noticed = performance.now() - begun;
    t.ok(noticed > 1500 && noticed < 3000, `noticed after ${noticed.toFixed(0)} ms`);
    t.equal((await ask("/readyz"))[0], 503);
    const [status, stuck] = await ask("/metrics");
    t.equal(status, 200);
    t.match(stuck, /^# the call thread has not turned for 2\.\d s: its figures are left out\n/);
    t.ok((valueOf(stuck, "sigwall_call_thread_turn_seconds") ?? 0) > 1.5, "the turn under way");
    t.equal(valueOf(stuck, "sigwall_forwarded_messages_total"), undefined, "nothing stale");
    t.equal((await metrics)[0], 200, "nor does a scrape hang that had begun before");

    t.equal(await until("/healthz", 200), "alive\n");
    t.equal(await until("/readyz", 200), "ready\n");
    t.equal(await place.placeCall(filter.sipPort, "01087654321"), "forwarded");
    const after = (await ask("/metrics"))[1];
    t.ok((valueOf(after, "sigwall_forwarded_messages_total") ?? 0) > 0);
    const longest = valueOf(after, "sigwall_call_thread_turn_seconds") ?? 0;
    t.ok(longest > 2.5 && longest < 10, `the longest turn is remembered: ${longest} s`);
    t.equal(valueOf(after, "sigwall_faults_total"), 0);
    t.equal(await filter.stop(), 0);
  },
);
