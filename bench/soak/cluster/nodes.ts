/** The two filters of the soak: written, started, killed and asked. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sumOf } from "../figures.ts";
import type { NodePlaces } from "./wire.ts";

export interface NodesParts {
  readonly folder: string;
  readonly program: string;
  readonly places: NodePlaces;
  readonly adminPorts: readonly number[];
  readonly redisUrl: string;
  readonly called: { readonly address: string; readonly port: number };
  readonly callers: Readonly<Record<"load" | "rate" | "channels", string>>;
  readonly limits: { readonly rate: number; readonly channels: number };
}

export interface SoakedNode {
  readonly name: string;
  readonly pid: number;
  /** Resolves when calls can come. */
  start(): Promise<void>;
  /** `kill -9`. */
  kill(): Promise<void>;
  /** SIGTERM. @returns its exit code */
  stop(): Promise<number | null>;
  /** The series whose name begins so, summed; `undefined` when it can't be asked. */
  count(name: string): Promise<number | undefined>;
}

/** Both nodes bear one name, as behind DNS SRV: `advertise`. */
export function openNodes(parts: NodesParts): readonly SoakedNode[] {
  const { folder, called, callers, limits } = parts;
  writeFileSync(join(folder, "own.csv"), "number\n+861080000000..+861080009999\n");
  writeFileSync(join(folder, "own.key"), `${"5a".repeat(32)}\n`, { mode: 0o600 });
  const trunk = (name: keyof typeof callers, limit: string): string =>
    `  - { id: ${name}, side: lessee, lessee: own, match: { addresses: [${callers[name]}] }, nextHops: ["sip:${called.address}:${called.port}"], limits: ${limit} }\n`;
  writeFileSync(
    join(folder, "policy.yaml"),
    `version: 1\ntrunks:\n  - { id: core, side: core, match: { addresses: [${called.address}] } }\n` +
      trunk("load", "{ callsPerSecond: 100000 }") +
      trunk("rate", `{ callsPerSecond: ${limits.rate} }`) +
      trunk("channels", `{ channels: ${limits.channels} }`) +
      // A machine that is busy with other work sheds calls; that is no loss by a node.
      "lessees: [{ id: own, numbers: own.csv }]\noverload: { mode: off }\n",
  );
  return parts.places.addresses.map((address, index) => openNode(parts, `node-${index + 1}`, address, index));
}

function openNode(parts: NodesParts, name: string, address: string, index: number): SoakedNode {
  const { places, folder } = parts;
  const own = join(folder, name);
  mkdirSync(own);
  const admin = `${address}:${parts.adminPorts[index]}`;
  const config = join(own, "sigwall.yaml");
  writeFileSync(
    config,
    [
      `node: ${name}`,
      `listen: [{ on: "udp:${address}:${places.port}", advertise: "${places.name}" }]`,
      `admin: ${admin}`,
      "policy: ../policy.yaml",
      "keyFile: ../own.key",
      "stateFolder: state",
      "records: { folder: records }",
      `redis: { url: "${parts.redisUrl}" }`,
      "",
    ].join("\n"),
  );
  const log = join(own, "log");
  let child: ChildProcess | undefined;
  const leave = (): void => void child?.kill("SIGKILL");
  process.on("exit", leave);
  return {
    name,
    get pid() {
      return child?.pid ?? 0;
    },
    async start() {
      const output = openSync(log, "a");
      const from = logOf().length;
      child = spawn(process.execPath, [parts.program, "run", "--config", config], {
        stdio: ["ignore", output, output],
      });
      closeSync(output);
      while (!logOf().slice(from).includes("sigwall is up")) {
        if (child.exitCode !== null) throw new Error(`${name}: ${logOf().slice(from)}`);
        await sleep(20);
      }
    },
    async kill() {
      const last = child;
      if (last === undefined) return;
      const ended = once(last, "exit");
      last.kill("SIGKILL");
      await ended;
    },
    async stop() {
      const last = child;
      if (last === undefined) return null;
      const ended = once(last, "exit");
      last.kill("SIGTERM");
      await ended;
      return last.exitCode;
    },
    async count(wanted) {
      try {
        const answer = await fetch(`http://${admin}/metrics`, { signal: AbortSignal.timeout(900) });
        return sumOf(await answer.text(), wanted);
      } catch {
        return undefined;
      }
    },
  };

  function logOf(): string {
    return readFileSync(log, "utf8");
  }
}
