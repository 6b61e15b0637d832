import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { freeStreamPort } from "../support/free-port.ts";
import { PATIENCE } from "../support/until.ts";

const answerSchema = z.object({
  data: z.object({
    result: z.array(
      z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) }),
    ),
  }),
});

/** One series of an answer. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A Prometheus of its own, with the rules of `docker/` and other targets. */
export interface Prometheus {
  readonly query: (expr: string) => Promise<readonly Sample[]>;
  /** Resolves when `expr` has an answer above 0; rejects after {@link PATIENCE}. */
  readonly until: (expr: string) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Starts it; undefined when it is not installed. */
export async function startPrometheus(...targets: readonly string[]): Promise<Prometheus | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-prometheus-"));
  for (const name of ["recording.yml", "alerts.yml"]) copyFileSync(`docker/${name}`, join(folder, name));
  const config = readFileSync("docker/prometheus.yml", "utf8")
    .replace('"127.0.0.1:9464"', targets.map((target) => `"${target}"`).join(", "))
    .replaceAll("_interval: 5s", "_interval: 1s");
  writeFileSync(join(folder, "prometheus.yml"), config);
  const address = `127.0.0.1:${await freeStreamPort("127.0.0.1")}`;
  const child: ChildProcess = spawn(
    "prometheus",
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=${address}`,
    ],
    { stdio: "ignore" },
  );
  const isThere = await new Promise<boolean>((resolve) => {
    child.once("spawn", () => resolve(true));
    child.once("error", () => resolve(false));
  });
  if (!isThere) {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  const kill = (): unknown => child.kill();
  process.once("exit", kill);

  async function query(expr: string): Promise<readonly Sample[]> {
    const response = await fetch(`http://${address}/api/v1/query`, {
      method: "POST",
      body: new URLSearchParams({ query: expr }),
    });
    const body = await response.text();
    if (!response.ok) throw new Error(`${expr}: ${body}`);
    return answerSchema
      .parse(JSON.parse(body))
      .data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  }

  return {
    query,
    async until(expr) {
      for (const end = Date.now() + PATIENCE; Date.now() < end;) {
        const samples = await query(expr).catch(() => []);
        if (samples.some(({ value }) => value > 0)) return;
        await wait(100);
      }
      throw new Error(`after ${PATIENCE / 1000} s still not: ${expr}`);
    },
    async stop() {
      process.off("exit", kill);
      const ended = once(child, "close");
      child.kill();
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}
