import t from "tap";
import { createBacklog, KEPT_FOR, MOST_DELAY, MOST_OCTETS, type Told } from "../../src/cluster/backlog.ts";
import { MOST_KEPT_ENTRIES, type NodeRef } from "../../src/cluster/exchange.ts";
import { createHeardOrder, MOST_WAIT } from "../../src/cluster/heard-order.ts";
import { createOwnEntries } from "../../src/cluster/kept-entries.ts";

/** Reads `NODE/EPOCH#SEQUENCE`. */
function read(entry: string): readonly [from: NodeRef, sequence: number] {
  const [, node = "", epoch, sequence] = /^(\w+)\/(\d+)#(\d+)$/.exec(entry) ?? [];
  return [{ node, epoch: Number(epoch) }, Number(sequence)];
}

/** Plays entries `NODE/EPOCH#SEQUENCE`, and gives what was handed on and missed. */
function play(): {
  readonly told: string[];
  readonly take: (entry: string, now?: number) => string;
  readonly status: (entry: string, now?: number) => string;
  readonly open: () => void;
  readonly due: (now: number) => void;
} {
  const told: string[] = [];
  const order = createHeardOrder<string>({
    deliver: (_, item) => void told.push(item),
    missed: ({ node, epoch }, count) => void told.push(`${node}/${epoch} missed ${count}`),
  });
  return {
    told,
    take(entry, now = 0) {
      const [from, sequence] = read(entry);
      return order.take(from, sequence, entry, 1, now);
    },
    status: (entry, now = 0) => order.told(...read(entry), now),
    open: order.open,
    due: order.due,
  };
}

void t.test("in order, each once", (t) => {
  const { told, take, open, due } = play();
  open();
  for (const entry of ["a/1#5", "a/1#6", "b/1#1", "a/1#7"]) t.equal(take(entry), "taken");
  for (const entry of ["a/1#5", "a/1#7", "a/1#4"]) t.equal(take(entry), "repeat", entry);
  t.same(told, ["a/1#5", "a/1#6", "b/1#1", "a/1#7"]);
  due(1e9);
  t.equal(told.length, 4, "nothing was missed");
  t.end();
});

void t.test("a gap waits for what is written again, and is told when nothing comes", (t) => {
  const { told, take, status, open, due } = play();
  open();
  take("a/1#1");
  take("a/1#4", 1000);
  take("a/1#3", 1000);
  due(1000 + MOST_WAIT - 1);
  t.same(told, ["a/1#1"]);
  take("a/1#2", 2000);
  t.same(told, ["a/1#1", "a/1#2", "a/1#3", "a/1#4"]);
  take("a/1#7", 5000);
  due(5000 + MOST_WAIT);
  t.same(told.slice(4), ["a/1 missed 2", "a/1#7"]);
  t.equal(take("a/1#6"), "repeat", "what comes later still is too late");
  status("a/1#9", 20_000);
  due(20_000 + MOST_WAIT);
  t.same(told.slice(6), ["a/1 missed 2"], "a status tells what was told before");
  t.end();
});

void t.test("a new process of a node, and entries of the one before", (t) => {
  const { told, take, open } = play();
  open();
  take("a/1#8");
  t.equal(take("a/2#1"), "taken");
  t.equal(take("a/1#8"), "repeat", "read again");
  t.equal(take("a/1#9"), "epoch", "it was never heard: a process that should be dead");
  t.equal(take("a/0#1"), "epoch");
  t.same(told, ["a/1#8", "a/2#1"]);
  t.end();
});

void t.test("the feed at a start: what was written again may stand behind what is newer", (t) => {
  const { told, take, open } = play();
  for (const entry of ["a/1#4", "a/1#5", "a/1#1", "a/1#2", "a/1#3", "a/1#4"]) take(entry);
  t.same(told, []);
  open();
  t.same(told, ["a/1#1", "a/1#2", "a/1#3", "a/1#4", "a/1#5"]);
  t.end();
});

void t.test("bounds: nodes, and what waits of one", (t) => {
  const { told, take, open } = play();
  open();
  for (let node = 0; node < 64; node++) t.equal(take(`n${node}/1#1`), "taken");
  t.equal(take("more/1#1"), "crowded");
  for (let sequence = 3; sequence < 1100; sequence++) take(`n0/1#${sequence}`);
  t.ok(told.includes("n0/1 missed 1"), "too many wait: the gap is given up at once");
  t.end();
});

void t.test("the backlog: written once, again after a loss, and never without a bound", (t) => {
  const backlog = createBacklog();
  const next = (): readonly number[] => backlog.next(1e6).map(({ sequence }) => sequence);
  for (let sequence = 1; sequence <= 4; sequence++) backlog.push(toldAt(sequence, sequence * 1000));
  t.same(next(), [1, 2, 3, 4]);
  t.same(next(), [1, 2, 3, 4], "until they are written");
  backlog.written(2);
  t.same(next(), [3, 4]);
  t.equal(backlog.rewind(), 2);
  t.same(next(), [1, 2, 3, 4]);
  backlog.written(3);
  backlog.due(1000 + KEPT_FOR + 1);
  t.equal(backlog.rewind(), 2, "what was written stays for 45 s");
  backlog.written(3);
  t.equal(backlog.lost(), 0);
  backlog.due(4000 + MOST_DELAY);
  t.same(next(), [4], "what waits, for 60 s");
  backlog.due(4001 + MOST_DELAY);
  t.same([next(), backlog.lost(), backlog.waiting()], [[], 1, 0]);
  t.same(
    createBacklogOf(toldAt(1, 0, 2e6), toldAt(2, 0)).next(1e6).length,
    1,
    "one entry at least is written",
  );

  const full = createBacklog();
  for (let sequence = 1; sequence <= 20; sequence++) full.push(toldAt(sequence, 0, 2 ** 20));
  t.equal(full.lost(), 5, "16 MiB: the oldest go");
  t.ok(full.waiting() <= MOST_OCTETS);
  for (let sequence = 21; sequence < 5000; sequence++) full.push(toldAt(sequence, 0, 100_000));
  full.written(5000);
  t.equal(full.waiting(), 0, "the sum is right after many");
  t.end();
});

void t.test("kept entries: what is gone makes room for what is new", (t) => {
  const own = createOwnEntries();
  const put = (index: number, isGone = false): boolean =>
    own.put({ field: `f${index}`, sequence: index, bytes: new Uint8Array(10), isGone, at: 0 });
  for (let index = 0; index < MOST_KEPT_ENTRIES; index++) put(index);
  t.equal(put(MOST_KEPT_ENTRIES), false, "full");
  t.equal(put(7, true), true, "one of them ends");
  t.equal(put(MOST_KEPT_ENTRIES), true, "its room is taken");
  t.same(own.due(0), ["f7"], "it leaves Redis");
  t.same([own.due(0), own.size()], [[], MOST_KEPT_ENTRIES]);
  put(8, true);
  put(9, true);
  put(10_000);
  put(8);
  t.same(own.due(0), ["f9"], "what has come back meanwhile stays");
  t.equal(put(10_001), false);
  t.end();
});

function toldAt(sequence: number, at: number, octets = 10): Told {
  return { type: "batch", sequence, bytes: new Uint8Array(octets), field: undefined, at };
}

function createBacklogOf(...entries: readonly Told[]): ReturnType<typeof createBacklog> {
  const backlog = createBacklog();
  for (const entry of entries) backlog.push(entry);
  return backlog;
}
