// `node out/bench/detect/cost.js`: what limits and each detector cost a call, of 100,000 callers; and with `--memory` their RSS.
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import type { CallAttempt } from "../../src/domain/attempt.ts";
import type { CallDecided, CallEnded, CallRef } from "../../src/domain/call.ts";
import type { FrequencyLimit } from "../../src/domain/trunk.ts";
import { plainTrunk } from "../../src/cli/captures/plain-trunk.ts";
import { compileFrequency } from "../../src/screening/limits/contract-frequency.ts";
import { detectorForms } from "../../src/screening/detectors/registry.ts";
import type { DetectorForm } from "../../src/screening/detectors/detector.ts";
import { createWatch, defaultSettings, type Watch } from "../../src/screening/detectors/watch.ts";
import { createScreeningState } from "../../src/screening/state.ts";
import { numberOf } from "./events.ts";

const HOUR = 3_600_000;
const WALL = Date.UTC(2026, 10, 30, 16);
const CALLERS = 100_000;
/** Calls that stand at one time: a minute of 800 calls a second. */
const STANDING = 48_000;
const BATCH = 500;
const MILLION = 1_000_000;

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "400000" },
    memory: { type: "boolean", default: false },
    /** One row of the table alone: what ran before changes how code is compiled. */
    row: { type: "string", default: "" },
  },
});

const limits: readonly FrequencyLimit[] = (
  [
    ["caller", "1h"],
    ["called", "1d"],
    ["lessee", "1d"],
  ] as const
).map(([per, written]) => ({
  name: `lessee acme ${per} ${written}`,
  per,
  calls: 10_000_000,
  within: written === "1h" ? HOUR : 24 * HOUR,
  written,
  onlyUnanswered: false,
}));

const trunks = Array.from({ length: 180 }, (_, index) => ({
  ...plainTrunk,
  id: `lease-${index}`,
  index,
  side: "lessee" as const,
  lessee: `lessee-${index}`,
}));

/** A number below `most` for each count: the same ones in every run, in no order. */
function shuffle(count: number, most: number): number {
  return (Math.imul(count, 0x9e37_79b1) >>> 0) % most;
}

function attemptOf(count: number, at: number, callers: number): CallAttempt {
  const person = shuffle(count, callers);
  return {
    at,
    trunk: trunks[person % trunks.length]!,
    origin: {
      signalling: "sip",
      transport: "udp",
      sourceAddress: "",
      sourcePort: 0,
      destinationAddress: "",
      destinationPort: 0,
    },
    calling: [{ source: "from", number: numberOf(862_160_000_000 + person), presentation: "allowed" }],
    called: numberOf(8_613_800_000_000 + shuffle(count * 7 + 3, callers)),
    emergencyUrn: false,
    diversion: [],
    privacy: 0,
    callId: `call-${count}`,
    fromTag: "",
    requestUri: "",
  };
}

function decidedOf(count: number, at: number, callers: number): CallDecided {
  const attempt = attemptOf(count, at, callers);
  return {
    kind: "decided",
    call: { id: `gw-1-${count}`, trunk: attempt.trunk.id },
    at,
    decision: {
      attempt,
      verdict: { kind: "accept", reason: "listed" },
      rule: "default",
      marks: [],
      shadow: [],
      revision: "",
    },
    action: { kind: "forwarded", hop: "core" },
  };
}

/** One call of three is not answered. */
function endedOf(call: CallRef, count: number, at: number): CallEnded {
  return count % 3 === 0
    ? { kind: "ended", call, at, by: "caller", how: "cancelled", status: 487, ringingMs: 900 }
    : {
        kind: "ended",
        call,
        at,
        by: "called",
        how: "released",
        status: 200,
        ringingMs: 900,
        answeredMs: 9000,
        talkedMs: 51_000,
      };
}

function watchOf(forms: readonly DetectorForm[]): Watch {
  const sizes = { calls: 65_536, subjects: 1_048_576, findings: 65_536 };
  return createWatch(
    { sizes, settings: () => defaultSettings, ahead: () => 0, tell: () => undefined },
    forms,
  );
}

/** @returns µs a call at a steady state: of batches, the first quartile and the median */
function measure(
  calls: number,
  callers: number,
  step: (event: CallDecided | CallEnded) => void,
  milliseconds = 1.25,
): readonly [quarter: number, median: number] {
  const standing: (CallRef | undefined)[] = Array.from({ length: STANDING });
  const times: number[] = [];
  const batch: (CallDecided | CallEnded)[] = [];
  for (let count = 0; count < calls; count++) {
    const at = WALL + count * milliseconds;
    const before = standing[count % STANDING];
    if (before !== undefined) batch.push(endedOf(before, count - STANDING, at));
    const call = decidedOf(count, at, callers);
    standing[count % STANDING] = call.call;
    batch.push(call);
    if (count % BATCH !== BATCH - 1) continue;
    const start = performance.now();
    for (const event of batch) step(event);
    if (count > STANDING * 2) times.push((1000 * (performance.now() - start)) / BATCH);
    batch.length = 0;
  }
  const sorted = times.toSorted((a, b) => a - b);
  return [sorted[sorted.length >> 2] ?? 0, sorted[sorted.length >> 1] ?? 0];
}

function stepOfLimits(): (event: CallDecided | CallEnded) => void {
  const state = createScreeningState({ callers: 65_536, recentCalls: 65_536, subjects: 2_097_152 });
  const limit = compileFrequency(limits);
  return (event) => {
    if (event.kind !== "decided") return;
    limit.check(event.decision.attempt, state);
    limit.spend(event.decision.attempt, state);
  };
}

if (values.memory) {
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const limit = stepOfLimits();
  const watch = watchOf(detectorForms);
  // Each number calls and is called once, in eleven minutes: none is past.
  measure(
    MILLION,
    MILLION,
    (event) => {
      limit(event);
      watch.happened(event);
    },
    0.66,
  );
  globalThis.gc?.();
  const after = process.memoryUsage().rss;
  process.stdout.write(
    `1,000,000 callers and 1,000,000 called parties: RSS ${((after - before) / 1e6).toFixed(0)} MB more than before, garbage and events of the bench included; ${watch.full()} not watched\n`,
  );
} else {
  const calls = Number(values.calls);
  const rows: readonly (readonly [name: string, step: () => (event: CallDecided | CallEnded) => void])[] = [
    ["nothing", () => () => undefined],
    ["three limits by contract", stepOfLimits],
    ["no detector", () => watchOf([]).happened],
    ...detectorForms.map((form) => [form.id, () => watchOf([form]).happened] as const),
    ["every detector", () => watchOf(detectorForms).happened],
    [
      "limits and detectors",
      () => {
        const limit = stepOfLimits();
        const watch = watchOf(detectorForms);
        return (event) => {
          limit(event);
          watch.happened(event);
        };
      },
    ],
  ];
  for (const [name, step] of rows) {
    if (values.row !== "" && values.row !== name) continue;
    const [quarter, median] = measure(calls, CALLERS, step());
    process.stdout.write(
      `${name.padEnd(26)} ${median.toFixed(2)} µs a call, a quarter below ${quarter.toFixed(2)}\n`,
    );
  }
}
