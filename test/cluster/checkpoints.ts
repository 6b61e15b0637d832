// Checkpoints of the evidence go from one running filter to the other, and a roll-back shows there.
import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { runCommand, startFilter } from "../cli/filter-process.ts";
import { openWorkplace, staticText } from "../cli/workplace.ts";
import { becomes } from "../support/becoming.ts";
import { noRedis, startRedis } from "../support/redis-server.ts";
import { until } from "../support/until.ts";

if (noRedis !== undefined) t.pass("checkpoints through a Redis", { skip: noRedis });
else
  void t.test("a node whose evidence is rolled back is found out by the other one", async (t) => {
    const place = await openWorkplace();
    const redis = await startRedis(place.folder);
    t.teardown(async () => {
      await redis.kill();
      place.remove();
    });
    place.write("policy.yaml", place.policy());
    const write = (name: string): string => {
      const more = [
        `node: ${name}`,
        `stateFolder: state-${name}`,
        `evidence: { folder: evidence-${name}, keyFile: ${name}.key, checkpointSeconds: 1 }`,
        `redis: { url: "${redis.url}" }`,
      ];
      place.write(`${name}.yaml`, `${staticText}${more.join("\n")}\n`);
      return join(place.folder, `${name}.yaml`);
    };
    const configs = [write("gw-a"), write("gw-b")] as const;
    const evidence = join(place.folder, "evidence-gw-a");
    const kept = join(place.folder, "evidence-gw-b/peers/gw-a.checkpoints");
    const key = join(place.folder, "evidence-gw-b/peers/gw-a.pub");
    const b = await startFilter(configs[1]);
    t.teardown(() => b.signal("SIGKILL"));
    /** Runs gw-a for some refused calls, and to its end. */
    const runA = async (
      calls: number,
      then: () => Promise<unknown> = () => Promise.resolve(),
    ): Promise<void> => {
      const a = await startFilter(configs[0]);
      t.teardown(() => a.signal("SIGKILL"));
      for (let i = 0; i < calls; i++) t.equal(await place.placeCall(a.sipPort, "01087654400"), "403");
      await then();
      t.equal(await a.stop(), 0);
    };
    const newest = (): string => readFileSync(join(evidence, "gw-a.checkpoint"), "utf8");

    await runA(1, () => until(() => existsSync(kept)));
    await until(() => readFileSync(kept, "utf8").endsWith(newest()));
    const copy = join(place.folder, "copy");
    cpSync(evidence, copy, { recursive: true });
    await runA(3);
    await until(() => readFileSync(kept, "utf8").endsWith(newest()));
    const verify = (...more: readonly string[]): ReturnType<typeof runCommand> =>
      runCommand(["evidence", "verify", evidence, ...more]);
    const whole = await verify("--checkpoint", kept, "--key", key);
    t.match(whole, { code: 0, stdout: "checkpoints were given" }, "nothing was rolled back yet");

    rmSync(evidence, { recursive: true });
    cpSync(copy, evidence, { recursive: true });
    t.match(await verify(), { code: 0, stdout: "whether the log was rolled back can't be seen" });
    const found = await verify("--checkpoint", kept, "--key", key);
    t.match(found, {
      code: 1,
      stdout: /WRONG: .*this checkpoint was signed for \d+: the log was rolled back/,
    });

    await runA(1, () => becomes(b, "/metrics", /sigwall_peer_checkpoints_total\{result="shrunk"\} [1-9]/));
    t.match(
      await becomes(b, "/metrics", /result="shrunk"\} [1-9]/),
      /result="shrunk"\} [1-9]/,
      "and told by the other node",
    );
    t.equal(await b.stop(), 0);
  });
