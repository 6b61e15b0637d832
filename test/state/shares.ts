import t from "tap";
import { createSharedMap } from "../../src/state/shared-map.ts";
import { createShares } from "../../src/state/shares.ts";

/** Lets the owners take one after the other, again and again, until none gets more; what each has then. */
function fill(most: number, owners: readonly string[], size = 1, favoured?: string): Record<string, number> {
  const shares = createShares(most, favoured);
  const held: Record<string, number> = Object.fromEntries(owners.map((owner) => [owner, 0]));
  for (let isGoing = true; isGoing;) {
    isGoing = false;
    for (const owner of owners) {
      if (!shares.hasRoom(owner, size)) continue;
      shares.take(owner, size);
      held[owner] = (held[owner] ?? 0) + size;
      isGoing = true;
    }
  }
  return held;
}

void t.test("shares: nobody fills the room, and equals get the same", (t) => {
  const rows: readonly [owners: readonly string[], least: number, most: number][] = [
    [["a"], 940, 942],
    [["a", "b"], 484, 486],
    [["a", "b", "c"], 326, 328],
    [Array.from({ length: 50 }, (_, i) => `t${i}`), 19, 20],
  ];
  for (const [owners, least, most] of rows) {
    for (const held of Object.values(fill(1000, owners)))
      t.ok(held >= least && held <= most, `${owners.length}: ${held}`);
  }
  t.same(fill(1000, ["a"], 60), { a: 960 }, "sizes above one, too");
  t.end();
});

void t.test("shares: a small room is used to its end", (t) => {
  for (const most of [0, 1, 2, 16]) t.same(fill(most, ["a"]), { a: most });
  t.same(fill(17, ["a"]), { a: 17 });
  t.same(fill(18, ["a"]), { a: 17 }, "from here on one place is left");
  t.same(fill(10, ["a"], 11), { a: 0 }, "what is larger than all of it has no room");
  t.end();
});

void t.test(
  "shares: one who comes late finds room, takes what the greedy one gives back, and is not held down",
  (t) => {
    const shares = createShares(1000);
    const take = (owner: string): number => {
      let taken = 0;
      for (; shares.hasRoom(owner, 1); taken++) shares.take(owner, 1);
      return taken;
    };
    const greedy = take("greedy");
    t.equal(greedy, 942);
    const late = take("late");
    t.ok(late > 50, `${late} at once`);
    shares.give("greedy", 300);
    t.notOk(shares.hasRoom("late", 400));
    for (let i = 0; i < 100; i++) {
      t.ok(shares.hasRoom("late", 1));
      shares.take("late", 1);
    }
    t.ok(shares.hasRoom("third", 1));
    t.end();
  },
);

void t.test("shares: next hops may use all that is left", (t) => {
  const held = fill(1000, ["a", "hop"], 1, "hop");
  t.ok((held["a"] ?? 0) > 480);
  t.equal((held["a"] ?? 0) + (held["hop"] ?? 0), 1000, "to the last place");
  t.end();
});

void t.test("shared map: an entry lives one lifetime, and gives its place back once", (t) => {
  const map = createSharedMap<number>(100, 1000, "hop");
  let count = 0;
  while (map.set(`a${count}`, count, "a", 0)) count++;
  t.equal(count, 95, "less than all of it");
  t.equal(map.get("a0", 999), 0);
  t.notOk(map.hasRoom("a", 999));
  t.ok(map.hasRoom("b", 999));
  t.ok(map.set("a0", 7, "a", 999), "a known key is set anew where there is no room");
  t.equal(map.get("a0", 1500), 7);
  t.equal(map.get("a1", 1000), undefined, "over");
  t.ok(map.set("a1", 8, "b", 1000), "its place is another's");
  t.ok(map.hasRoom("a", 1000), "the dead make room at once");
  for (let round = 0; round < 50; round++) {
    const now = 10_000 + round * 1000;
    for (let i = 0; i < 95; i++) map.set(`r${i}`, i, round % 2 === 0 ? "a" : "b", now);
    t.equal(map.get("r90", now + 999), 90, "nothing is lost on the way");
  }
  t.end();
});

void t.test("shared map: one owner's keys leave room for another's, whatever it does", (t) => {
  const map = createSharedMap<string>(1000, 1000, "hop");
  let refused = 0;
  for (let now = 0; now < 5000; now++) {
    for (let i = 0; i < 20; i++) map.set(`flood ${now} ${i}`, "", "flood", now);
    if (now % 50 === 0 && !map.set(`honest ${now}`, "", "honest", now)) refused++;
  }
  t.equal(refused, 0);
  t.end();
});
