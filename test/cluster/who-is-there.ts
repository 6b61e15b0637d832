import t from "tap";
import { createPeers, GONE_AFTER } from "../../src/cluster/peers.ts";
import { createSamePolicy, GRACE, type RunningPolicy } from "../../src/cluster/same-policy.ts";
import { createTwinWatch, DEAD_AFTER } from "../../src/cluster/twin-watch.ts";

void t.test("twins: whose greeting stands first goes on", (t) => {
  const alone = createTwinWatch();
  t.equal(alone.verdict(0), "waiting");
  alone.greeted(10);
  t.equal(alone.verdict(10), "alone", "nobody stood before");
  alone.heard("x", 0, 20);
  t.equal(alone.verdict(30), "alone", "a later one does not change it");

  const second = createTwinWatch();
  second.heard("x", 100, 0);
  second.greeted(10);
  t.equal(second.verdict(10), "waiting", "it may have died a moment ago");
  second.heard("x", 0, 900);
  t.equal(second.verdict(900), "twin");
  t.equal(second.verdict(900 + DEAD_AFTER), "alone", "it died meanwhile");

  const afterCrash = createTwinWatch();
  afterCrash.heard("x", 500, 0);
  afterCrash.greeted(10);
  t.equal(afterCrash.verdict(DEAD_AFTER - 501), "waiting");
  t.equal(afterCrash.verdict(DEAD_AFTER - 500), "alone");

  const afterEnd = createTwinWatch();
  afterEnd.heard("x", 0, 0);
  afterEnd.heard("y", 0, 0);
  afterEnd.ended("x");
  afterEnd.greeted(1);
  t.equal(afterEnd.verdict(1), "waiting", "another one has not said that it ends");
  afterEnd.ended("y");
  t.equal(afterEnd.verdict(2), "alone");
  t.end();
});

void t.test("nodes: new, gone after 5 s, back, and as old as what they said", (t) => {
  const told: string[] = [];
  const peers = createPeers(({ node, epoch }, what) => void told.push(`${node}/${epoch} ${what}`));
  const a = { node: "a", epoch: 1 };
  peers.heard(a, { age: 20, offset: -20 }, 1000);
  peers.due(1000 + GONE_AFTER - 21);
  t.same(told, ["a/1 new"]);
  peers.due(1000 + GONE_AFTER);
  peers.heard(a, { age: 0, offset: -3 }, 7000);
  t.same(told, ["a/1 new", "a/1 gone", "a/1 back"]);
  t.match(peers.figures(), [{ node: "a", isUp: true, revision: "", isReady: false, offset: -0.003 }]);
  peers.status(a, { revision: "r", lists: {}, isReady: true, inForce: 500 }, 100, 7000);
  t.match(peers.running(8000), [{ node: "a", revision: "r", inForce: 1600 }]);
  peers.heard({ node: "a", epoch: 2 }, { age: 0, offset: 0 }, 8000);
  peers.heard(a, { age: 0, offset: 0 }, 8001);
  t.same(told.slice(3), ["a/2 new"], "an entry of the process before says nothing");
  peers.ended({ node: "a", epoch: 2 });
  t.same([told.slice(4), peers.figures()], [["a/2 gone"], []]);
  // The end of the feed, read at a start: it was written long ago.
  peers.heard({ node: "b", epoch: 1 }, { age: 30_000, offset: 0 }, 40_000);
  peers.due(40_001);
  t.same(told.slice(5), ["b/1 new", "b/1 gone"]);
  for (let node = 0; node < 63; node++)
    peers.heard({ node: `n${node}`, epoch: 1 }, { age: 0, offset: 0 }, 40_000);
  t.equal(peers.heard({ node: "more", epoch: 1 }, { age: 0, offset: 0 }, 40_000), false, "64 nodes");
  peers.due(40_000 + 3_600_000);
  t.same(peers.figures(), [], "who was not heard for an hour is forgotten");
  t.end();
});

function running(node: string, revision: string, inForce: number, lists = {}): RunningPolicy {
  return { node, revision, inForce, lists };
}

void t.test("which node lags: most nodes count; of two policies with as many, the later", (t) => {
  const rows: readonly (readonly [
    what: string,
    own: RunningPolicy,
    others: readonly RunningPolicy[],
    revisions: number,
    lag: RegExp | undefined,
  ])[] = [
    ["alone", running("a", "r1", 9), [], 1, undefined],
    ["the same", running("a", "r1", 9), [running("b", "r1", 5)], 1, undefined],
    [
      "two: the earlier one lags",
      running("a", "r1", 9),
      [running("b", "r2", 5)],
      2,
      /^policy r1 here, r2 on b$/,
    ],
    ["two: the later one does not", running("b", "r2", 5), [running("a", "r1", 9)], 2, undefined],
    [
      "two of three count, though the third is later",
      running("c", "r2", 1),
      [running("a", "r1", 9), running("b", "r1", 9)],
      2,
      /r2 here, r1 on/,
    ],
    [
      "one of two that count",
      running("a", "r1", 9),
      [running("c", "r2", 1), running("b", "r1", 9)],
      2,
      undefined,
    ],
    [
      "the same revision, another list",
      running("a", "r1", 9, { x: "1", y: "1" }),
      [running("b", "r1", 5, { x: "1", y: "2" })],
      2,
      /lists that differ: y$/,
    ],
    [
      "in force at the same moment: one of both lags",
      running("a", "r2", 5),
      [running("b", "r1", 5)],
      2,
      /r2 here/,
    ],
    ["… and not the other", running("b", "r1", 5), [running("a", "r2", 5)], 2, undefined],
  ];
  for (const [what, own, others, revisions, lag] of rows) {
    const result = createSamePolicy().compare(own, others, 0);
    t.equal(result.revisions, revisions, what);
    if (lag === undefined) t.equal(result.lag, undefined, what);
    else t.match(result.lag, lag, what);
  }

  const policies = createSamePolicy();
  const at = (revision: string, now: number): string | undefined =>
    policies.compare(running("a", revision, 9), [running("b", "r2", 5)], now).lag;
  t.equal(at("", 0), undefined, "nothing is in force yet");
  t.match(at("r1", 0), /r1 here/, "at a start there is no grace");
  t.equal(at("r2", 1000), undefined);
  t.equal(at("r1", 20_000), undefined, "nodes reload one after the other");
  t.equal(at("r1", 20_000 + GRACE - 1), undefined);
  t.match(at("r1", 20_000 + GRACE), /r1 here/);
  t.equal(policies.compare(running("a", "r1", 9), [running("b", "r2", 5)], 20_000 + GRACE).differing, GRACE);
  t.end();
});
