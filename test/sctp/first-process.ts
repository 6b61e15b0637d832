/** What the first process of a machine has to do before anything else runs, by system calls: there is no other program there. */
import { openSync, readdirSync } from "node:fs";

interface Library {
  func(declaration: string): (...values: unknown[]) => number;
}

const name: string = "koffi";
const loaded: { readonly default: { load(path: null): Library; errno(): number } } = await import(name);
const koffi = loaded.default;
const library = koffi.load(null);
const mount = library.func("int mount(str, str, str, unsigned long, void *)");
const syscall = library.func("long syscall(long, long, const char *, int)");
const socket = library.func("int socket(int, int, int)");
const ioctl = library.func("int ioctl(int, unsigned long, void *)");
const reboot = library.func("int reboot(int)");

/** finit_module(2) on x86-64. */
const FINIT_MODULE = 313;
const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 1;
const RB_AUTOBOOT = 0x0123_4567;

function check(result: number, what: string): void {
  if (result < 0) throw new Error(`${what}: error ${koffi.errno()}`);
}

/** Mounts what Node wants, loads every module of `/modules` in the order of their names, and brings loopback up. */
export function prepareMachine(): void {
  check(mount("none", "/proc", "proc", 0, null), "mount /proc");
  check(mount("none", "/dev", "devtmpfs", 0, null), "mount /dev");
  for (const file of readdirSync("/modules").toSorted())
    check(syscall(FINIT_MODULE, openSync(`/modules/${file}`, "r"), "", 0), file);
  const request = Buffer.alloc(40);
  request.write("lo");
  request.writeInt16LE(IFF_UP, 16);
  check(ioctl(socket(2, 2, 0), SIOCSIFFLAGS, request), "loopback");
}

/** Ends the machine: started with `-no-reboot`, it is over. */
export function leaveMachine(): void {
  reboot(RB_AUTOBOOT);
}
