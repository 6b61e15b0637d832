// The soak of two nodes for a minute: peers that know both nodes by DNS lose no call when one dies.
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import t from "tap";
import { noRedis } from "../support/redis-server.ts";

if (noRedis !== undefined) t.pass("a soak of two nodes", { skip: noRedis });
else {
  t.setTimeout(1_800_000);
  void t.test("no call is lost while nodes and Redis are killed", { timeout: 300_000 }, async (t) => {
    const load = ["--minutes", "1", "--rate", "20", "--kill-node-every", "20", "--kill-redis-every", "40"];
    const soak = spawn(process.execPath, ["out/bench/soak/cluster/run.js", ...load], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const said = await text(soak.stdout);
    for (const line of said.trimEnd().split("\n")) t.comment(line);
    t.match(said, / placed, .* 0 lost\n/);
    t.match(said, /ends +0, 0; faults 0\n/);
  });
}
