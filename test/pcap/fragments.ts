// The memory that fragments of IP datagrams take: bounded, whatever fragments come.
import { Buffer } from "node:buffer";
import t from "tap";
import { createFragmentStore, type Fragment } from "../../src/pcap/fragments.ts";

const BOUND = 16 * 1024 * 1024;
const payload = Buffer.alloc(65_536, "x");

function fragment(key: number, offset: number, size: number, more = true): Fragment {
  return { key: `k${key}`, at: 0, offset, more, protocol: 17, buffer: payload, start: 0, end: size };
}

void t.test("datagrams that begin small and grow stay within the bound", (t) => {
  const store = createFragmentStore();
  let most = 0;
  for (let key = 0; key < 400; key++) store.add(fragment(key, 0, 8));
  for (let key = 0; key < 400; key++) {
    store.add(fragment(key, 8, 64_992));
    most = Math.max(most, store.held);
  }
  t.ok(most <= BOUND, `${most} bytes at most`);
  t.ok(most > BOUND - 131_072, "the bound is used");
  t.equal(store.add(fragment(0, 65_000, 100, false)), undefined, "the oldest gave way");
  t.equal(store.add(fragment(399, 65_000, 100, false))?.bytes.length, 65_100, "the newest is there");
  t.end();
});

void t.test("the oldest datagram may grow: the others give way", (t) => {
  const store = createFragmentStore();
  store.add(fragment(0, 0, 8));
  for (let key = 1; key < 258; key++) store.add(fragment(key, 0, 64_600));
  store.add(fragment(0, 8, 64_992));
  t.ok(store.held <= BOUND, `${store.held} bytes`);
  t.equal(store.add(fragment(0, 65_000, 100, false))?.bytes.length, 65_100);
  t.end();
});

void t.test("small fragments count with the memory around them", (t) => {
  const store = createFragmentStore();
  // 4096 datagrams of 100 fragments are 409,600 buffers, but only 3.3 MB of bytes.
  for (let key = 0; key < 4096; key++)
    for (let part = 0; part < 100; part++) store.add(fragment(key, part * 8, 8));
  t.ok(store.held <= BOUND, `${store.held} bytes`);
  t.equal(store.add(fragment(2000, 800, 8, false)), undefined, "an older one gave way");
  t.equal(store.add(fragment(4095, 800, 8, false))?.bytes.length, 808, "the newest is there");
  t.end();
});

void t.test("repeats, contradictions, expiry and completion leave nothing behind in the count", (t) => {
  const rows: readonly (readonly [name: string, fragments: readonly Fragment[]])[] = [
    ["whole", [fragment(1, 0, 8), fragment(1, 8, 8, false)]],
    ["each twice", [fragment(1, 0, 8), fragment(1, 0, 8), fragment(1, 8, 8, false)]],
    ["an overlap", [fragment(1, 0, 16), fragment(1, 8, 16)]],
    ["an overlap, and more after it", [fragment(1, 0, 16), fragment(1, 8, 16), fragment(1, 0, 16)]],
    ["two ends", [fragment(1, 8, 8, false), fragment(1, 16, 8, false)]],
    ["no bytes", [fragment(1, 0, 8), fragment(1, 8, 0)]],
    ["beyond 65,535", [fragment(1, 0, 8), fragment(1, 65_528, 8)]],
    ["513 fragments", Array.from({ length: 513 }, (_, i) => fragment(1, i * 8, 8))],
  ];
  for (const [name, fragments] of rows) {
    const store = createFragmentStore();
    for (const one of fragments) store.add(one);
    t.equal(store.held, 0, name);
  }
  const store = createFragmentStore();
  store.add(fragment(1, 0, 8));
  const once = store.held;
  store.add({ ...fragment(1, 0, 8), at: 61_000 });
  t.equal(store.held, once, "a datagram that takes the place of an expired one");
  t.end();
});
