// The keepalived of Debian with the file that we ship: the address follows `/readyz`.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { noNamespaces } from "../support/namespaces.ts";
import { noRedis } from "../support/redis-server.ts";
import { until } from "../support/until.ts";
import { type NodeName, openEdgePair, VIP } from "./edge-pair.ts";

const noKeepalived = ((): string | undefined => {
  try {
    execFileSync("keepalived", ["--version"], { stdio: "ignore" });
    return existsSync("/usr/bin/curl") ? undefined : "curl is not installed: keepalived can't ask";
  } catch {
    return "keepalived is not installed: only its moves are tried";
  }
})();

const missing = noNamespaces ?? noRedis ?? noKeepalived;
if (missing !== undefined) t.pass("keepalived", { skip: missing });
else {
  t.setTimeout(300_000);
  void t.test("keepalived moves the address", { timeout: 300_000 }, async (t) => {
    const folder = t.testdir();
    const pair = openEdgePair(folder, 1);
    t.teardown(pair.close);
    const { machines } = pair;
    const file = join(folder, "keepalived.conf");
    const shipped = readFileSync("deploy/keepalived/keepalived.conf", "utf8");
    writeFileSync(file, shipped.replace("192.0.2.10/24", `${VIP}/24`), { mode: 0o644 });
    const has = (node: NodeName): boolean =>
      machines[node].run("ip", "addr", "show", "dev", "eth0").includes(`${VIP}/`);
    await pair.startRedis();
    await Promise.all([pair.start("a"), pair.start("b")]);
    const guards = new Map(
      (["a", "b"] as const).map((node) => {
        const place = (name: string): string => join(folder, node, name);
        const pids = ["-p", place("main.pid"), "-r", place("vrrp.pid"), "-c", place("check.pid")];
        return [
          node,
          machines[node].start(["keepalived", "-n", "-l", "-f", file, ...pids], place("keepalived.log")),
        ];
      }),
    );
    // Its children end with it only so.
    t.teardown(async () => {
      for (const guard of guards.values()) guard.kill("SIGTERM");
      await until(() =>
        [...guards.values()].every(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null),
      );
    });
    await until(() => has("a") || has("b"));
    const [first, second] = has("a") ? (["a", "b"] as const) : (["b", "a"] as const);
    await pair.kill(first);
    await until(() => has(second) && !has(first));
    t.pass("the filter was killed: the other node has the address");
    await pair.start(first);
    await until(() => readFileSync(join(folder, first, "keepalived.log"), "utf8").includes("succeeded"));
    t.same([has(first), has(second)], [false, true], "a filter that comes back takes nothing");
    pair.signal(second, "SIGTERM");
    await until(() => has(first) && !has(second));
    t.pass("the filter drains: the other node has the address");
    guards.get(first)?.kill("SIGTERM");
    await until(() => !has(first));
    t.pass("keepalived was stopped: the address leaves at once");
    t.equal(await pair.stop(first), 0);
  });
}
