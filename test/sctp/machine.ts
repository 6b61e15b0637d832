import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { createArchive } from "./initramfs.ts";

/** What the machine is made of, found on this one. */
export interface MachineParts {
  readonly qemu: string;
  readonly kernel: string;
  /** In the order in which they are loaded. */
  readonly modules: readonly string[];
  /** Programs that are taken along. What they are for is left out where they aren't installed. */
  readonly programs: readonly string[];
  readonly stp: string | undefined;
}

const qemu = "/usr/bin/qemu-system-x86_64";
const stp = "/usr/bin/osmo-stp";
const ip = "/usr/sbin/ip";
const moduleNames = [
  "kernel/lib/libcrc32c.ko",
  "kernel/net/ipv4/udp_tunnel.ko",
  "kernel/net/ipv6/ip6_udp_tunnel.ko",
  "kernel/net/sctp/sctp.ko",
  "kernel/drivers/net/veth.ko",
];

/** Finds emulator and kernel; in words, what is missing. */
export function findMachineParts(): MachineParts | string {
  if (process.arch !== "x64" || process.platform !== "linux") return "not Linux on x86-64";
  if (!existsSync(qemu)) return "no qemu-system-x86_64 (Debian: qemu-system-x86)";
  const kernel = (existsSync("/boot") ? readdirSync("/boot") : [])
    .filter((name) => name.startsWith("vmlinuz-") && name.endsWith("cloud-amd64"))
    .toSorted()
    .at(-1);
  if (kernel === undefined) return "no kernel (Debian: linux-image-cloud-amd64)";
  const release = kernel.slice("vmlinuz-".length);
  const modules = moduleNames.map((name) => `/lib/modules/${release}/${name}`);
  const missing = modules.find((path) => !existsSync(path));
  if (missing !== undefined) return `no ${missing}`;
  const programs = [stp, ip].filter((path) => existsSync(path));
  return {
    qemu,
    kernel: `/boot/${kernel}`,
    modules,
    programs,
    stp: programs.includes(stp) ? stp : undefined,
  };
}

/** Packages that the program needs to run, and nobody needs to develop. */
function runtimePackages(): readonly string[] {
  const lock = z.object({
    packages: z.record(z.string(), z.object({ dev: z.boolean().optional() })),
  });
  const { packages } = lock.parse(JSON.parse(readFileSync("package-lock.json", "utf8")));
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== "" && dev !== true && existsSync(path))
    .map(([path]) => path);
}

function isWanted(path: string): boolean {
  return (
    !/\.(?:map|md|ts|cts|mts|c|cc|h)$/.test(path) && !/musl|\/node-api-headers|\/node-addon-api/.test(path)
  );
}

function buildInitramfs({ modules, programs }: MachineParts): Buffer {
  const archive = createArchive();
  for (const folder of ["proc", "dev", "sys", "run", "tmp", "etc"]) archive.directory(folder);
  archive.device("dev/console", 5, 1);
  archive.program(process.execPath);
  for (const [index, path] of modules.entries()) archive.copy(path, `modules/${index}.ko`);
  for (const program of programs) archive.program(program);
  for (const path of runtimePackages()) archive.copyTree(path, `sigwall/${path}`, isWanted);
  archive.copy("package.json", "sigwall/package.json");
  for (const folder of ["out/src", "out/pcaps", "out/test/sctp", "out/test/support"])
    archive.copyTree(folder, `sigwall/${folder}`, isWanted);
  return archive.end();
}

/** Boots the machine with `script` (of the project, compiled) as its only process; calls `line` for every line of its console. */
export async function runMachine(
  parts: MachineParts,
  script: string,
  most: number,
  line: (text: string) => void,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-machine-"));
  try {
    const initramfs = join(folder, "initramfs");
    writeFileSync(initramfs, buildInitramfs(parts));
    const options = [
      ["-kernel", parts.kernel],
      ["-initrd", initramfs],
      ["-m", "1024"],
      ["-append", `console=ttyS0 quiet panic=-1 rdinit=${process.execPath} -- /sigwall/${script}`],
      ["-nic", "none"],
      ["-accel", "tcg"],
      // Its clock counts instructions, a nanosecond each: it is as fast beside other work as alone.
      ["-icount", "shift=0,sleep=off"],
      ["-cpu", "max"],
    ].flat();
    const machine = spawn(parts.qemu, [...options, "-nographic", "-no-reboot"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const kill = (): unknown => machine.kill("SIGKILL");
    process.once("exit", kill);
    const last = setTimeout(kill, most);
    createInterface({ input: machine.stdout }).on("line", line);
    await new Promise((resolve) => machine.once("close", resolve));
    clearTimeout(last);
    process.off("exit", kill);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
