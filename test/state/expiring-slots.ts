import t from "tap";
import { createExpiringSlots, NONE } from "../../src/state/expiring-slots.ts";

const LIFE = 1000;

void t.test(
  "expiring slots: against a plain list, seeded: the same keys live, and no slot serves two",
  (t) => {
    const capacity = 48;
    const owner = new Map<number, string>();
    const alive = new Map<string, number>();
    let current = "";
    const slots = createExpiringSlots(
      capacity,
      LIFE,
      (slot) => {
        if (owner.has(slot)) t.fail(`slot ${slot} was given twice`);
        owner.set(slot, current);
      },
      (slot) => {
        if (!owner.delete(slot)) t.fail(`slot ${slot} was given up twice`);
      },
    );
    let seed = 20261122;
    let now = 0;
    let refused = 0;
    for (let step = 0; step < 20_000; step++) {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      now += seed % 40;
      current = `key ${(seed >>> 8) % 120}`;
      for (const [key, until] of alive) if (now >= until) alive.delete(key);
      const wanted = alive.has(current);
      const slot = slots.find(current, now);
      if ((slot !== NONE) !== wanted) t.fail(`${current} at ${now}`);
      if (slot !== NONE && owner.get(slot) !== current)
        t.fail(`${current} got the slot of ${owner.get(slot)}`);
      if (step % 7 === 0) {
        slots.release(current);
        alive.delete(current);
      } else if (slots.claim(current, now) !== NONE) alive.set(current, now + LIFE);
      else {
        refused++;
        if (alive.size < capacity) t.fail(`refused with ${alive.size} alive`);
      }
      if (slots.size !== owner.size || slots.size > capacity)
        t.fail(`${slots.size} held, ${owner.size} owned`);
    }
    t.ok(alive.size > 10 && refused > 50, `${alive.size} alive at the end, ${refused} refused on the way`);
    for (let i = 0; i < capacity; i++) slots.claim(`more ${i}`, now);
    t.equal(slots.claim("one too many", now), NONE);
    t.end();
  },
);

void t.test("expiring slots: any capacity, one included", (t) => {
  for (const capacity of [1, 2, 3, 5, 64, 1000]) {
    const slots = createExpiringSlots(
      capacity,
      LIFE,
      () => undefined,
      () => undefined,
    );
    const given = new Set<number>();
    for (let i = 0; i < capacity; i++) given.add(slots.claim(`${i}`, 0));
    t.equal(given.size, capacity);
    t.notOk(given.has(NONE));
    t.equal(slots.claim("more", 0), NONE, `${capacity}: full`);
    for (let i = 0; i < capacity; i++) given.delete(slots.find(`${i}`, LIFE - 1));
    t.equal(given.size, 0, "each is found");
    t.not(slots.claim("more", LIFE), NONE, "room again");
  }
  t.end();
});
