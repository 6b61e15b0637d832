import { formatEndpoint } from "../../net/endpoint.ts";
import { endianness } from "node:os";
import { getSystemErrorName } from "node:util";
import { isMainThread } from "node:worker_threads";

/** Not a literal in the import, so that the compiler does without the optional package too. */
const KOFFI: string = "koffi";

/** As much of koffi 3.3 as is used. */
export interface Koffi {
  load(path: null): { func(declaration: string): (...numbers: number[]) => number };
  address(block: ArrayBuffer): bigint;
  errno(): number;
  /** Not in koffi's handbook, but in its types: a `uv_poll_t` on Node's own loop. The first argument of the callback is libuv's status. */
  readonly node: {
    poll(
      fd: number,
      ready: (status: unknown) => void,
    ): {
      start(events: { readable: boolean; writable: boolean }, ready: (status: unknown) => void): void;
      close(): void;
    };
  };
}

// <asm-generic/errno.h>, <bits/socket.h>, <asm-generic/socket.h>, <netinet/in.h>: the same numbers on x86-64 and arm64.
export const EINTR = 4;
export const EAGAIN = 11;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 26;
export const MSG_DONTWAIT = 0x40;

/** An error number as the Error that Node would give. */
export function systemError(call: string, errno: number, address: string, port: number): Error {
  const code = getSystemErrorName(-errno);
  const error = new Error(`${call} ${code} ${formatEndpoint({ address, port })}`);
  return Object.assign(error, { code, errno: -errno, syscall: call, address, port });
}

/** Loads koffi and binds with it; a string says why that can't be. */
export async function loadCalls<Calls>(bind: (koffi: Koffi) => Calls): Promise<Calls | string> {
  const { platform, arch } = process;
  if (platform !== "linux" || (arch !== "x64" && arch !== "arm64") || endianness() !== "LE")
    return `not built for ${platform} on ${arch}`;
  // A worker that ends with a watch open takes its loop away under it.
  if (!isMainThread) return "not on a worker thread";
  try {
    const loaded: { readonly default: Koffi } = await import(KOFFI);
    return bind(loaded.default);
  } catch (error) {
    return `koffi can't be loaded: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Waiting for one socket. */
export interface SocketWatch {
  /** Waits for room to send too, or no more; and not for data if `forData` is false. Also begins again after an error. */
  start(forRoom: boolean, forData?: boolean): void;
  /** Ends it; the descriptor may be closed right after. */
  close(): void;
}

/** Calls `ready` from the event loop as long as there is something to read, and with true after the watch has ended by an error. */
export function watchDescriptor(koffi: Koffi, fd: number, ready: (failed: boolean) => void): SocketWatch {
  // libuv itself waits, on its own epoll: timers, signals and other sockets go on as ever. It says a negative status, and ends, on EPOLLERR.
  const onReady = (status: unknown): void => ready(typeof status === "number" && status < 0);
  const handle = koffi.node.poll(fd, onReady);
  return {
    start: (forRoom, forData = true) => handle.start({ readable: forData, writable: forRoom }, onReady),
    close: () => handle.close(),
  };
}
