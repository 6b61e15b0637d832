// The ring between two threads: frames come out as they went in, a full ring takes nothing, nothing is read twice.
import t from "tap";
import { createRingMemory, readRing, writeRing } from "../../src/state/byte-ring.ts";

/** Writes a frame of `length` octets of one value. @returns false when there is no room */
function put(
  memory: ReturnType<typeof createRingMemory>,
  writer: ReturnType<typeof writeRing>,
  length: number,
  value: number,
): boolean {
  const place = writer.begin();
  if (place < 0) return false;
  memory.octets.fill(value, place, place + length);
  writer.commit(length);
  return true;
}

void t.test("ring: frames of every length, over its end many times", (t) => {
  const memory = createRingMemory(256);
  const writer = writeRing(memory, 50);
  const reader = readRing(memory);
  let wrong = 0;
  for (let i = 0; i < 20_000; i++) {
    const length = (i * 7) % 51;
    if (!put(memory, writer, length, i % 251)) wrong++;
    if (!reader.next()) wrong++;
    const frame = memory.octets.slice(reader.start, reader.end);
    if (frame.length !== length || frame.some((octet) => octet !== i % 251)) wrong++;
    reader.release();
  }
  t.equal(wrong, 0);
  t.notOk(reader.next(), "and nothing is left");
  t.end();
});

void t.test("ring: positions pass 2^32", (t) => {
  const memory = createRingMemory(256);
  // Both positions, just below their end.
  memory.cells.fill(-64, 0, 2);
  const writer = writeRing(memory, 50);
  const reader = readRing(memory);
  for (let i = 0; i < 10; i++) {
    t.ok(put(memory, writer, 40, i));
    t.ok(reader.next());
    t.equal(memory.octets[reader.start], i);
    reader.release();
  }
  t.end();
});

void t.test("ring: full until a frame is released", (t) => {
  const memory = createRingMemory(256);
  const writer = writeRing(memory, 50);
  const reader = readRing(memory);
  let count = 0;
  while (put(memory, writer, 50, count)) count++;
  t.equal(count, 4);
  t.notOk(writer.hasRoom());
  t.ok(reader.next());
  t.notOk(put(memory, writer, 50, 9), "a frame that was read is still there");
  reader.release();
  t.ok(put(memory, writer, 50, 9));
  t.end();
});

void t.test("ring: a reader that begins anew reads what was not released", (t) => {
  const memory = createRingMemory(1024);
  const writer = writeRing(memory, 50);
  for (const value of [1, 2, 3]) put(memory, writer, 1, value);
  const first = readRing(memory);
  first.next();
  first.release();
  first.next();
  const second = readRing(memory);
  const seen: (number | undefined)[] = [];
  while (second.next()) seen.push(memory.octets[second.start]);
  t.same(seen, [2, 3]);
  t.end();
});

void t.test("ring: a frame that was begun and given up leaves nothing", (t) => {
  const memory = createRingMemory(256);
  const writer = writeRing(memory, 50);
  const reader = readRing(memory);
  for (let i = 0; i < 50; i++) {
    writer.begin();
    put(memory, writer, 44, i);
    t.ok(reader.next());
    t.equal(memory.octets[reader.start], i);
    reader.release();
  }
  t.end();
});
