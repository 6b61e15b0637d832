import type { Worker } from "node:worker_threads";
import t from "tap";
import { openNode, redisAt } from "../support/exchange-nodes.ts";
import { noRedis, startRedis } from "../support/redis-server.ts";
import { until } from "../support/until.ts";

if (noRedis !== undefined) t.pass("the cluster thread", { skip: noRedis });
else
  void t.test("the cluster thread dies: it is started again, and what is kept is told again", async (t) => {
    const server = await startRedis(t.testdir());
    t.teardown(server.kill);
    const threads: Worker[] = [];
    const note = (thread: Worker): void => void threads.push(thread);
    process.on("worker", note);
    const a = openNode(redisAt(server.url), "a");
    const b = openNode(redisAt(server.url), "b");
    await until(() => threads.length === 2);
    a.keep("line", "lessee:bank", "closed");
    a.tell("one");
    await until(() => b.batches.length === 1 && b.kept.length === 1);
    await threads[0]?.terminate();
    await until(() => a.log.some((line) => line.includes("the cluster thread ended")));
    a.tell("lost");
    a.keep("line", "lessee:late", "closed");
    a.keep("line", "lessee:bank", undefined);
    t.equal(a.exchange.figures().lost.thread, 1, "what has no thread is counted");
    await until(() => threads.length === 3);
    a.tell("two");
    await until(() => b.batches.length === 2);
    t.same(b.batches, ["a one", "a two"]);
    await until(() => b.kept.at(-1) === "a line lessee:bank");
    t.same(
      [...new Set(b.kept)],
      ["a line lessee:bank closed", "a line lessee:late closed", "a line lessee:bank"],
    );
    await until(() => b.exchange.figures().lost.gap === 1);
    t.pass("the other node knows that one is missing");
    t.notOk(
      b.log.some((line) => line.includes("refused")),
      "it is the same process",
    );
    t.equal(await a.exchange.hasTwin(1000), false);
    await Promise.all([a, b].map(({ exchange }) => exchange.close()));
    process.off("worker", note);
  });
