import t from "tap";
import { NEXT_HOP, STRANGER } from "../../src/domain/trunk.ts";
import { createFairRoom, firstOf, largestOf, type FairRoom } from "../../src/state/fair-room.ts";

/** A room of ten whose items are named for their owner: `a1` is one of `a`. */
interface Watched {
  readonly room: FairRoom<string>;
  readonly gone: string[];
  /** Asks for room, and takes it. */
  readonly enter: (item: string, size?: number, owner?: string) => boolean;
}

function ownerOf(item: string): string {
  return item.replace(/\d+$/u, "");
}

function watch(most = 10, choose: typeof firstOf = firstOf): Watched {
  const gone: string[] = [];
  const room = createFairRoom<string>({ most, choose, giveUp: (item) => void gone.push(item) });
  return {
    room,
    gone,
    enter(item, size = 1, owner = ownerOf(item)) {
      if (!room.makeRoom(owner, size)) return false;
      room.hold(item, owner, size);
      return true;
    },
  };
}

void t.test("fair room: who gives way when one more asks", (t) => {
  const rows: readonly [
    name: string,
    before: readonly (readonly [owner: string, count: number])[],
    asks: string,
    isLet: boolean,
    gone: readonly string[],
  ][] = [
    ["one alone uses all", [["a", 9]], "a", true, []],
    ["and is refused beyond it", [["a", 10]], "a", false, []],
    ["another one comes", [["a", 10]], "b", true, ["a1"]],
    [
      "the one with most gives way",
      [
        ["a", 3],
        ["b", 7],
      ],
      "a",
      true,
      ["b1"],
    ],
    [
      "and is itself refused",
      [
        ["a", 3],
        ["b", 7],
      ],
      "b",
      false,
      [],
    ],
    [
      "equals take nothing from each other",
      [
        ["a", 5],
        ["b", 5],
      ],
      "a",
      false,
      [],
    ],
    [
      "nor does one who would then have more",
      [
        ["a", 4],
        ["b", 4],
        ["c", 2],
      ],
      "a",
      false,
      [],
    ],
    [
      "one who would then have as much",
      [
        ["a", 4],
        ["b", 6],
      ],
      "a",
      true,
      ["b1"],
    ],
    [
      "a third",
      [
        ["a", 5],
        ["b", 5],
      ],
      "c",
      true,
      ["a1"],
    ],
    [
      "with room nobody gives way",
      [
        ["a", 8],
        ["b", 1],
      ],
      "b",
      true,
      [],
    ],
    [
      "a next hop counts an eighth",
      [
        ["a", 2],
        [NEXT_HOP, 8],
      ],
      NEXT_HOP,
      true,
      ["a1"],
    ],
    [
      "but not without end",
      [
        ["a", 1],
        [NEXT_HOP, 9],
      ],
      NEXT_HOP,
      false,
      [],
    ],
    ["a trunk that has nothing, from a next hop", [[NEXT_HOP, 10]], "a", true, [`${NEXT_HOP}1`]],
    [
      "a stranger counts eightfold",
      [
        ["a", 8],
        [STRANGER, 2],
      ],
      "a",
      true,
      [`${STRANGER}1`],
    ],
    ["and finds room where somebody has eight times as much", [["a", 10]], STRANGER, true, ["a1"]],
    [
      "not where nobody has",
      [
        ["a", 5],
        ["b", 5],
      ],
      STRANGER,
      false,
      [],
    ],
  ];
  for (const [name, before, asks, isLet, gone] of rows) {
    const watched = watch();
    for (const [owner, count] of before)
      for (let i = 1; i <= count; i++) watched.room.hold(`${owner}${i}`, owner, 1);
    t.equal(watched.enter(`${asks}99`, 1, asks), isLet, name);
    t.same(watched.gone, gone, name);
  }
  t.end();
});

void t.test("fair room: large items, and as many go as it takes", (t) => {
  const { gone, enter } = watch();
  for (let i = 1; i <= 10; i++) enter(`a${i}`);
  t.ok(enter("b1", 4));
  t.same(gone, ["a1", "a2", "a3", "a4"]);
  t.notOk(enter("c1", 11), "more than there is");
  t.equal(gone.length, 4, "costs nobody anything");
  t.notOk(enter("b2", 3), "it would have most");
  t.end();
});

void t.test("fair room: what grows unasked pushes out the largest of the greediest", (t) => {
  const { room, gone } = watch(100, largestOf);
  room.hold("greedy1", "greedy", 20);
  room.hold("greedy2", "greedy", 60);
  room.hold("small1", "small", 15);
  t.same(gone, []);
  room.hold("small1", "small", 6);
  t.same(gone, ["greedy2"], "never the asker, as long as another has more");
  room.hold("greedy2", "greedy", -60);
  room.hold("small1", "small", 58);
  t.same(gone, ["greedy2"], "what has gone gives nothing back twice");
  room.hold("greedy1", "greedy", 2);
  t.same(gone, ["greedy2", "small1"], "now the small one is the greediest");
  room.hold("alone1", "alone", 101);
  t.same(gone.slice(2), ["alone1"], "what is larger than all of it");
  t.end();
});

void t.test("fair room: items change hands and leave", (t) => {
  const { room, gone, enter } = watch();
  for (let i = 1; i <= 6; i++) room.hold(`a${i}`, "a", 1);
  for (let i = 1; i <= 4; i++) room.hold(`b${i}`, "b", 1);
  for (let i = 1; i <= 3; i++) room.move(`a${i}`, "b");
  room.move("nobody", "b");
  t.notOk(enter("b8"), "b has most now");
  t.ok(enter("a8"));
  t.same(gone, ["b1"]);
  for (const item of ["a1", "a2", "a3", "a1", "nobody"]) room.leave(item);
  t.ok(enter("b9"));
  t.ok(enter("b10"));
  t.ok(enter("b11"));
  t.equal(gone.length, 1, "three places were free, and no more");
  t.notOk(enter("b12"));
  t.end();
});
