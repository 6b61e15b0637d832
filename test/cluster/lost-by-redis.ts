import t from "tap";
import { openNode, redisAt, type TestNode } from "../support/exchange-nodes.ts";
import { noRedis, startRedis } from "../support/redis-server.ts";
import { until } from "../support/until.ts";

const isUp = ({ exchange }: TestNode): boolean => exchange.figures().isUp;
const texts = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
const nothingLost = { lost: { backlog: 0, thread: 0, gap: 0 } };

if (noRedis !== undefined) t.pass("what Redis loses", { skip: noRedis });
else {
  void t.test("FLUSHALL: everything is written again, and counts once", async (t) => {
    const server = await startRedis(t.testdir());
    t.teardown(server.kill);
    const a = openNode(redisAt(server.url), "a");
    const b = openNode(redisAt(server.url), "b");
    a.keep("line", "lessee:bank", "closed");
    a.tell(...texts(1, 3));
    await until(() => b.batches.length === 3 && b.kept.length === 1);
    server.cli("FLUSHALL");
    a.tell(...texts(4, 5));
    await until(() => a.exchange.figures().resent >= 3);
    await until(() => b.batches.length === 5);
    t.same(
      b.batches,
      texts(1, 5).map((text) => `a ${text}`),
    );
    t.same(b.kept, ["a line lessee:bank closed"]);

    const c = openNode(redisAt(server.url), "c");
    await c.exchange.asked(10_000);
    await until(() => c.batches.length >= 5 && c.kept.length > 0);
    t.same(
      c.batches,
      texts(1, 5).map((text) => `a ${text}`),
      "a node that starts afterwards hears everything",
    );
    t.same(c.kept, ["a line lessee:bank closed"]);
    t.match(b.exchange.figures(), nothingLost);
    await Promise.all([a, b, c].map(({ exchange }) => exchange.close()));
  });

  void t.test("gone, and back empty: what waited comes, nothing counts twice", async (t) => {
    const server = await startRedis(t.testdir());
    t.teardown(server.kill);
    const a = openNode(redisAt(server.url), "a");
    const b = openNode(redisAt(server.url), "b");
    a.keep("finding", "one-ring 8613800000000", "x");
    a.tell(...texts(1, 3));
    await until(() => b.batches.length === 3);
    await server.kill();
    await until(() => !isUp(a) && !isUp(b));
    t.match(a.exchange.figures().why, /\S/, "why is said");
    a.tell(...texts(4, 6));
    a.keep("finding", "spread 8613800000001", "y");
    b.tell("b1");
    await server.start();
    await until(() => b.batches.length === 6 && b.kept.length === 2 && a.batches.length === 1);
    t.same(
      b.batches,
      texts(1, 6).map((text) => `a ${text}`),
    );
    t.ok(a.exchange.figures().resent >= 3, "what Redis had lost was written again");
    t.match(b.exchange.figures(), nothingLost);
    await until(() => Number(server.cli("HLEN", "sigwall:kept:a")) === 2);
    const told = a.log.filter((line) => line.startsWith("error"));
    t.match(told, [/Redis does not answer/], "the log says it once");
    await Promise.all([a, b].map(({ exchange }) => exchange.close()));
  });

  void t.test("a start without Redis: the node goes on alone, and joins when Redis is there", async (t) => {
    const server = await startRedis(t.testdir());
    t.teardown(server.kill);
    await server.kill();
    const a = openNode(redisAt(server.url), "a");
    a.tell("early");
    t.equal(await a.exchange.hasTwin(300), undefined);
    await a.exchange.asked(10);
    await server.start();
    const b = openNode(redisAt(server.url), "b");
    await until(() => b.batches.length === 1);
    t.same(b.batches, ["a early"]);
    await Promise.all([a, b].map(({ exchange }) => exchange.close()));
  });
}
