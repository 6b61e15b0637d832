import t from "tap";
import { createCalls } from "../../src/calls/call-memory.ts";
import type { ReleaseWork } from "../../src/calls/release.ts";
import { inTurn, remaining, runRelease } from "../../src/engines/release-run.ts";
import { naming } from "../support/events.ts";

function work(steps: number, released: number, log: string[], name: string): ReleaseWork {
  let left = steps;
  return {
    step() {
      log.push(name);
      return --left <= 0;
    },
    waiting: () => 0,
    count: () => ({ released, gone: 1, notReleasable: 0 }),
  };
}

void t.test("one work after the other, a step in each turn of the event loop", async (t) => {
  const log: string[] = [];
  const turns = setImmediate(function again() {
    log.push("turn");
    if (log.length < 10) setImmediate(again);
  });
  const count = await runRelease(inTurn([work(2, 3, log, "a"), work(1, 4, log, "b")]));
  clearImmediate(turns);
  t.same(count, { released: 7, gone: 2, notReleasable: 0 });
  t.same(log.slice(0, 5), ["a", "turn", "a", "turn", "b"]);
  t.same(await runRelease(inTurn([])), { released: 0, gone: 0, notReleasable: 0 });
});

void t.test("what stands is counted where the filter has no dialog to end", async (t) => {
  const told: string[] = [];
  const calls = createCalls<undefined>({
    ...naming,
    capacity: 100,
    longestCall: () => 1e9,
    tell: ({ kind }) => told.push(kind),
  });
  for (const trunk of ["lease", "lease", "other"]) calls.forwarded(calls.begin("", trunk, 0), 0);
  t.same(await runRelease(remaining(calls, new Set(["lease"]))), {
    released: 0,
    gone: 0,
    notReleasable: 2,
  });
  t.same(told, [], "none is ended");
});

void t.test("waits for the answers", async (t) => {
  let waiting = 2;
  const count = await runRelease({
    step: () => true,
    waiting: () => waiting--,
    count: () => ({ released: 5 - Math.max(waiting, 0), gone: 0, notReleasable: 0 }),
  });
  t.same(count, { released: 5, gone: 0, notReleasable: 0 });
});
