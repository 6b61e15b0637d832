// `node out/bench/detect/run.js --seed N,N --scale S`: the detectors over virtual days, marked by their labels.
import { parseArgs } from "node:util";
import type { TrafficCall } from "../traffic/call.ts";
import { createTraffic } from "../traffic/traffic.ts";
import { detectorForms } from "../../src/screening/detectors/registry.ts";
import type { DetectorSettings } from "../../src/screening/detectors/detector.ts";
import { createWatch, defaultSettings } from "../../src/screening/detectors/watch.ts";
import { playCalls, MIDNIGHT } from "./events.ts";
import { printFigures } from "./figures.ts";
import { createMarks, type DayMarks } from "./marks.ts";

const { values } = parseArgs({
  options: {
    /** With commas between: figures are those of all days together. */
    seed: { type: "string", default: "1" },
    scale: { type: "string", default: "0.05" },
    /** Names of detectors, with commas between. Left out: all. */
    only: { type: "string", default: "" },
    /** Thresholds other than those of the profile: `one-ring.score=9,one-ring.anHour=3`. */
    set: { type: "string", default: "" },
  },
});

function toNumber(text: string, name: "seed" | "scale", least: number, most: number): number {
  const value = Number(text);
  if (value >= least && value <= most) return value;
  process.stderr.write(`--${name} ${text}: give a number from ${least} to ${most}\n`);
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

const scale = toNumber(values.scale, "scale", 0.001, 4);
const seeds = values.seed.split(",").map((seed) => toNumber(seed, "seed", 0, 2 ** 32 - 1));
const only = values.only.split(",");
const forms = detectorForms.filter(({ id }) => values.only === "" || only.includes(id));
const ids = forms.map(({ id }) => id);
const settings = changed(values.set);
let calls = 0;
let campaigns = 0;

function playDay(seed: number): DayMarks {
  const traffic = createTraffic({ seed, scale });
  const marks = createMarks(traffic, ids);
  let current: TrafficCall | undefined;
  const watch = createWatch(
    {
      sizes: { calls: 262_144, subjects: 1_048_576, findings: 65_536 },
      settings: () => settings,
      ahead: () => MIDNIGHT,
      tell: (finding) => {
        if (current !== undefined) marks.found(finding, current);
      },
    },
    forms,
  );
  playCalls(traffic.calls(), traffic, (event, call) => {
    current = call;
    if (event.kind === "decided") {
      calls += 1;
      marks.begun(call);
    }
    watch.happened(event);
  });
  campaigns += traffic.campaigns.length;
  if (watch.full() > 0) process.stdout.write(`seed ${seed}: ${watch.full()} not watched\n`);
  return marks.end();
}

const days = seeds.map(playDay);
process.stdout.write(
  `seeds ${seeds.join(", ")}, scale ${scale}: ${calls} calls, ${campaigns} campaigns\n${printFigures(ids, days)}\n`,
);
