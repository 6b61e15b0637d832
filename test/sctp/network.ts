import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import type { KernelSctp } from "../../src/wire/sctp/kernel-sctp.ts";

const ip = "/usr/sbin/ip";
/** From <linux/sched.h>. */
const CLONE_NEWNET = 0x4000_0000;

/** Runs ip(8). Throws with what it says. */
function run(text: string): string {
  const { status, stdout, stderr } = spawnSync(ip, text.split(" "), { encoding: "utf8" });
  if (status !== 0) throw new Error(`ip ${text}: ${stderr}`);
  return stdout;
}

/** One cable between the filter and another host. */
export interface Cable {
  /** Names of its ends, addresses of its ends. */
  readonly own: string;
  readonly far: string;
  readonly ownAddress: string;
  readonly farAddress: string;
}

/** Another host beside the one that the filter is on. */
export interface Host {
  readonly name: string;
  readonly cables: readonly Cable[];
  /** Runs a step there: sockets that it makes are sockets of the host. */
  within<T>(step: () => T): T;
  /** The same for a step of which Node makes the socket in its next tick. */
  withinTick<T>(step: () => T): Promise<T>;
  /** SCTP of the host. */
  sctp(kernel: KernelSctp): KernelSctp;
  /** From now on nothing arrives that is sent by this cable, and nobody is told. */
  cut(cable: Cable): void;
  mend(cable: Cable): void;
  /** Runs ip(8) there. */
  ip(text: string): void;
}

export const hasNetwork = existsSync(ip);

type SetNamespace = (fd: number, kind: number) => number;

async function loadSetNamespace(): Promise<SetNamespace> {
  const name: string = "koffi";
  const loaded: {
    readonly default: { load(path: null): { func(declaration: string): SetNamespace } };
  } = await import(name);
  return loaded.default.load(null).func("int setns(int, int)");
}

function add(address: string, device: string): string {
  return address.includes(":")
    ? `addr add ${address}/64 dev ${device} nodad`
    : `addr add ${address}/24 dev ${device}`;
}

/** Makes a host with a cable for each address: the filter's end has 1 where the host's has its own last number. */
export async function createHost(name: string, addresses: readonly string[]): Promise<Host> {
  const setNamespace = await loadSetNamespace();
  mkdirSync("/run/netns", { recursive: true });
  run(`netns add ${name}`);
  const here = openSync("/proc/self/ns/net", "r");
  const there = openSync(`/run/netns/${name}`, "r");
  const enter = (fd: number): void => {
    if (setNamespace(fd, CLONE_NEWNET) !== 0) throw new Error(`setns ${name}`);
  };

  function within<T>(step: () => T): T {
    enter(there);
    try {
      return step();
    } finally {
      enter(here);
    }
  }

  const cables = addresses.map((farAddress, index): Cable => {
    const separator = farAddress.includes(":") ? ":" : ".";
    const ownAddress = `${farAddress.slice(0, farAddress.lastIndexOf(separator))}${separator}1`;
    return { own: `${name}${index}`, far: `eth${index}`, ownAddress, farAddress };
  });
  within(() => run("link set lo up"));
  for (const { own, far, ownAddress, farAddress } of cables) {
    run(`link add ${own} type veth peer name ${far} netns ${name}`);
    run(add(ownAddress, own));
    run(`link set ${own} up`);
    within(() => {
      run(add(farAddress, far));
      run(`link set ${far} up`);
    });
  }

  /** Frames go to an address that no card has: they are lost without a word. */
  function setNeighbours({ own, far, ownAddress, farAddress }: Cable, lost: boolean): void {
    const state = lost ? " lladdr 02:00:00:00:00:99 nud permanent" : "";
    const verb = lost ? "replace" : "del";
    run(`neigh ${verb} ${farAddress} dev ${own}${state}`);
    within(() => run(`neigh ${verb} ${ownAddress} dev ${far}${state}`));
  }

  return {
    name,
    cables,
    within,
    async withinTick(step) {
      enter(there);
      try {
        const result = step();
        await new Promise<void>((resolve) => process.nextTick(resolve));
        return result;
      } finally {
        enter(here);
      }
    },
    sctp: (kernel) => ({ ...kernel, bind: (locals) => within(() => kernel.bind(locals)) }),
    cut: (cable) => setNeighbours(cable, true),
    mend: (cable) => setNeighbours(cable, false),
    ip: (text) => void within(() => run(text)),
  };
}

/** Packets that have come in by the filter's end of a cable. */
export function packetsIn({ own }: Cable): number {
  const line = readFileSync("/proc/net/dev", "utf8")
    .split("\n")
    .find((text) => text.trim().startsWith(`${own}:`));
  return Number(line?.split(":")[1]?.trim().split(/\s+/)[1] ?? Number.NaN);
}
