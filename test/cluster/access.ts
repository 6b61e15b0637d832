import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { findSecretIssues } from "../../src/app/cluster/redis-secrets.ts";
import { createAuthority } from "../support/certificates.ts";
import { openNode, redisAt } from "../support/exchange-nodes.ts";
import { freeStreamPort } from "../support/free-port.ts";
import { noRedis, startRedis } from "../support/redis-server.ts";
import { until } from "../support/until.ts";

if (noRedis !== undefined) t.pass("access to Redis", { skip: noRedis });
else {
  void t.test(
    "a wrong password: the log says why; the right one in the file is taken without a restart",
    async (t) => {
      const folder = t.testdir({ password: "wrong\n" });
      const passwordFile = join(folder, "password");
      const server = await startRedis(folder, ["--requirepass", "right"]);
      t.teardown(server.kill);
      const redis = redisAt(server.url, { passwordFile });
      const a = openNode(redis, "a");
      await until(() => a.exchange.figures().why !== undefined);
      t.match(a.exchange.figures(), { isUp: false, why: /WRONGPASS/ });
      t.match(a.log, [/error Redis does not answer.*WRONGPASS/]);
      const without = openNode(redisAt(server.url), "b");
      await until(() => without.exchange.figures().why !== undefined);
      t.match(without.exchange.figures().why, /NOAUTH/, "none at all");
      chmodSync(passwordFile, 0o644);
      t.match(findSecretIssues(redis), [[["redis", "passwordFile"], /can be read by others; chmod 600/]]);
      chmodSync(passwordFile, 0o600);
      writeFileSync(passwordFile, "right\n");
      await until(() => a.exchange.figures().isUp);
      t.same(findSecretIssues(redis), []);
      t.match(findSecretIssues({ ...redis, passwordFile: `${passwordFile}.none` }), [
        [["redis"], /can't be read/],
      ]);
      await Promise.all([a, without].map(({ exchange }) => exchange.close()));
    },
  );

  void t.test(
    "TLS with certificates of both sides; a server of another authority is not spoken to",
    async (t) => {
      const folder = t.testdir();
      const authority = createAuthority(folder);
      const stranger = createAuthority(folder, "stranger");
      const server = authority.issue("redis", "IP:127.0.0.1");
      const own = authority.issue("gw-a", "");
      const port = await freeStreamPort("127.0.0.1");
      const options: Readonly<Record<string, string>> = {
        port: String(port),
        "cert-file": server.certificateFile,
        "key-file": server.keyFile,
        "ca-cert-file": authority.certificateFile,
      };
      const redis = await startRedis(
        folder,
        Object.entries(options).flatMap(([name, value]) => [`--tls-${name}`, value]),
      );
      t.teardown(redis.kill);
      const files = { ca: authority.certificateFile, certificate: own.certificateFile, key: own.keyFile };
      const url = `rediss://127.0.0.1:${port}`;
      const a = openNode(redisAt(url, { tls: files }), "a");
      const b = openNode(redisAt(redis.url), "b");
      a.tell("one");
      await until(() => b.batches.length === 1);
      t.same(b.batches, ["a one"]);
      for (const [node, tls, why] of [
        ["c", { ...files, ca: stranger.certificateFile }, /certificate|issuer/],
        ["d", { ...files, certificate: undefined, key: undefined }, /./],
      ] as const) {
        const refused = openNode(redisAt(url, { tls }), node);
        await until(() => refused.exchange.figures().why !== undefined);
        t.match(refused.exchange.figures(), { isUp: false, why }, `node ${node}`);
        await refused.exchange.close();
      }
      await Promise.all([a, b].map(({ exchange }) => exchange.close()));
    },
  );

  void t.test("a Unix socket", async (t) => {
    const folder = t.testdir();
    // Paths of sockets are short; the folder of the test may be deep.
    const socket = join("/tmp", `sigwall-redis-${process.pid}.sock`);
    const server = await startRedis(folder, ["--unixsocket", socket, "--unixsocketperm", "600"]);
    t.teardown(server.kill);
    const a = openNode(redisAt(`unix:${socket}`), "a");
    await until(() => a.exchange.figures().isUp);
    t.pass("it answers");
    await a.exchange.close();
  });

  void t.test("a user who may do what docs/cluster.md says, and nothing else", async (t) => {
    const folder = t.testdir({ password: "secret" });
    const server = await startRedis(folder);
    t.teardown(server.kill);
    const page = readFileSync("docs/cluster.md", "utf8");
    const [, allowed = ""] = /needs `([^`]+)`, and keys/.exec(page) ?? [];
    const rights = ["on", ">secret", "resetchannels", "~sigwall:*", "-@all", ...allowed.split(" ")];
    server.cli("ACL", "SETUSER", "gw", ...rights);
    server.cli("ACL", "SETUSER", "default", "off");
    const redis = redisAt(server.url, { username: "gw", passwordFile: join(folder, "password") });
    const a = openNode(redis, "a");
    a.keep("line", "x", "y");
    a.keep("line", "x", undefined);
    a.tell("one");
    const b = openNode({ ...redis, database: 1 }, "b");
    const c = openNode(redis, "c");
    await until(() => c.batches.length === 1);
    await until(() => b.exchange.figures().isUp);
    t.same(
      [a, c].map(({ exchange }) => exchange.figures().why),
      [undefined, undefined],
    );
    await Promise.all([a, b, c].map(({ exchange }) => exchange.close()));
  });
}
