import { setTimeout as sleep } from "node:timers/promises";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cpuMicros } from "../processes.ts";
import { sumOf } from "./figures.ts";
import type { Transport } from "./wire.ts";

/** How late the event loop ran within one second, in ms. */
export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** A port by transport. */
export type PortsOf = ReadonlyMap<Transport, number>;

export interface FilterParts {
  readonly root: string;
  readonly folder: string;
  /** The core it has for itself; undefined: any. */
  readonly core: number | undefined;
  /** The program. */
  readonly program: string;
  readonly ports: PortsOf;
  readonly adminPort: number;
  readonly callerAddress: string;
  /** Certificates of TLS. */
  readonly identities: string;
  /** The called sides. Each transport is carried on to the same one. */
  readonly called: readonly PortsOf[];
  /** Numbers on the lessee's list. */
  readonly numbers: number;
}

/** The filter under load. */
export interface SoakedFilter {
  /** CPU time so far, µs. */
  cpu(): number;
  /** Resident memory, MB. */
  memory(): number;
  readonly delays: readonly LoopDelay[];
  /** Puts another policy in force; true when it did. */
  reload(): Promise<boolean>;
  /** Counters whose name begins so, summed. */
  count(name: string): Promise<number>;
  readonly stop: () => Promise<void>;
}

/** Writes a policy with one lessee's trunk and starts the built program. */
export async function startSoakedFilter(parts: FilterParts): Promise<SoakedFilter> {
  const { root, folder, core, ports, adminPort, identities } = parts;
  mkdirSync(join(folder, "lists"), { recursive: true });
  const config = join(folder, "sigwall.yaml");
  const listen = [...ports].map(([transport, port]) => `"${transport}:127.0.0.1:${port}"`).join(", ");
  const file = (name: string): string => join(identities, name);
  const tls = ports.has("tls")
    ? `tls: { certificate: ${file("filter.pem")}, key: ${file("filter.key")}, ca: ${file("ca.pem")} }\n`
    : "";
  writeFileSync(
    config,
    `listen: [${listen}]\n${tls}admin: 127.0.0.1:${adminPort}\npolicy: policy.yaml\nkeyFile: own.key\n`,
  );
  writeFileSync(
    join(folder, "lists/own.csv"),
    `number\n${Array.from({ length: parts.numbers }, (_, index) => `+${861080000000 + index * 7}\n`).join("")}`,
  );
  writePolicy(parts, 0);
  const preload = join(root, "bench/soak/loop-delay.mjs");
  const command = [process.execPath, "--import", preload, parts.program, "run", "--config", config];
  const [program = "", ...args] = core === undefined ? command : ["taskset", "-c", String(core), ...command];
  const log = join(folder, "filter.log");
  const child = spawn(program, args, {
    stdio: ["ignore", "ignore", openSync(log, "w"), "ipc"],
  });
  const stopNow = (): unknown => child.kill("SIGKILL");
  process.once("exit", stopNow);
  const delays: LoopDelay[] = [];
  child.on("message", (delay: LoopDelay) => delays.push(delay));
  while (!readFileSync(log, "utf8").includes("sigwall is up")) {
    if (child.exitCode !== null) throw new Error(readFileSync(log, "utf8"));
    await sleep(50);
  }
  const { pid = 0 } = child;
  const admin = `http://127.0.0.1:${adminPort}`;
  let revision = 0;
  return {
    cpu: () => cpuMicros(pid),
    memory() {
      const line = /^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
      return Number(line?.[1] ?? 0) / 1024;
    },
    delays,
    async reload() {
      writePolicy(parts, ++revision);
      return (await fetch(`${admin}/reload`, { method: "POST" })).ok;
    },
    async count(name) {
      return sumOf(await (await fetch(`${admin}/metrics`)).text(), name);
    },
    async stop() {
      process.off("exit", stopNow);
      child.kill();
      await once(child, "exit");
    },
  };
}

/** A policy that differs from the one before it, renamed into place. */
function writePolicy({ folder, ports, callerAddress, called }: FilterParts, revision: number): void {
  const leases = [...ports].map(([transport, port]) => {
    const hops = called.map((target) => `"sip:127.0.0.1:${target.get(transport)};transport=${transport}"`);
    return `
  - id: lease-${transport}
    side: lessee
    match: { addresses: [${callerAddress}], listener: "${transport}:127.0.0.1:${port}" }
    lessee: own
    nextHops: [${hops.join(", ")}]
    limits: { callsPerSecond: ${5000 + (revision % 2)} }`;
  });
  const text = `version: 1
trunks:
  - { id: core, side: core, match: { addresses: [127.0.0.1] } }${leases.join("")}
lessees:
  - { id: own, numbers: lists/own.csv }
`;
  writeFileSync(join(folder, "next.yaml"), text);
  renameSync(join(folder, "next.yaml"), join(folder, "policy.yaml"));
}

/** The root of the repository, from where this was compiled to. */
export const root = join(fileURLToPath(import.meta.url), "../../../..");
