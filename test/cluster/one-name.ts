import t from "tap";
import { openNode, redisAt } from "../support/exchange-nodes.ts";
import { noRedis, startRedis } from "../support/redis-server.ts";
import { until } from "../support/until.ts";

if (noRedis !== undefined) t.pass("two processes of one name", { skip: noRedis });
else
  void t.test("a second process of a node sees the first one; after its end it may start", async (t) => {
    const server = await startRedis(t.testdir());
    t.teardown(server.kill);
    const redis = redisAt(server.url);
    const first = openNode(redis, "a", 1000);
    t.equal(await first.exchange.hasTwin(10_000), false, "the first");
    first.keep("line", "lessee:bank", "closed");
    first.tell("one");
    const second = openNode(redis, "a", 1001);
    t.equal(await second.exchange.hasTwin(10_000), true, "the second, while the first is alive");
    await second.exchange.close();
    const sameEpoch = openNode(redis, "a", 1000);
    t.equal(await sameEpoch.exchange.hasTwin(10_000), true, "one that began in the same second");
    await sameEpoch.exchange.close();
    await until(() => first.log.some((line) => line.includes("another process is node a")));
    t.same(first.batches, [], "its own entries are not heard");

    await first.exchange.close();
    const next = openNode(redis, "a", 1002);
    t.equal(await next.exchange.hasTwin(10_000), false, "after an orderly end, at once");
    await next.exchange.asked(10_000);
    await until(() => next.kept.length === 1);
    t.same(next.kept, ["a line lessee:bank closed"], "what the process before kept comes once");
    await next.exchange.close();
  });
