// `node out/bench/detect/run.js --seed N --scale S`: the detectors over a virtual day, marked by its labels.
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import type { TrafficCall } from "../traffic/call.ts";
import { createTraffic } from "../traffic/traffic.ts";
import { detectorForms } from "../../src/screening/detectors/registry.ts";
import type { DetectorSettings } from "../../src/screening/detectors/detector.ts";
import { createWatch, defaultSettings } from "../../src/screening/detectors/watch.ts";
import { createMarks } from "./marks.ts";
import { playCalls } from "./events.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    scale: { type: "string", default: "0.05" },
    /** Names of detectors, with commas between. Left out: all. */
    only: { type: "string", default: "" },
    /** Thresholds other than those of the profile: `one-ring.score=9,one-ring.anHour=3`. */
    set: { type: "string", default: "" },
  },
});

function toNumber(name: "seed" | "scale", least: number, most: number): number {
  const value = Number(values[name]);
  if (value >= least && value <= most) return value;
  process.stderr.write(`--${name} ${values[name]}: give a number from ${least} to ${most}\n`);
  return process.exit(2);
}

function changed(changes: string): DetectorSettings {
  const all = new Map(
    [...defaultSettings].map(([id, setting]) => [id, { ...setting, thresholds: { ...setting.thresholds } }]),
  );
  for (const change of changes.split(",").filter((text) => text !== "")) {
    const [, detector, name = "", value] = /^([a-z-]+)\.([A-Za-z]+)=([0-9.]+)$/.exec(change) ?? [];
    const setting = [...all].find(([id]) => id === detector)?.[1];
    if (setting === undefined || !(name in setting.thresholds)) throw new Error(`no threshold: ${change}`);
    setting.thresholds[name] = Number(value);
  }
  return all;
}

const seed = toNumber("seed", 0, 2 ** 32 - 1);
const scale = toNumber("scale", 0.001, 4);
const only = values.only.split(",");
const forms = detectorForms.filter(({ id }) => values.only === "" || only.includes(id));
const settings = changed(values.set);
const traffic = createTraffic({ seed, scale });
const marks = createMarks(traffic);
let current: TrafficCall | undefined;
const watch = createWatch(
  {
    sizes: { calls: 262_144, subjects: 1_048_576, findings: 65_536 },
    settings: () => settings,
    ahead: () => 0,
    tell: (finding) => {
      if (current !== undefined) marks.found(finding, current);
    },
  },
  forms,
);
let calls = 0;
let milliseconds = 0;
playCalls(traffic.calls(), traffic.trunks, (event, call) => {
  current = call;
  if (event.kind === "decided") {
    calls += 1;
    marks.begun(call);
  }
  const begun = performance.now();
  watch.happened(event);
  milliseconds += performance.now() - begun;
});
process.stdout.write(
  [
    `seed ${seed}, scale ${scale}: ${calls} calls, ${traffic.campaigns.length} campaigns`,
    marks.print(forms.map(({ id }) => id)),
    `${((1000 * milliseconds) / calls).toFixed(2)} µs a call, reading the clock included; tables of ${(watch.octets() / 1e6).toFixed(0)} MB, reserved; ${watch.full()} not watched; RSS ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB`,
    "",
  ].join("\n"),
);
