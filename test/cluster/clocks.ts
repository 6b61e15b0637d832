import t from "tap";
import { openNode, redisAt } from "../support/exchange-nodes.ts";
import { noRedis, startRedis } from "../support/redis-server.ts";
import { until } from "../support/until.ts";

if (noRedis !== undefined) t.pass("clocks", { skip: noRedis });
else
  void t.test("a clock that is 5 s ahead: everything goes on, and the figure tells it", async (t) => {
    const server = await startRedis(t.testdir());
    t.teardown(server.kill);
    const a = openNode(redisAt(server.url), "a", 1000, { wallAhead: 5000 });
    const b = openNode(redisAt(server.url), "b");
    a.tell("one");
    b.tell("two");
    await until(() => a.batches.length === 1 && b.batches.length === 1);
    t.ok((b.ages[0] ?? Infinity) < 2000, "ages do not depend on the clocks of nodes");
    const offset = (node: typeof a): number => node.exchange.figures().peers[0]?.offset ?? 0;
    await until(() => offset(a) < -4 && offset(b) > 4);
    t.ok(Math.abs(offset(b) - 5) < 1 && Math.abs(offset(a) + 5) < 1, `${offset(a)}, ${offset(b)}`);
    t.match(b.exchange.figures(), { refused: { time: 0 }, lost: { gap: 0 } });
    await Promise.all([a, b].map(({ exchange }) => exchange.close()));
  });
