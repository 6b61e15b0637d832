// Two filters, a Redis and both sides on machines of their own, and one address that only one of the filters has.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type Machine, type Network, openNetwork } from "../support/namespaces.ts";
import { inTime, until } from "../support/until.ts";
import { program } from "../cli/filter-process.ts";
import { writeScript } from "../sipp/script.ts";

/** The address that moves. */
export const VIP = "10.77.0.10";

const addresses = {
  caller: "10.77.0.3",
  core: "10.77.0.6",
  redis: "10.77.0.5",
  a: "10.77.0.11",
  b: "10.77.0.12",
} as const;

const recordSchema = z.record(z.string(), z.unknown());

export type NodeName = "a" | "b";

/** A call, as both sides play it; each has a trunk, and ports, of its own. */
export interface PlayedCall {
  readonly name: string;
  readonly caller: readonly string[];
  readonly called: readonly string[];
}

export interface EdgePair {
  readonly network: Network;
  readonly machines: Readonly<Record<keyof typeof addresses, Machine>>;
  readonly start: (node: NodeName) => Promise<void>;
  readonly kill: (node: NodeName) => Promise<void>;
  /** SIGTERM. @returns its exit code */
  readonly stop: (node: NodeName) => Promise<number | null>;
  readonly signal: (node: NodeName, signal: NodeJS.Signals) => void;
  readonly log: (node: NodeName) => string;
  readonly move: (from: NodeName, to: NodeName) => void;
  readonly startRedis: () => Promise<void>;
  readonly killRedis: () => Promise<void>;
  /** Starts SIPp on both sides for a call. Resolves with what went wrong, when both are over. */
  readonly play: (call: PlayedCall, index: number, more?: readonly string[]) => Promise<readonly string[]>;
  /** What a side of a call has sent and received so far. */
  readonly messages: (side: "caller" | "called", index: number) => string;
  /** A figure of a node, as `/metrics` shows it; `undefined`: it shows none. */
  readonly figure: (node: NodeName, series: string) => number | undefined;
  /** Lines of records of a node. */
  readonly records: (node: NodeName) => readonly Readonly<Record<string, unknown>>[];
  readonly close: () => void;
}

/** Where the filters listen, and whether they probe the next hops. */
export interface Layout {
  readonly listen: string;
  /** What a trunk of the core is known by, beside its address. */
  readonly core: string;
  readonly probe: "options" | "off";
}

/** Everything at the address that moves. SIPp takes an OPTIONS for a call. */
export const oneAddress: Layout = { listen: `"udp:${VIP}:5060"`, core: "", probe: "off" };
/** The core side takes what comes to any address of the machine, and sends from the machine's own. */
export const coreApart: Layout = {
  listen: `"udp:${VIP}:5060", { on: "udp:0.0.0.0:5070", advertise: "${VIP}:5070" }`,
  core: ', listener: "udp:0.0.0.0:5070"',
  probe: "off",
};

/** @param calls trunks that there are */
export function openEdgePair(folder: string, calls: number, layout = oneAddress): EdgePair {
  const network = openNetwork(addresses);
  const machines = {
    caller: network.machine("caller"),
    core: network.machine("core"),
    redis: network.machine("redis"),
    a: network.machine("a"),
    b: network.machine("b"),
  };
  const file = (...names: readonly string[]): string => join(folder, ...names);
  writeFileSync(file("own.csv"), "number\n+861087654300..+861087654399\n");
  writeFileSync(file("own.key"), `${"5a".repeat(32)}\n`, { mode: 0o600 });
  const trunk = (index: number): string =>
    `  - { id: lease-${index}, side: lessee, lessee: own, areaCode: "10", match: { addresses: [${addresses.caller}], ports: [${15_060 + index}], listener: "udp:${VIP}:5060" }, nextHops: ["sip:${addresses.core}:${25_060 + index}"] }\n`;
  writeFileSync(
    file("policy.yaml"),
    `version: 1\ntrunks:\n  - { id: core, side: core, match: { addresses: [${addresses.core}]${layout.core} } }\n` +
      `${Array.from({ length: calls }, (_, index) => trunk(index)).join("")}lessees: [{ id: own, numbers: own.csv }]\n` +
      `nextHopHealth: { probe: ${layout.probe}, intervalSeconds: 1, timeoutSeconds: 1 }\noverload: { mode: off }\n`,
  );
  // SIPp takes ports from 6000 on for media.
  const running = new Map<string, ChildProcess>();

  async function end(name: string, signal: NodeJS.Signals): Promise<number | null> {
    const child = running.get(name);
    if (child === undefined) return null;
    running.delete(name);
    const ended = once(child, "exit");
    child.kill(signal);
    await inTime(ended, () => `${name} goes on`);
    return child.exitCode;
  }

  const log = (node: NodeName): string =>
    existsSync(file(node, "log")) ? readFileSync(file(node, "log"), "utf8") : "";
  for (const node of ["a", "b"] as const) {
    mkdirSync(file(node));
    // The socket is there before the address is.
    machines[node].run("sysctl", "-qw", "net.ipv4.ip_nonlocal_bind=1");
    writeFileSync(
      file(node, "sigwall.yaml"),
      [
        `node: gw-${node}`,
        `listen: [${layout.listen}]`,
        "admin: 127.0.0.1:9464",
        "policy: ../policy.yaml",
        "keyFile: ../own.key",
        "stateFolder: state",
        "records: { folder: records }",
        `redis: { url: "redis://${addresses.redis}:6379" }`,
        "",
      ].join("\n"),
    );
  }

  const startSipp = async (
    machine: Machine,
    name: string,
    steps: readonly string[],
    more: readonly string[],
  ): Promise<string | undefined> => {
    writeFileSync(file(`${name}.xml`), writeScript(name, steps));
    const own = [
      "-trace_err",
      "-error_file",
      file(`${name}.errors`),
      "-trace_msg",
      "-message_file",
      file(`${name}.messages`),
    ];
    const command = [
      "sipp",
      "-sf",
      file(`${name}.xml`),
      "-nostdin",
      "-i",
      machine.address,
      "-t",
      "u1",
      ...own,
      ...more,
    ];
    const child = machine.start(command, file(`${name}.log`));
    await once(child, "exit");
    if (child.exitCode === 0) return undefined;
    const tail = (ending: string): string =>
      existsSync(file(name + ending)) ? readFileSync(file(name + ending), "latin1").slice(-3000) : "";
    return `${name} ended with ${child.exitCode ?? child.signalCode}\n${tail(".errors")}\n${tail(".messages")}\n${tail(".log")}`;
  };

  return {
    network,
    machines,
    async start(node) {
      const from = log(node).length;
      const command = [process.execPath, program, "run", "--config", file(node, "sigwall.yaml")];
      const child = machines[node].start(command, file(node, "log"));
      running.set(node, child);
      await until(() => log(node).slice(from).includes('"msg":"sigwall is up"') || child.exitCode !== null);
      if (child.exitCode !== null) throw new Error(log(node).slice(from));
    },
    kill: async (node) => void (await end(node, "SIGKILL")),
    stop: (node) => end(node, "SIGTERM"),
    signal: (node, signal) => void running.get(node)?.kill(signal),
    log,
    move(from, to) {
      network.take(VIP, from);
      network.give(VIP, to);
    },
    async startRedis() {
      const command = [
        "redis-server",
        "--bind",
        addresses.redis,
        "--save",
        "",
        "--dir",
        folder,
        "--protected-mode",
        "no",
      ];
      running.set("redis", machines.redis.start(command, file("redis.log")));
      const answers = (): boolean => {
        try {
          return machines.redis.run("redis-cli", "-h", addresses.redis, "PING").trim() === "PONG";
        } catch {
          return false;
        }
      };
      await until(answers);
    },
    killRedis: async () => void (await end("redis", "SIGKILL")),
    async play(call, index, more = ["-m", "1", "-timeout", "90", "-timeout_error"]) {
      const called = startSipp(machines.core, `called-${index}`, call.called, [
        "-p",
        String(25_060 + index),
        ...more,
      ]);
      const port = `:${(25_060 + index).toString(16).toUpperCase()} `;
      await until(() => machines.core.run("cat", "/proc/net/udp").includes(port));
      const caller = startSipp(machines.caller, `caller-${index}`, call.caller, [
        "-p",
        String(15_060 + index),
        ...more,
        `${VIP}:5060`,
      ]);
      const said = await Promise.all([caller, called]);
      return said.filter((text) => text !== undefined).map((text) => `${call.name}: ${text}`);
    },
    messages(side, index) {
      const messages = file(`${side}-${index}.messages`);
      return existsSync(messages) ? readFileSync(messages, "latin1") : "";
    },
    figure(node, series) {
      const ask = "exec 3<>/dev/tcp/127.0.0.1/9464; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3";
      const lines = machines[node].run("bash", "-c", ask).split("\n");
      const found = lines.find((line) => line.startsWith(`${series} `));
      return found === undefined ? undefined : Number(found.slice(series.length));
    },
    records(node) {
      const records = file(node, "records");
      const hours = existsSync(records) ? readdirSync(records, { recursive: true, encoding: "utf8" }) : [];
      return hours
        .filter((name) => name.endsWith(".ndjson"))
        .flatMap((name) => readFileSync(join(records, name), "utf8").trimEnd().split("\n"))
        .map((line) => recordSchema.parse(JSON.parse(line)));
    },
    close() {
      network.close();
    },
  };
}
