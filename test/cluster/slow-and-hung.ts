import t from "tap";
import { openNode, redisAt, type TestNode } from "../support/exchange-nodes.ts";
import { noRedis, startRedis } from "../support/redis-server.ts";
import { openSlowWay } from "../support/slow-way.ts";
import { until } from "../support/until.ts";

const isUp = ({ exchange }: TestNode): boolean => exchange.figures().isUp;

if (noRedis !== undefined) t.pass("a slow Redis", { skip: noRedis });
else {
  void t.test("Redis 300 ms away each way: everything comes, later; the age says so", async (t) => {
    const server = await startRedis(t.testdir());
    const way = await openSlowWay(server.port);
    t.teardown(async () => {
      way.close();
      await server.kill();
    });
    const a = openNode(redisAt(`redis://127.0.0.1:${way.port}`), "a");
    const b = openNode(redisAt(server.url), "b");
    await until(() => isUp(a) && isUp(b));
    way.hold(300);
    a.tell("one");
    await until(() => b.batches.length === 1);
    t.ok((b.ages[0] ?? 0) >= 290, `${b.ages[0]} ms`);
    t.ok(isUp(a));
    await Promise.all([a, b].map(({ exchange }) => exchange.close()));
  });

  void t.test("Redis a second away, then as ever: the node counts alone meanwhile", async (t) => {
    const server = await startRedis(t.testdir());
    const way = await openSlowWay(server.port);
    t.teardown(async () => {
      way.close();
      await server.kill();
    });
    const a = openNode(redisAt(`redis://127.0.0.1:${way.port}`), "a");
    const b = openNode(redisAt(server.url), "b");
    a.tell("one");
    await until(() => b.batches.length === 1);
    way.hold(1000);
    await until(() => !isUp(a));
    t.match(a.exchange.figures().why, /no answer to \S+ within \d+ ms/);
    a.tell("two");
    await until(() => b.peers.includes("a gone"));
    way.hold(0);
    await until(() => b.batches.length === 2);
    t.same(b.batches, ["a one", "a two"], "each once, though the slow way may have carried it");
    await until(() => b.peers.includes("a back"));
    t.same(b.peers, ["a new", "a gone", "a back"]);
    await Promise.all([a, b].map(({ exchange }) => exchange.close()));
  });

  void t.test("Redis hangs (SIGSTOP), and goes on", async (t) => {
    const server = await startRedis(t.testdir());
    t.teardown(server.kill);
    const a = openNode(redisAt(server.url), "a");
    const b = openNode(redisAt(server.url), "b");
    a.tell("one");
    await until(() => b.batches.length === 1);
    server.signal("SIGSTOP");
    a.tell("two");
    await until(() => !isUp(a) && !isUp(b));
    a.tell("three");
    server.signal("SIGCONT");
    await until(() => b.batches.length === 3);
    t.same(b.batches, ["a one", "a two", "a three"]);
    t.match(b.exchange.figures(), { lost: { backlog: 0, thread: 0, gap: 0 } });
    await Promise.all([a, b].map(({ exchange }) => exchange.close()));
  });

  void t.test("one node is cut off: the other goes on, and both agree afterwards", async (t) => {
    const server = await startRedis(t.testdir());
    const way = await openSlowWay(server.port);
    t.teardown(async () => {
      way.close();
      await server.kill();
    });
    const a = openNode(redisAt(`redis://127.0.0.1:${way.port}`), "a");
    const b = openNode(redisAt(server.url), "b");
    await until(() => isUp(a) && isUp(b) && a.peers.length > 0 && b.peers.length > 0);
    way.cut(true);
    a.tell("a1");
    b.tell("b1");
    await until(() => a.peers.includes("b gone") && b.peers.includes("a gone"));
    t.notOk(isUp(a));
    t.ok(isUp(b));
    way.cut(false);
    await until(() => a.batches.length === 1 && b.batches.length === 1);
    t.same([a.batches, b.batches], [["b b1"], ["a a1"]]);
    await Promise.all([a, b].map(({ exchange }) => exchange.close()));
  });
}
