// Machines of a test: network namespaces on one Ethernet, and an address that moves between them as keepalived moves it.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";

/** Undefined: namespaces can be made here. Otherwise in words, why not. */
export const noNamespaces: string | undefined = ((): string | undefined => {
  const name = `sw-try-${process.pid}`;
  try {
    execFileSync("ip", ["netns", "add", name], { stdio: "ignore" });
    execFileSync("ip", ["netns", "exec", name, "ip", "link", "set", "lo", "up"], { stdio: "ignore" });
    execFileSync("ip", ["netns", "del", name], { stdio: "ignore" });
    return undefined;
  } catch {
    return "network namespaces can't be made here: it takes root and iproute2";
  }
})();

/** A machine: a namespace with one interface `eth0` and a loopback. */
export interface Machine {
  readonly address: string;
  /** Starts a program there. Its output goes to a file. */
  start(command: readonly string[], log: string): ChildProcess;
  /** Runs a program there to its end. @returns what it prints */
  run(...command: readonly string[]): string;
}

export interface Network {
  /** Throws for a name that none has. */
  machine(name: string): Machine;
  /** The machine has a further address from now on, and says so to all (gratuitous ARP). */
  give(address: string, to: string): void;
  take(address: string, from: string): void;
  /** Ends every process that was started, and removes everything. */
  close(): void;
}

function ip(...args: readonly string[]): string {
  return execFileSync("ip", args, { encoding: "utf8" });
}

/** Makes machines on one Ethernet. `addresses`: of each, in 10.77.0.0/24. */
export function openNetwork(addresses: Readonly<Record<string, string>>): Network {
  const prefix = `sw-${process.pid}-`;
  const made: string[] = [];
  const children = new Set<ChildProcess>();
  const make = (name: string): string => {
    ip("netns", "add", prefix + name);
    made.push(prefix + name);
    ip("-n", prefix + name, "link", "set", "lo", "up");
    return prefix + name;
  };

  function close(): void {
    process.off("exit", close);
    for (const child of children) child.kill("SIGKILL");
    for (const name of made.splice(0)) ip("netns", "del", name);
  }
  process.on("exit", close);

  const ethernet = make("ethernet");
  ip("-n", ethernet, "link", "add", "br0", "type", "bridge");
  ip("-n", ethernet, "link", "set", "br0", "up");
  const machines = new Map<string, Machine>();
  for (const [name, address] of Object.entries(addresses)) {
    const space = make(name);
    const port = `to-${name}`;
    ip("-n", ethernet, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", space);
    ip("-n", ethernet, "link", "set", port, "master", "br0", "up");
    ip("-n", space, "addr", "add", `${address}/24`, "dev", "eth0");
    ip("-n", space, "link", "set", "eth0", "up");
    machines.set(name, {
      address,
      start(command, log) {
        const output = openSync(log, "a");
        // `ip netns exec` becomes the program: its process is the child.
        const child = spawn("ip", ["netns", "exec", space, ...command], {
          stdio: ["ignore", output, output],
        });
        closeSync(output);
        children.add(child);
        child.once("exit", () => children.delete(child));
        return child;
      },
      run: (...command) => ip("netns", "exec", space, ...command),
    });
  }
  return {
    machine(name) {
      const found = machines.get(name);
      if (found === undefined) throw new Error(`no machine ${name}`);
      return found;
    },
    give(address, to) {
      const space = prefix + to;
      ip("-n", space, "addr", "add", `${address}/24`, "dev", "eth0");
      // What keepalived sends. Where arping is missing, the others forget whom they asked.
      try {
        const announce = ["arping", "-q", "-c", "1", "-U", "-i", "eth0", "-S", address, address];
        execFileSync("ip", ["netns", "exec", space, ...announce], { stdio: "ignore" });
      } catch {
        for (const name of made)
          execFileSync("ip", ["-n", name, "neigh", "flush", "all"], { stdio: "ignore" });
      }
    },
    take: (address, from) => void ip("-n", prefix + from, "addr", "del", `${address}/24`, "dev", "eth0"),
    close,
  };
}
