import t from "tap";
import { openNode, redisAt } from "../support/exchange-nodes.ts";
import { noRedis, startRedis } from "../support/redis-server.ts";
import { until } from "../support/until.ts";

if (noRedis !== undefined) t.pass("two nodes", { skip: noRedis });
else
  void t.test("two nodes hear each other through Redis, and no number stands there", async (t) => {
    const server = await startRedis(t.testdir());
    t.teardown(server.kill);
    const redis = redisAt(server.url);
    const a = openNode(redis, "a");
    t.equal(await a.exchange.hasTwin(10_000), false);
    a.keep("line", "trunk:lease-8613800000000", "suspended 8613800000000");
    a.tell("one 8613800000000");
    const b = openNode(redis, "b");
    await b.exchange.asked(10_000);
    await until(() => b.kept.length > 0);
    t.same(
      b.kept,
      ["a line trunk:lease-8613800000000 suspended 8613800000000"],
      "what was kept before b began",
    );
    a.tell("two", "three");
    b.tell("four");
    await until(() => b.batches.includes("a three") && a.batches.includes("b four"));
    t.same(b.batches, ["a one 8613800000000", "a two", "a three"], "the last 45 s, each once, in order");
    t.ok((b.ages.at(-1) ?? Infinity) < 1000, "the age is told");
    a.keep("line", "trunk:lease-8613800000000", undefined);
    await until(() => b.kept.length === 2);
    t.equal(b.kept[1], "a line trunk:lease-8613800000000", "it is gone");
    t.same(b.peers, ["a new"]);
    await until(() => b.exchange.figures().peers.some(({ revision }) => revision === "r1"));
    t.match(b.exchange.figures(), { isUp: true, revisions: 1, lost: { backlog: 0, thread: 0, gap: 0 } });

    const stored = server.cli("XRANGE", "sigwall:feed", "-", "+") + server.cli("HGETALL", "sigwall:kept:a");
    t.notMatch(stored, /13800000000|suspended|lease/, "Redis shows nothing of it");
    t.same(server.cli("KEYS", "*").split("\n").toSorted(), [
      "sigwall:feed",
      "sigwall:kept:a",
      "sigwall:nodes",
    ]);

    await a.exchange.close();
    await until(() => b.peers.includes("a gone"));
    await until(() => b.exchange.figures().peers.length === 0);
    t.pass("a node that ends is no longer shown");
    await b.exchange.close();
  });
