// What the memory of calls costs: a whole life, and a tag on the wire. ns, medians over batches.
import { Buffer } from "node:buffer";
import { createCalls } from "../src/calls/call-memory.ts";
import { createCallTags } from "../src/calls/call-tag.ts";
import { createKeyedTags } from "../src/sip/tag.ts";
import { median } from "./report.ts";

const batchSize = 1000;
const batches = 200;
/** Calls at once: the rows that a call touches are no longer in any cache. */
const standing = 200_000;

/** Rows of step and median ns. */
export function measureCallMemory(): readonly (readonly string[])[] {
  const keys = Array.from({ length: standing }, (_, i) => `z9hG4bK-524287-1---${i}abcdef;192.0.2.10:5060`);
  let now = Date.parse("2026-06-01T00:00:00Z");
  let told = 0;
  const calls = createCalls({
    capacity: 262_144,
    node: "gw-a",
    epoch: 1_790_000_000,
    longestCall: () => 43_200_000,
    tell: () => told++,
  });
  const slots = new Int32Array(standing);
  const begin = (turn: number): void => {
    const i = turn % standing;
    const slot = calls.begin(keys[i] ?? "", "lease", now);
    slots[i] = slot;
    calls.forwarded(slot, now);
    calls.provisional(slot, true, now);
    calls.answered(slot, "as7d8f6a7s", 1800, now);
  };
  const end = (turn: number): void => {
    const slot = slots[turn % standing] ?? -1;
    calls.leaving(slot, "as7d8f6a7s", "caller", 16, now);
    calls.left(slot, "", "", 200, now);
  };
  for (let turn = 0; turn < standing; turn++) begin(turn);
  const life = measure("memory of calls: a whole life, 200,000 standing", (turn) => {
    if (turn % batchSize === 0) calls.tick((now += 1000));
    end(turn);
    begin(turn);
  });
  const repeat = measure("memory of calls: a repeat is found", (turn) =>
    calls.find(keys[(turn * 7919) % standing] ?? "", now),
  );
  if (told === 0) throw new Error("nothing was told");
  const tags = createCallTags(createKeyedTags(Buffer.alloc(32, 7)), "gw-a");
  const name = { epoch: 1_790_000_000, count: 1 };
  const tweak = "0123456789abcdef";
  const text = tags.write(name, tweak);
  return [
    life,
    repeat,
    measure("tag of a call: write", (turn) => tags.write({ epoch: name.epoch, count: turn }, tweak)),
    measure("tag of a call: read", () => tags.read(text, tweak)),
  ];
}

function measure(name: string, operation: (turn: number) => unknown): readonly string[] {
  const nanos: number[] = [];
  let turn = 0;
  for (let batch = -batches; batch < batches; batch += 1) {
    const begun = process.hrtime.bigint();
    for (let i = 0; i < batchSize; i += 1) operation(turn++);
    if (batch >= 0) nanos.push(Number(process.hrtime.bigint() - begun) / batchSize);
  }
  return [name, median(nanos).toFixed(0)];
}
