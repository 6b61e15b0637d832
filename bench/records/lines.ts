/** What a call costs the two threads of the records, without sockets: events to frames, frames to lines, files, evidence. */
import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import type { CallEvent } from "../../src/domain/call.ts";
import { createEvidenceWriting } from "../../src/app/records/evidence-writing.ts";
import { createOpenCalls } from "../../src/app/records/open-calls.ts";
import { makesLine, writeEvent } from "../../src/records/lines/event-frames.ts";
import { FrameFlag, LONGEST_FRAME } from "../../src/records/lines/frame-layout.ts";
import { createFramePen } from "../../src/records/lines/frame-pen.ts";
import { createLineWriter } from "../../src/records/lines/line-writer.ts";
import { createRingMemory, writeRing } from "../../src/state/byte-ring.ts";
import { playCalls } from "../calls.ts";
import { formatColumns, median } from "../report.ts";

const CALLS = 2000;
const TURNS = 60;
/** Frames between two batches of the records thread: 100 ms at 800 calls a second. */
const GROUP = 80;

type Kind = "allowed" | "rejected";
const events: Record<Kind, CallEvent[]> = { allowed: [], rejected: [] };
playCalls(CALLS, {
  happened(event) {
    if (!makesLine(event)) return;
    const isRefused = event.kind === "decided" && event.decision.verdict.kind !== "accept";
    const { bytes } = event.kind === "decided" ? event : {};
    const kept = bytes === undefined ? event : { ...event, bytes: Buffer.from(bytes) };
    events[isRefused ? "rejected" : "allowed"].push(kept);
  },
});

const rows = [
  ["µs of CPU a call, median of turns (lowest)", "event to frame", "frame to disk", "evidence beside it"],
];
for (const kind of ["allowed", "rejected"] as const) rows.push([kind, ...measure(events[kind])]);
process.stdout.write(
  `${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}, load ${loadavg()[0]?.toFixed(1)}\n`,
);
process.stdout.write(`${formatColumns(rows)}\n`);

/** Sends every event through a ring, a group at a time, and on into files. */
function measure(given: readonly CallEvent[]): readonly string[] {
  const written = turns(given, 0);
  const kept = turns(given, FrameFlag.evidence);
  const more = [median(kept.disk) - median(written.disk), Math.min(...kept.disk) - Math.min(...written.disk)];
  return [both(written.frames), both(written.disk), `${more[0]?.toFixed(2)} (${more[1]?.toFixed(2)})`];
}

function both(values: readonly number[]): string {
  return `${median(values).toFixed(2)} (${Math.min(...values).toFixed(2)})`;
}

interface Costs {
  readonly frames: readonly number[];
  readonly disk: readonly number[];
}

function turns(given: readonly CallEvent[], flags: number): Costs {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-bench-"));
  const ring = createRingMemory(1 << 24);
  const room = writeRing(ring, LONGEST_FRAME);
  const pen = createFramePen(ring.octets);
  const open = createOpenCalls(folder, "bench");
  const evidence =
    flags === 0
      ? undefined
      : createEvidenceWriting({
          config: {
            folder: join(folder, "evidence"),
            keyFile: join(folder, "key"),
            durability: "async",
            checkpointSeconds: 10,
            keepDays: 400,
            onFull: "count",
            perTrunk: { blocksPerSecond: 200, megabytesPerDay: 2048 },
            publish: undefined,
            origin: undefined,
            timeStamp: undefined,
          },
          node: "bench",
          isLocked: true,
          isAfterKill: false,
          checkpoint: noTime,
          trouble: noTime,
        });
  const writer = createLineWriter({
    ring,
    node: "bench",
    folder,
    keep: evidence?.append,
    names: [],
    lesseeOf: () => "lessee-1",
    ready: noTime,
    whyLost: () => "",
    lived: open.take,
    fault(error) {
      throw error;
    },
  });
  const frames: number[] = [];
  const disk: number[] = [];
  evidence?.work(Date.now(), Date.now());
  for (let turn = 0; turn < TURNS; turn += 1) {
    let framing = 0;
    let writing = 0;
    for (let first = 0; first < given.length; first += GROUP) {
      const begun = cpuMicros();
      for (const event of given.slice(first, first + GROUP)) {
        const place = room.begin();
        pen.moveTo(place);
        writeEvent(pen, event, event.kind === "decided" ? flags : 0);
        room.commit(pen.place() - place);
      }
      const framed = cpuMicros();
      writer.batch();
      evidence?.commit(Date.now(), false);
      framing += framed - begun;
      writing += cpuMicros() - framed;
    }
    frames.push(framing / CALLS);
    disk.push(writing / CALLS);
  }
  writer.close();
  evidence?.close(Date.now());
  rmSync(folder, { recursive: true, force: true });
  // The first turns are the compiler's.
  return { frames: frames.slice(10), disk: disk.slice(10) };
}

/** CPU of this process so far, µs: the collector's threads are in it. */
function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function noTime(): void {
  // The records thread says how long it took; the bench times it from outside.
}
