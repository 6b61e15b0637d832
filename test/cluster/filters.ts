// Two running filters that share a Redis, as an operator sees them.
import { chmodSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { runCommand, startFilter } from "../cli/filter-process.ts";
import { openWorkplace, staticText } from "../cli/workplace.ts";
import { becomes } from "../support/becoming.ts";
import { noRedis, startRedis } from "../support/redis-server.ts";

if (noRedis !== undefined) t.pass("filters that share a Redis", { skip: noRedis });
else
  void t.test("two filters: status, a second process, a policy that lags, Redis gone", async (t) => {
    const place = await openWorkplace();
    const redis = await startRedis(place.folder);
    t.teardown(async () => {
      await redis.kill();
      place.remove();
    });
    const write = (name: string, policy: string): string => {
      const more = `node: ${name}\nstateFolder: state-${name}\nredis: { url: "${redis.url}", requireSameRevision: true }\n`;
      place.write(`${name}.yaml`, `${staticText.replace("policy.yaml", policy)}${more}`);
      return join(place.folder, `${name}.yaml`);
    };
    place.write("old.yaml", place.policy());
    place.write("new.yaml", place.policy({ rules: "{ display-name: { mode: monitor } }" }));
    const configs = [
      write("gw-a", "old.yaml"),
      write("gw-b", "old.yaml"),
      write("gw-c", "new.yaml"),
    ] as const;
    const a = await startFilter(configs[0]);
    const b = await startFilter(configs[1]);
    t.teardown(() => [a, b].forEach(({ signal }) => signal("SIGKILL")));
    t.match(
      await becomes(a, "/metrics", /sigwall_cluster_node_ready\{node="gw-b"\} 1/),
      "sigwall_redis_up 1",
    );
    const shown = await runCommand(["status", "--config", configs[0]]);
    t.match(shown.stdout, /^node {7}gw-b: ready, policy [0-9a-f]{12}, \d+ ms away, clock [+-]\d+ ms$/m);
    const checked = await runCommand(["check", "--config", configs[0]]);
    t.match(checked.stdout, new RegExp(`^redis +127\\.0\\.0\\.1:${redis.port}, prefix sigwall$`, "m"));

    place.write("redis.password", "secret");
    chmodSync(join(place.folder, "redis.password"), 0o644);
    place.write(
      "open.yaml",
      `${staticText}redis:\n  url: redis://192.0.2.1\n  passwordFile: redis.password\n  tls: { ca: none.pem }\n`,
    );
    const warned = await runCommand(["check", "--config", join(place.folder, "open.yaml")]);
    t.match(warned.stdout, /open\.yaml:7:3 redis\.url: warning: the way to this server is not encrypted/);
    place.write("open.yaml", `${staticText}redis:\n  url: redis://[::1]\n  passwordFile: redis.password\n`);
    const readable = await runCommand(["check", "--config", join(place.folder, "open.yaml")]);
    t.match(
      readable.stdout,
      /open\.yaml:8:3 redis\.passwordFile: warning: .*can be read by others; chmod 600 it/,
    );

    place.write("twin.yaml", `${staticText}node: gw-a\nstateFolder: twin\nredis: { url: "${redis.url}" }\n`);
    const twin = await runCommand(["run", "--config", join(place.folder, "twin.yaml")]);
    t.equal(twin.code, 1);
    t.match(
      twin.stderr,
      /^sigwall run: another process is node gw-a at 127\.0\.0\.1:\d+ \(prefix sigwall\): end it/m,
    );

    const c = await startFilter(configs[2]);
    t.teardown(() => c.signal("SIGKILL"));
    t.equal(
      await becomes(c, "/readyz", /^503/),
      "503 not ready: the policy is not that of the other nodes; sigwall status names it\n",
    );
    t.match(await becomes(a, "/readyz", /^200/), "200 ready", "the others go on");
    await becomes(a, "/metrics", /sigwall_cluster_revisions 2/);
    t.match((await runCommand(["status", "--config", configs[0]])).stdout, "other nodes have another policy");
    t.match((await runCommand(["status", "--config", configs[2]])).stdout, "reload it, or them");
    place.write("new.yaml", place.policy());
    t.match(await becomes(c, "/readyz", /^200/), "200 ready", "after its reload");
    t.equal(await c.stop(), 0);

    await redis.kill();
    t.match(await becomes(a, "/metrics", /sigwall_redis_up 0/), "sigwall_redis_up 0");
    t.equal(await place.placeCall(a.sipPort, "01087654321"), "forwarded", "calls go on");
    t.match(await becomes(a, "/readyz", /^200/), "200 ready");
    t.equal(await a.stop(), 0);
    t.equal(await b.stop(), 0);
  });
