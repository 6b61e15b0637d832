import t from "tap";
import { openExchange } from "../../src/app/cluster/open-exchange.ts";
import { createLog } from "../../src/observe/log.ts";
import { openNode, redisAt, secret } from "../support/exchange-nodes.ts";
import { noRedis, startRedis } from "../support/redis-server.ts";
import { until } from "../support/until.ts";

const silent = createLog(
  "silent",
  () => 0,
  () => undefined,
);

if (noRedis !== undefined) t.pass("many entries", { skip: noRedis });
else
  void t.test(
    "a node that starts among 4096 kept entries hears all of them, before anybody listens",
    async (t) => {
      const server = await startRedis(t.testdir());
      t.teardown(server.kill);
      const a = openNode(redisAt(server.url), "a");
      for (let index = 0; index < 4096; index++) a.keep("quarantine", `caller ${index}`, "x".repeat(100));
      await until(() => server.cli("HLEN", "sigwall:kept:a") === "4096");
      const kept: string[] = [];
      const b = openExchange({
        redis: redisAt(server.url),
        secret,
        node: "b",
        epoch: 1000,
        log: silent,
        fault: (error) => t.fail(String(error)),
      });
      t.equal(await b.hasTwin(10_000), false);
      await b.asked(10_000);
      b.listen({
        batch: () => undefined,
        kept: (_, kind, subject) => void kept.push(`${kind} ${subject}`),
        peer: () => undefined,
      });
      t.equal(new Set(kept).size, 4096, "all were there when it had asked");
      t.equal(kept.length, 4096, "each once");
      await Promise.all([a.exchange.close(), b.close()]);
    },
  );
