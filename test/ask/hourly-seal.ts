import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import t from "tap";
import { residentOctets } from "../../src/app/children/quiet-child.ts";
import {
  type SealingChild,
  type SealResult,
  startHourlySeal,
  startSealing,
} from "../../src/app/hourly-seal.ts";
import { decided, openRecords } from "../support/records-folder.ts";

const MINUTE = 60_000;
const NOON = Date.UTC(2026, 9, 3, 12);

/** Lets what has been resolved run on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

const noChild: (value: Awaited<SealingChild["ended"]>) => void = () => undefined;

/** A virtual clock, children that the test ends, and what was told. */
function openStage(begin: number): {
  readonly starts: readonly string[];
  readonly told: readonly SealResult[];
  /** Lets time pass and everything run that is due. */
  readonly pass: (time: number) => Promise<void>;
  readonly endChild: (code: number | string, said?: string) => Promise<void>;
  readonly takeMemory: (octets: number) => void;
  readonly failToStart: (why: string | undefined) => void;
  readonly kills: () => number;
  readonly seal: ReturnType<typeof startHourlySeal>;
} {
  let now = begin;
  let timers: { readonly at: number; readonly run: () => void }[] = [];
  const starts: string[] = [];
  const told: SealResult[] = [];
  let end = noChild;
  let memory = 0;
  let kills = 0;
  let why: string | undefined;
  const seal = startHourlySeal({
    start() {
      starts.push(new Date(now).toISOString().slice(11, 16));
      if (why !== undefined) throw new Error(why);
      return {
        ended: new Promise((done) => (end = done)),
        memory: () => memory,
        kill: () => {
          kills++;
          end({ code: "SIGKILL", said: "" });
        },
      };
    },
    clock: {
      now: () => now,
      after(delay, run) {
        const timer = { at: now + delay, run };
        timers.push(timer);
        return { stop: () => (timers = timers.filter((other) => other !== timer)) };
      },
    },
    told: (result) => told.push(result),
  });
  return {
    starts,
    told,
    seal,
    kills: () => kills,
    async pass(time) {
      const until = now + time;
      for (;;) {
        const [next] = timers.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at);
        if (next === undefined) break;
        timers = timers.filter((timer) => timer !== next);
        now = next.at;
        next.run();
        await settle();
      }
      now = until;
    },
    async endChild(code, said = "") {
      end({ code, said });
      await settle();
    },
    takeMemory: (octets) => (memory = octets),
    failToStart: (reason) => (why = reason),
  };
}

void t.test("hourly seal: seven minutes after each hour", async (t) => {
  const stage = openStage(NOON + 20 * MINUTE);
  await stage.pass(46 * MINUTE);
  t.same(stage.starts, []);
  await stage.pass(MINUTE);
  t.same(stage.starts, ["13:07"]);
  await stage.pass(2 * MINUTE);
  await stage.endChild(0);
  t.match(stage.told, [{ result: "ok", why: undefined, took: 2 * MINUTE }]);
  await stage.pass(59 * MINUTE);
  t.same(stage.starts, ["13:07", "14:07"]);
  stage.seal.close();
});

void t.test("hourly seal: a failure is counted, told and tried again", async (t) => {
  const stage = openStage(NOON);
  await stage.pass(7 * MINUTE);
  await stage.endChild(1, "sigwall seal: no space left on the device\n");
  await stage.pass(10 * MINUTE);
  await stage.endChild("SIGSEGV");
  stage.failToStart("EAGAIN");
  await stage.pass(10 * MINUTE);
  stage.failToStart(undefined);
  await stage.pass(10 * MINUTE);
  await stage.endChild(0);
  t.same(stage.starts, ["12:07", "12:17", "12:27", "12:37"]);
  t.same(
    stage.told.map(({ why }) => why),
    [
      "it ended with 1: sigwall seal: no space left on the device",
      "it ended with SIGSEGV",
      "EAGAIN",
      undefined,
    ],
  );
  t.same(stage.seal.counts(), { ok: 1, failed: 3 });
  await stage.pass(30 * MINUTE);
  t.equal(stage.starts.at(-1), "13:07", "then hourly again");
});

void t.test("hourly seal: a child that takes too much memory or time is ended", async (t) => {
  const stage = openStage(NOON + 6 * MINUTE);
  await stage.pass(2 * MINUTE);
  t.equal(stage.kills(), 0);
  stage.takeMemory(1_000_000_001);
  await stage.pass(1000);
  t.equal(stage.kills(), 1);
  t.match(stage.told[0]?.why, /more than 1000 MB of memory and was ended/);
  stage.takeMemory(0);
  await stage.pass(45 * MINUTE);
  t.equal(stage.kills(), 2);
  t.match(stage.told[1]?.why, /more than 30 minutes and was ended/);
});

void t.test("hourly seal: memory as the kernel tells it, whatever the size of a page", (t) => {
  const rows: readonly (readonly [status: string, octets: number])[] = [
    ["Name:\tnode\nVmHWM:\t  900000 kB\nVmRSS:\t  123456 kB\nRssAnon:\t 1 kB\n", 123_456 * 1024],
    ["VmRSS:\t0 kB\n", 0],
    ["Name:\tVmRSS: 7 kB\nState:\tZ (zombie)\n", 0],
    ["", 0],
  ];
  for (const [status, octets] of rows) t.equal(residentOctets(status), octets, JSON.stringify(status));
  const own = residentOctets(readFileSync("/proc/self/status", "latin1"));
  t.ok(Math.abs(own / process.memoryUsage.rss() - 1) < 0.1, "as Node tells it");
  t.end();
});

void t.test("hourly seal: closing ends the child and starts no other", async (t) => {
  const stage = openStage(NOON + 6 * MINUTE);
  await stage.pass(2 * MINUTE);
  stage.seal.close();
  await stage.pass(180 * MINUTE);
  t.same([stage.kills(), stage.starts.length, stage.told.length], [1, 1, 0]);
});

void t.test("hourly seal: the child seals, and says why it can't", async (t) => {
  const { records, write, files, folder } = openRecords(t);
  // Long ago for the clock of the machine.
  write("2020-10-03/08-gw-a.ndjson", [decided()]);
  write("../sigwall.yaml", ["admin: 127.0.0.1:9464"]);
  const program = resolve("out/src/main.js");
  const child = startSealing(program, records, `${folder}/sigwall.yaml`);
  t.same(await child.ended, { code: 0, said: "" });
  t.ok(files().includes("2020-10-03/08-gw-a.attempts.parquet"));
  const failing = startSealing(program, `${records}/nowhere`, `${folder}/sigwall.yaml`);
  t.match(await failing.ended, { code: 1, said: /nowhere: no such folder/ });
});
