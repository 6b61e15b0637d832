import t from "tap";
import { createExpiringMap } from "../../src/state/expiring-map.ts";

const LIFE = 1000;

void t.test("expiring map: an entry lives exactly one lifetime", (t) => {
  const table: readonly [at: number, live: boolean][] = [
    [0, true],
    [LIFE - 1, true],
    [LIFE, false],
    [LIFE + 1, false],
    [-1, true],
    [-LIFE, true],
    [-LIFE - 1, false],
  ];
  for (const [at, live] of table) {
    const map = createExpiringMap<string>(4, LIFE);
    t.equal(map.set("a", "value", 0), true);
    t.equal(map.get("a", at), live ? "value" : undefined, `age ${at}`);
  }
  t.end();
});

void t.test("expiring map: full of live entries it takes no new key, but renews a known one", (t) => {
  const map = createExpiringMap<number>(2, LIFE);
  t.equal(map.set("a", 1, 0), true);
  t.equal(map.set("b", 2, 500), true);
  t.equal(map.set("c", 3, LIFE - 1), false, "a is alive to the last millisecond");
  t.equal(map.get("c", LIFE - 1), undefined);
  t.equal(map.get("a", LIFE - 1), 1, "a refused key costs nobody's life");
  t.equal(map.set("c", 3, LIFE), true, "a has expired and makes room");
  t.equal(map.set("b", 20, LIFE), true, "known");
  t.equal(map.get("b", LIFE + 999), 20, "renewed");
  t.equal(map.size, 2);
  t.end();
});

void t.test("expiring map: reading prolongs nothing and protects nothing", (t) => {
  const map = createExpiringMap<number>(2, LIFE);
  map.set("a", 1, 0);
  map.set("b", 2, 100);
  for (let at = 0; at < LIFE; at += 10) map.get("a", at);
  t.equal(map.get("a", LIFE), undefined);
  t.equal(map.set("c", 3, LIFE), true, "the oldest goes, however often it was read");
  t.equal(map.get("b", LIFE), 2);
  t.end();
});

void t.test("expiring map: what leaves is told once, what is replaced is not", (t) => {
  const gone: number[] = [];
  const map = createExpiringMap<number>(2, LIFE, (value) => gone.push(value));
  map.set("a", 1, 0);
  map.set("a", 2, 10);
  map.set("b", 3, 20);
  t.same(gone, []);
  map.delete("b");
  map.delete("b");
  t.same(gone, [3]);
  map.set("c", 4, 2000);
  map.set("d", 5, 2000);
  t.same(gone, [3, 2]);
  t.end();
});

void t.test("expiring map: dead entries are swept out while it is far from full", (t) => {
  const map = createExpiringMap<number>(100_000, LIFE);
  for (let i = 0; i < 10_000; i++) map.set(`k${i}`, i, i);
  t.ok(map.size <= LIFE + 64, `${map.size} held, ${LIFE} alive`);
  t.end();
});

void t.test("expiring map: a clock set back by far empties it instead of filling it for ever", (t) => {
  const map = createExpiringMap<number>(2, LIFE);
  map.set("a", 1, 1_000_000);
  map.set("b", 2, 1_000_000);
  t.equal(map.set("c", 3, 0), true);
  t.equal(map.get("a", 0), undefined);
  t.equal(map.get("c", 0), 3);
  t.end();
});

void t.test("expiring map: room is what a new key would find, dead entries swept out", (t) => {
  const map = createExpiringMap<number>(2, LIFE);
  const rows = [
    ["a", 0, true],
    ["b", 10, true],
    ["c", LIFE - 1, false],
    ["d", LIFE, true],
    ["e", LIFE, false],
    ["f", LIFE + 10, true],
  ] as const;
  for (const [key, now, hasRoom] of rows) {
    t.equal(map.hasRoom(now), hasRoom, `${key} at ${now}`);
    t.equal(map.set(key, 1, now), hasRoom);
  }
  t.end();
});
