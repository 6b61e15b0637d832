import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import t from "tap";
import { deriveKeys, type EntryHead, sealEntry } from "../../src/cluster/sealed-entry.ts";
import { openNode, redisAt, secret, type TestNode } from "../support/exchange-nodes.ts";
import { noRedis, type RedisServer, startRedis } from "../support/redis-server.ts";
import { until } from "../support/until.ts";

/** Adds an entry as somebody does who can write to Redis. */
function add(server: RedisServer, node: string, sealed: Uint8Array): void {
  // The last argument comes from standard input, as octets.
  execFileSync(
    "redis-cli",
    ["-p", String(server.port), "-x", "XADD", "sigwall:feed", "*", "node", node, "sealed"],
    {
      input: Buffer.from(sealed),
    },
  );
}

const head: EntryHead = {
  type: "batch",
  instance: "00112233aabbccdd",
  epoch: 900,
  sequence: 1,
  at: Date.now(),
  held: 0,
};
const ours = deriveKeys(secret, "sigwall");
const bytes = new TextEncoder().encode("forged");
const refusals = ({ exchange }: TestNode): Readonly<Record<string, number>> => exchange.figures().refused;

if (noRedis !== undefined) t.pass("strange entries", { skip: noRedis });
else
  void t.test(
    "entries that no node has sealed are refused, counted and told; the others go on",
    async (t) => {
      const server = await startRedis(t.testdir());
      t.teardown(server.kill);
      const a = openNode(redisAt(server.url), "a");
      const b = openNode(redisAt(server.url), "b");
      a.tell("one");
      await until(() => b.batches.length === 1);
      const captured = server.cli("XRANGE", "sigwall:feed", "-", "+").length;
      t.ok(captured > 0);

      add(server, "x", sealEntry(deriveKeys(new Uint8Array(32), "sigwall"), "x", head, bytes));
      add(server, "x", sealEntry(deriveKeys(secret, "other"), "x", head, bytes));
      add(server, "a", sealEntry(ours, "x", head, bytes));
      await until(() => refusals(b)["seal"] === 3);
      t.pass("another key, another prefix, the name of another node");
      add(server, "a", new Uint8Array(7));
      add(server, "n".repeat(100), sealEntry(ours, "x", head, bytes));
      server.cli("XADD", "sigwall:feed", "*", "some", "thing");
      await until(() => refusals(b)["form"] === 3);
      add(server, "a", new Uint8Array(2 ** 20 + 1000));
      await until(() => refusals(b)["length"] === 1);
      add(server, "x", sealEntry(ours, "x", { ...head, at: Date.now() - 16 * 60_000 }, bytes));
      add(server, "x", sealEntry(ours, "x", { ...head, at: Date.now() + 16 * 60_000 }, bytes));
      await until(() => refusals(b)["time"] === 2);
      add(server, "a", sealEntry(ours, "a", { ...head, epoch: 999, sequence: 7 }, bytes));
      await until(() => refusals(b)["epoch"] === 1);
      server.cli("HSET", "sigwall:kept:a", "field", "value");

      // What a node has sealed itself, sent once more.
      const again = sealEntry(ours, "a", { ...head, epoch: 1000, sequence: 1 }, bytes);
      add(server, "a", again);
      a.tell("two");
      await until(() => b.batches.length === 2);
      t.same(b.batches, ["a one", "a two"], "a replayed entry changes nothing");
      // Two were sealed under the name of a by another process: the one of epoch 999, and the replayed one.
      await until(() => refusals(a)["name"] === 2);
      t.match(refusals(a), { seal: 3, form: 3, length: 1, time: 2, name: 2 }, "every node sees it");
      const told = b.log.filter((line) => line.includes("was refused"));
      t.ok(told.length > 0 && told.length < 10, "the log says it, not for each");
      const c = openNode(redisAt(server.url), "c");
      await c.exchange.asked(10_000);
      await until(() => (refusals(c)["form"] ?? 0) > 0);
      t.same(c.kept, [], "a value that is no entry is not kept");
      await Promise.all([a, b, c].map(({ exchange }) => exchange.close()));
    },
  );
