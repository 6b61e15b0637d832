/** How long a scrape holds up the call thread: 200 trunks with every series they can have, turns of the event loop as they pass. */
import { Buffer } from "node:buffer";
import { openSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { startAdminThread } from "../src/app/admin/admin-thread.ts";
import { loadPolicy } from "../src/config/load-policy.ts";
import { namedMethods } from "../src/domain/method.ts";
import { announceDecision, countRefusal, createCounters } from "../src/observe/counters.ts";
import { type FigureSources, joinFigures, readFigures } from "../src/observe/figures.ts";
import { createMetrics } from "../src/observe/metrics.ts";
import type { Policy } from "../src/policy/policy.ts";
import { possibleDecisions } from "../src/screening/chain/possible-decisions.ts";
import { formatColumns, median } from "./report.ts";

const trunkCount = 200;
const rounds = 100;
/** How long a turn is watched when there is nothing to wait for. Milliseconds. */
const quietTime = 50;

if (isMainThread) await compare();
else serveClient();

async function compare(): Promise<void> {
  const sources = sourcesOf(compile());
  const thread = startAdminThread({ level: "silent", fd: openSync("/dev/null", "w"), timeZone: undefined });
  const admin = await thread.open({
    endpoint: { address: "127.0.0.1", port: 0 },
    figures: sources,
    isReady: () => true,
    reload: () => Promise.resolve({ result: "ok" }),
    fault(error) {
      throw error;
    },
  });
  const client = new Worker(new URL(import.meta.url));
  const scrape = (): Promise<number> =>
    new Promise((resolve) => {
      client.once("message", resolve);
      client.postMessage(`http://${admin.address}/metrics`, []);
    });
  const metrics = createMetrics();
  const renderHere = (): Promise<string> =>
    metrics.render(joinFigures(readFigures(sources)), { longestTurn: 0, logLost: 0 });
  const bytes = await scrape();
  await renderHere();

  const series = (await renderHere()).split("\n").filter((line) => line.startsWith("sigwall_")).length;
  const parts = [...readFigures(sources)].length;
  process.stdout.write(
    `${trunkCount} trunks, ${series} series, ${Math.round(bytes / 1024)} KB, ${parts} slices; ${rounds} scrapes\n`,
  );
  process.stdout.write(`${formatColumns(await measureSlices(sources, client))}\n\n`);
  const rows: (readonly string[])[] = [
    ["longest turn of the call thread", "median ms", "90 % ms", "worst ms"],
  ];
  rows.push(await measure("no scrape", () => pause(quietTime)));
  rows.push(await measure("scraped, rendered in the admin thread", scrape));
  rows.push(await measure("rendered in the call thread", renderHere));
  process.stdout.write(`${formatColumns(rows)}\n`);
  await client.terminate();
  await admin.close();
  await thread.close();
}

/**
 * What each slice costs the call thread, reading and cloning: the median over all rounds, so that other work on the machine is out of
 * it; the longest of them is what a call may wait for.
 */
async function measureSlices(
  sources: FigureSources,
  client: Worker,
): Promise<readonly (readonly string[])[]> {
  const slices: number[][] = [];
  for (let round = -10; round < rounds; round++) {
    const parts = readFigures(sources);
    for (let index = 0; ; index++) {
      const begun = performance.now();
      const { done, value } = parts.next();
      client.postMessage(value ?? {}, []);
      const spent = performance.now() - begun;
      if (round >= 0) (slices[index] ??= []).push(spent);
      if (done === true) break;
      await nextTurn();
    }
  }
  const medians = slices.map(median);
  const sum = medians.reduce((total, each) => total + each, 0);
  const cells = [Math.max(...medians), sum / medians.length, sum].map((millis) => millis.toFixed(3));
  return [
    ["a slice, median over all scrapes", "longest ms", "mean ms", "whole scrape ms"],
    ["read and cloned in the call thread", ...cells],
  ];
}

/** The longest turn in each of many rounds of `work`, while the event loop turns as fast as it can. */
async function measure(name: string, work: () => Promise<unknown>): Promise<readonly string[]> {
  const longest: number[] = [];
  for (let round = -10; round < rounds; round++) {
    const stop = watchTurns();
    await work();
    const length = stop();
    if (round >= 0) longest.push(length);
  }
  const sorted = longest.toSorted((left, right) => left - right);
  const figures = [median(sorted), sorted[Math.floor(rounds * 0.9)] ?? 0, sorted.at(-1) ?? 0];
  return [name, ...figures.map((millis) => millis.toFixed(2))];
}

/** Turns until it is told to stop; says then how long the longest turn was. */
function watchTurns(): () => number {
  let longest = 0;
  let last = performance.now();
  let next = setImmediate(turn);
  function turn(): void {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    next = setImmediate(turn);
  }
  return () => {
    clearImmediate(next);
    return Math.max(longest, performance.now() - last);
  };
}

function pause(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}

/** 180 lessees with a trunk each, and 20 trunks of other networks; two next hops each. */
function compile(): Policy {
  const trunks: string[] = [];
  const lessees: string[] = [];
  const files = new Map<string, string>();
  for (let index = 1; index <= trunkCount; index++) {
    const hops = `nextHops: ["sip:192.0.2.${index}:5060", "sip:198.51.100.${index}:5060"]`;
    const match = `match: { addresses: [203.0.113.${index}] }`;
    if (index > 180) {
      trunks.push(`  - { id: national-${index}, side: national, ${match}, ${hops} }`);
      continue;
    }
    trunks.push(`  - { id: lease-${index}, side: lessee, lessee: lessee-${index}, ${match}, ${hops} }`);
    lessees.push(`  - { id: lessee-${index}, numbers: lessee-${index}.csv }`);
    files.set(`lessee-${index}.csv`, `number\n+${861_080_000_000 + index}\n`);
  }
  files.set("policy.yaml", `version: 1\ntrunks:\n${trunks.join("\n")}\nlessees:\n${lessees.join("\n")}\n`);
  const { policy, issues } = loadPolicy((path) => {
    const text = files.get(path);
    return text === undefined ? { error: "not found" } : { bytes: Buffer.from(text) };
  }, "policy.yaml");
  if (policy === undefined)
    throw new Error(issues.map(({ line, message }) => `${line} ${message}`).join("\n"));
  return policy;
}

/** Every decision a trunk may come to, and a refusal of every other method. */
function sourcesOf(policy: Policy): FigureSources {
  const counters = createCounters();
  for (const { trunk, screen } of policy.trunks) {
    for (const decision of possibleDecisions(screen)) announceDecision(counters, trunk.id, decision);
    for (const method of namedMethods) {
      for (const reason of ["method-not-allowed", "dialog-unknown", "overload"] as const)
        countRefusal(counters, trunk.id, method, reason);
    }
  }
  return {
    counters,
    reloads: { ok: 1, failed: 0, refused: 0 },
    sockets: "batched",
    policy: () => policy,
    nextHops: () =>
      policy.trunks.flatMap(({ trunk }) =>
        trunk.nextHops.map(({ id }) => ({ trunk: trunk.id, id, state: "up" as const, addresses: 1 })),
      ),
    names: () => [],
    health: () => ({ stage: 0, isDraining: false, load: { busy: 0, late: 0 } }),
    calls: () => new Map(policy.trunks.map(({ trunk }) => [trunk.id, { setup: 2, answered: 7 }])),
    tableFull: { callers: 0, recentCalls: 0 },
    ruleFaults: {},
  };
}

/** Scrapes an address when it is told to, in a thread of its own; says how many octets came. */
function serveClient(): void {
  parentPort?.on("message", (url: unknown) => {
    // Slices that are measured end here.
    if (typeof url !== "string") return;
    void fetch(url)
      .then((response) => response.arrayBuffer())
      .then((body) => parentPort?.postMessage(body.byteLength, []));
  });
}
