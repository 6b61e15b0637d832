// `node out/bench/traffic/run.js --seed N --scale S`: makes a virtual day and prints what it consists of.
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { HOUR } from "./hours.ts";
import { createSummary } from "./summary.ts";
import { createTraffic } from "./traffic.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    scale: { type: "string", default: "0.025" },
    /** Hours of the day. */
    from: { type: "string", default: "0" },
    until: { type: "string", default: "24" },
  },
});

function toNumber(name: "seed" | "scale" | "from" | "until", least: number, most: number): number {
  const value = Number(values[name]);
  if (value >= least && value <= most) return value;
  process.stderr.write(`--${name} ${values[name]}: give a number from ${least} to ${most}\n`);
  return process.exit(2);
}

const begun = performance.now();
const traffic = createTraffic({
  seed: toNumber("seed", 0, 2 ** 32 - 1),
  scale: toNumber("scale", 0.001, 4),
  from: toNumber("from", 0, 24) * HOUR,
  until: toNumber("until", 0, 24) * HOUR,
});
const ready = performance.now();
const before = process.cpuUsage();
const summary = createSummary(traffic);
for (const call of traffic.calls()) summary.add(call);
const used = process.cpuUsage(before);
const wall = performance.now() - ready;
const seconds = (used.user + used.system) / 1e6;
process.stdout.write(
  `${summary.print()}\n\n${(ready - begun).toFixed(0)} ms to make the subjects; ${Math.round(summary.calls() / (wall / 1000))} calls a second, ${((1e6 * seconds) / Math.max(1, summary.calls())).toFixed(2)} µs of CPU each; RSS ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB\n`,
);
