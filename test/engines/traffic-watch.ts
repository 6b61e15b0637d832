import t from "tap";
import { createTrafficWatch, QUIET } from "../../src/engines/traffic-watch.ts";
import { createCounters } from "../../src/observe/counters.ts";

void t.test("traffic watch: quiet for T2 after the last message, or until the time is over", async (t) => {
  const rows: readonly (readonly [
    name: string,
    messages: readonly number[],
    asked: number,
    most: number,
    end: number,
  ])[] = [
    ["nothing ever", [], 0, 32_000, 100],
    ["quiet long before", [0], 10_000, 32_000, 10_100],
    ["a message just before", [9_900], 10_000, 32_000, 9_900 + QUIET],
    ["messages on and on", [9_900, 12_000, 15_000, 18_900], 10_000, 8_000, 18_000],
    ["messages, then none", [9_900, 12_000], 10_000, 32_000, 12_000 + QUIET],
  ];
  for (const [name, messages, asked, most, end] of rows) {
    const counters = createCounters();
    const watch = createTrafficWatch(counters, 0);
    let clock = 0;
    let ended = 0;
    for (let now = 0; now <= 20_000; now += 100) {
      clock = now;
      if (messages.includes(now)) counters.forwarded++;
      watch.look(now);
      if (now === asked) void watch.quiet(now, most).then(() => (ended = clock));
      // Whoever waits is told in a turn of its own.
      await Promise.resolve();
    }
    t.equal(ended, end, name);
  }
});
