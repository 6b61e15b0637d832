import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { startFilter } from "../cli/filter-process.ts";
import { staticText } from "../cli/workplace.ts";
import { freePort } from "../support/free-port.ts";
import { shipped } from "../support/shipped.ts";

/** The command of a demo container, with ports of the test in place of those of the example. */
function startSipp(folder: string, args: readonly string[]): ChildProcess {
  return spawn("sipp", ["-nostdin", ...args], { cwd: folder, stdio: "ignore" });
}

void t.test(
  "demo: SIPp calls through the example policy, some callers are let through and some refused",
  async (t) => {
    if (spawnSync("sipp", ["-v"]).error !== undefined) {
      t.pass("sipp", { skip: "not installed: the scenarios of the demo were not run" });
      return;
    }
    const folder = mkdtempSync(join(tmpdir(), "sigwall-demo-"));
    const [core, lessee] = [await freePort("127.0.0.1"), await freePort("127.0.0.1")];
    const policy = readFileSync(join(shipped, "policy.yaml"), "utf8")
      .replaceAll("5090", String(core))
      .replaceAll("5061", String(lessee))
      // The system chooses the port of the filter, and there is one for both sides.
      .replaceAll(/, listener: udp:127\.0\.0\.1:\d+/gu, "");
    cpSync(join(shipped, "lists"), join(folder, "lists"), { recursive: true });
    writeFileSync(join(folder, "policy.yaml"), policy);
    writeFileSync(join(folder, "sigwall.yaml"), staticText);
    const demo = join(process.cwd(), "docker/demo");
    const answering = startSipp(folder, [
      "-sf",
      join(demo, "core.xml"),
      "-i",
      "127.0.0.1",
      "-p",
      String(core),
      "-aa",
    ]);
    const filter = await startFilter(join(folder, "sigwall.yaml"));
    t.teardown(async () => {
      const ended = once(answering, "close");
      answering.kill("SIGKILL");
      await ended;
      await filter.stop();
      rmSync(folder, { recursive: true });
    });
    const callers = readFileSync("docker/demo/callers.csv", "utf8").trimEnd().split("\n").slice(1);
    const files = ["-sf", join(demo, "lessee.xml"), "-inf", join(demo, "callers.csv")];
    const from = ["-i", "127.0.0.1", "-p", String(lessee)];
    const load = ["-r", "5", "-m", String(callers.length), "-timeout", "90s", "-timeout_error"];
    const calling = startSipp(folder, [...files, ...from, ...load, `127.0.0.1:${filter.sipPort}`]);
    await once(calling, "close");
    t.equal(calling.exitCode, 0, "every call went as the scenario has it");

    const metrics = await (await fetch(`${filter.admin}/metrics`)).text();
    const counted = (labels: string): number =>
      Number(
        new RegExp(`sigwall_attempts_total\\{trunk="bj-lease-01",${labels}.*\\} (\\d+)`).exec(metrics)?.[1],
      );
    t.equal(counted('verdict="accept",reason="listed"'), 7);
    t.equal(counted('verdict="reject",reason="cli-not-listed"'), 1);
    t.equal(counted('verdict="reject",reason="number-class"'), 1);
    t.equal(counted('verdict="reject",reason="cli-hidden"'), 1);
    t.equal(callers.length, 10);
    t.match(
      metrics,
      `sigwall_next_hop_up{trunk="bj-lease-01",next_hop="127.0.0.1:${core}"} 1\n`,
      "probes are answered",
    );
  },
);
