import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

/** What lines are made of. The same plan gives the same lines. */
export interface LinePlan {
  readonly node: string;
  /** Unix milliseconds of the first call. */
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly calls: number;
  readonly seed?: number;
  readonly revision?: string;
  /** Start of the ids. */
  readonly epoch?: number;
}

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
export function createDice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const trunks = Array.from({ length: 24 }, (_, index) => ({
  trunk: `bj-lease-${String(index + 1).padStart(2, "0")}`,
  lessee: index % 3 === 0 ? "jinghua-bank" : `lessee-${index}`,
  /** The lessee's block of 1000 numbers. */
  block: 10_6000_0000 + index * 1_7000,
  source: `198.51.100.${index + 10}:5060`,
}));

const refusals = [
  ["cli-not-listed", "caller-authentication", 403],
  ["police-listed", "deny-lists", 603],
  ["cli-hidden", "hidden-caller", 433],
  ["cli-malformed", "caller-form", 403],
] as const;

/** One call: its decision, and its end where it was forwarded. */
export interface MadeCall {
  readonly at: number;
  readonly decided: string;
  /** Unix milliseconds of the end. */
  readonly endAt: number;
  /** Undefined: the call was refused. */
  readonly ended: string | undefined;
}

const hex = "0123456789abcdef";

/** Makes the calls of a plan in the order of their times. */
export function* makeCalls(plan: LinePlan): Generator<MadeCall> {
  const { node, from, to, calls, revision = "9f2c41aa03b7" } = plan;
  const dice = createDice(plan.seed ?? 7);
  const epoch = (plan.epoch ?? Math.floor(from / 1000)).toString(36);
  const pick = (count: number): number => Math.floor(dice() * count);
  for (let count = 1; count <= calls; count++) {
    const at = Math.floor(from + ((to - from) * (count - 1 + dice())) / calls);
    const line = trunks[Math.floor(dice() * dice() * trunks.length)] ?? trunks[0];
    if (line === undefined) throw new Error("no trunk");
    const id = `${node}-${epoch}-${count}`;
    const isRefused = dice() < 0.08;
    const caller = isRefused
      ? `+8613${String(pick(1e9)).padStart(9, "0")}`
      : `+86${line.block + Math.floor(1000 * dice() ** 3)}`;
    const called = `0${["27", "21", "755", "28"][pick(4)]}8${String(pick(1e7)).padStart(7, "0")}`;
    let token = "";
    for (let letter = 0; letter < 12; letter++) token += hex[pick(16)];
    const [reason, rule, status] = isRefused ? (refusals[pick(4)] ?? refusals[0]) : ["listed", "default", 0];
    const time = new Date(at).toISOString();
    const decided = JSON.stringify({
      record: "decided",
      id,
      node,
      time,
      signalling: "sip",
      transport: "udp",
      source: line.source,
      destination: "192.0.2.1:5060",
      callId: `${token}@${line.source.split(":", 1)[0]}`,
      requestUri: `sip:${called}@192.0.2.1`,
      calling: [
        { source: "p-asserted-identity", raw: caller, number: caller, presentation: "allowed" },
        { source: "from", raw: `0${caller.slice(3)}`, number: caller, presentation: "allowed" },
      ],
      called: { raw: called, number: `+86${called.slice(1)}` },
      listener: "udp:192.0.2.1:5060",
      bodies: ["application/sdp"],
      agent: "Huawei SoftX3000 V300R602",
      codecs: "PCMA/8000 telephone-event/8000",
      fromHost: line.source.split(":", 1)[0],
      trunk: line.trunk,
      lessee: line.lessee,
      verdict: isRefused ? "reject" : "accept",
      reason,
      rule,
      mode: isRefused ? "enforce" : undefined,
      revision,
      action: isRefused ? "answered" : "forwarded",
      status: isRefused ? status : undefined,
      cause: isRefused ? 21 : undefined,
      nextHop: isRefused ? undefined : "udp:192.0.2.200:5060",
      ...(reason === "police-listed"
        ? { listLine: `lists/police.csv:${2 + pick(40)}`, notice: "公刑通2026-114" }
        : {}),
      // Each number of a lessee has a row of its own: the costliest list.
      ...(isRefused
        ? {}
        : { listLine: `lists/${line.lessee}.csv:${Number(caller.slice(1)) - 861_060_000_000}` }),
      contract: `HT-2026-${line.trunk}`,
    });
    const isAnswered = dice() < 0.55;
    const ringingMs = 800 + pick(2500);
    const answeredMs = ringingMs + 2000 + pick(20_000);
    const seconds = Math.round(-90_000 * Math.log(1 - dice())) / 1000;
    const endAt = isAnswered ? at + answeredMs + seconds * 1000 : at + ringingMs + 4000 + pick(26_000);
    const ended = isRefused
      ? undefined
      : JSON.stringify({
          record: "ended",
          id,
          node,
          time: new Date(endAt).toISOString(),
          trunk: line.trunk,
          lessee: line.lessee,
          ringingMs,
          ...(isAnswered ? { answeredMs, seconds } : {}),
          by: dice() < 0.5 ? "caller" : "called",
          how: isAnswered ? "released" : dice() < 0.6 ? "cancelled" : "refused",
          status: isAnswered ? 200 : 487,
          ...(isAnswered ? { cause: 16 } : {}),
        });
    yield { at, decided, endAt, ended };
  }
}

/** Writes the calls of a plan into the NDJSON files of a records folder, each line in the hour of its time. */
export function writeRecords(
  records: string,
  plan: LinePlan,
): { readonly decided: number; readonly ended: number } {
  const files = new Map<string, Lines>();
  let open: Lines | undefined;
  let openHour = -1;
  const waiting = new Map<number, [number, string][]>();
  const counts = { decided: 0, ended: 0 };

  const linesOf = (hour: number): Lines => {
    if (hour === openHour && open !== undefined) return open;
    const [day = "", rest = ""] = new Date(hour * 3_600_000).toISOString().split("T");
    const path = join(records, day, `${rest.slice(0, 2)}-${plan.node}.ndjson`);
    open = files.get(path) ?? openLines(path);
    files.set(path, open);
    openHour = hour;
    return open;
  };
  /** Writes the ends up to a second. */
  const flushEnds = (until: number): void => {
    for (const second of [...waiting.keys()].filter((key) => key < until).toSorted((a, b) => a - b)) {
      for (const [at, text] of (waiting.get(second) ?? []).toSorted(([a], [b]) => a - b)) {
        linesOf(Math.floor(at / 3_600_000)).add(text);
        counts.ended++;
      }
      waiting.delete(second);
    }
  };
  let second = 0;
  for (const { at, decided, endAt, ended } of makeCalls(plan)) {
    const now = Math.floor(at / 1000);
    if (now > second) {
      flushEnds(now);
      second = now;
    }
    linesOf(Math.floor(at / 3_600_000)).add(decided);
    counts.decided++;
    if (ended === undefined) continue;
    const key = Math.floor(endAt / 1000);
    const row = waiting.get(key) ?? [];
    row.push([endAt, ended]);
    waiting.set(key, row);
  }
  flushEnds(Infinity);
  for (const lines of files.values()) lines.close();
  return counts;
}

interface Lines {
  readonly add: (text: string) => void;
  readonly close: () => void;
}

function openLines(path: string): Lines {
  mkdirSync(join(path, ".."), { recursive: true });
  const file = openSync(path, "a");
  let parts: string[] = [];
  let length = 0;
  const flush = (): void => {
    writeSync(file, parts.join(""));
    parts = [];
    length = 0;
  };
  return {
    add(text) {
      parts.push(text, "\n");
      length += text.length;
      if (length > 1 << 20) flush();
    },
    close() {
      flush();
      closeSync(file);
    },
  };
}
