import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { openNode, redisAt } from "../support/exchange-nodes.ts";
import { noRedis, startRedis, startSentinel } from "../support/redis-server.ts";
import { until } from "../support/until.ts";

if (noRedis !== undefined) t.pass("a failover", { skip: noRedis });
else
  void t.test("Sentinel makes a replica the server: what the replica lacks is written again", async (t) => {
    const folder = t.testdir({ first: {}, second: {}, "sentinel.conf": "" });
    const first = await startRedis(join(folder, "first"));
    const second = await startRedis(join(folder, "second"), ["--replicaof", "127.0.0.1", String(first.port)]);
    const file = join(folder, "sentinel.conf");
    writeFileSync(file, `dir ${folder}\n`);
    const sentinel = await startSentinel(file, first.port);
    t.teardown(async () => {
      sentinel.kill();
      await first.kill();
      await second.kill();
    });
    await until(() => first.cli("INFO", "replication").includes("state=online"));
    const ask = (...command: readonly string[]): string =>
      execFileSync("redis-cli", ["-p", String(sentinel.port), ...command], { encoding: "utf8" });
    await until(() => ask("SENTINEL", "REPLICAS", "sigwall").includes(String(second.port)));

    const redis = redisAt("redis://127.0.0.1", {
      place: {
        kind: "sentinels",
        sentinels: [{ host: "127.0.0.1", port: sentinel.port }],
        master: "sigwall",
      },
    });
    const a = openNode(redis, "a");
    const b = openNode(redis, "b");
    a.keep("line", "lessee:bank", "closed");
    a.tell("one", "two");
    await until(() => b.batches.length === 2);
    // From now on the replica hears nothing, so that it lacks the end.
    await until(() => second.cli("EXISTS", "sigwall:kept:a") === "1");
    second.cli("CONFIG", "SET", "replica-priority", "1");
    first.cli("CLIENT", "KILL", "TYPE", "replica");
    a.tell("three");
    await until(() => b.batches.length === 3);
    await first.kill();
    a.tell("four");
    await until(() => second.cli("ROLE").startsWith("master"));
    await until(() => b.batches.length === 4);
    t.same(b.batches, ["a one", "a two", "a three", "a four"]);
    await until(() => second.cli("HLEN", "sigwall:kept:a") === "1");
    const c = openNode(redis, "c");
    await c.exchange.asked(20_000);
    await until(() => c.batches.length === 4 && c.kept.length === 1);
    t.same(c.batches, b.batches, "a node that starts hears everything from the new server");
    t.match(b.exchange.figures(), { lost: { backlog: 0, thread: 0, gap: 0 } });
    await Promise.all([a, b, c].map(({ exchange }) => exchange.close()));
  });
