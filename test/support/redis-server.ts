import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { freeStreamPort } from "./free-port.ts";
import { PATIENCE } from "./until.ts";

/** Undefined: redis-server runs here. Otherwise in words, why it does not. */
export const noRedis: string | undefined = ((): string | undefined => {
  try {
    execFileSync("redis-server", ["--version"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "redis-server is not installed: nodes are not tried with a real Redis";
  }
})();

/** A redis-server of a test. It keeps nothing on the disk. */
export interface RedisServer {
  readonly port: number;
  /** `redis://127.0.0.1:PORT`. */
  readonly url: string;
  /** Runs a command by redis-cli, and gives what it prints. */
  readonly cli: (...command: readonly string[]) => string;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Ends it as a power failure does. */
  readonly kill: () => Promise<void>;
  /** Starts it again, empty, at the same port. */
  readonly start: () => Promise<void>;
}

/** Starts a server in a folder. `more`: further settings, `["--requirepass", "secret"]`. */
export async function startRedis(
  folder: string,
  more: readonly string[] = [],
  cliOptions: readonly string[] = [],
): Promise<RedisServer> {
  const port = await freeStreamPort("127.0.0.1");
  let child: ChildProcess | undefined;
  const server: RedisServer = {
    port,
    url: `redis://127.0.0.1:${port}`,
    cli: (...command) =>
      execFileSync("redis-cli", ["-p", String(port), ...cliOptions, ...command], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
        timeout: PATIENCE,
      }).trim(),
    signal: (signal) => void child?.kill(signal),
    async kill() {
      const last = child;
      child = undefined;
      if (last === undefined || last.exitCode !== null) return;
      const ended = once(last, "exit");
      last.kill("SIGKILL");
      await ended;
    },
    async start() {
      child = spawn(
        "redis-server",
        [
          "--port",
          String(port),
          "--bind",
          "127.0.0.1",
          "--save",
          "",
          "--appendonly",
          "no",
          "--dir",
          folder,
          ...more,
        ],
        { stdio: "ignore" },
      );
      await answers(port);
    },
  };
  await server.start();
  return server;
}

/** Starts a Sentinel that watches a server under the name `sigwall`. @returns its port, and what ends it */
export async function startSentinel(
  file: string,
  master: number,
): Promise<{ readonly port: number; readonly kill: () => void }> {
  const port = await freeStreamPort("127.0.0.1");
  const child = spawn("redis-server", [file, "--sentinel", "--port", String(port)], { stdio: "ignore" });
  await answers(port);
  const cli = (...command: readonly string[]): string =>
    execFileSync("redis-cli", ["-p", String(port), ...command], { encoding: "utf8" });
  cli("SENTINEL", "MONITOR", "sigwall", "127.0.0.1", String(master), "1");
  cli("SENTINEL", "SET", "sigwall", "down-after-milliseconds", "500");
  return { port, kill: () => void child.kill("SIGKILL") };
}

async function answers(port: number): Promise<void> {
  for (const end = Date.now() + PATIENCE; Date.now() < end;) {
    const socket = connect(port, "127.0.0.1");
    const [event] = await Promise.race([
      once(socket, "connect").then(() => ["up"]),
      once(socket, "close").then(() => ["down"]),
    ]).catch(() => ["down"]);
    socket.destroy();
    if (event === "up") return;
    await pause(10);
  }
  throw new Error(`redis-server does not listen on port ${port}`);
}
