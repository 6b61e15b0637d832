// System calls by koffi: loading them, their error numbers, and waiting for a socket.
import { formatEndpoint } from "../../net/endpoint.ts";
import { endianness } from "node:os";
import { getSystemErrorName } from "node:util";
import { isMainThread } from "node:worker_threads";

/** A variable in the import, so that the compiler does not need the optional package. */
const KOFFI: string = "koffi";

/** The part of koffi 3.3 that is used. */
export interface Koffi {
  load(path: null): { func(declaration: string): (...numbers: number[]) => number };
  address(block: ArrayBuffer): bigint;
  errno(): number;
  /**
   * A `uv_poll_t` on Node's own event loop; in koffi's types, not in its handbook. The first
   * argument of the callback is the status of libuv.
   */
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

// From <asm-generic/errno.h>, <bits/socket.h>, <asm-generic/socket.h>, <netinet/in.h>: the same
// numbers on x86-64 and arm64.
export const EINTR = 4;
export const EAGAIN = 11;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 26;
export const MSG_DONTWAIT = 0x40;

/** Makes the Error that Node would give for an error number. */
export function systemError(call: string, errno: number, address: string, port: number): Error {
  const code = getSystemErrorName(-errno);
  const error = new Error(`${call} ${code} ${formatEndpoint({ address, port })}`);
  return Object.assign(error, { code, errno: -errno, syscall: call, address, port });
}

/**
 * Loads koffi and binds the system calls.
 * @returns a string that says why they are not available
 */
export async function loadCalls<Calls>(bind: (koffi: Koffi) => Calls): Promise<Calls | string> {
  const { platform, arch } = process;
  if (platform !== "linux" || (arch !== "x64" && arch !== "arm64") || endianness() !== "LE")
    return `not built for ${platform} on ${arch}`;
  // A worker that ends while a watch is open destroys its event loop under the watch.
  if (!isMainThread) return "not available on a worker thread";
  try {
    const loaded: { readonly default: Koffi } = await import(KOFFI);
    return bind(loaded.default);
  } catch (error) {
    return `koffi can't be loaded: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Waits for one socket. */
export interface SocketWatch {
  /**
   * Chooses what to wait for: room to send, data to read, or both. Also starts again after an
   * error.
   */
  start(forRoom: boolean, forData?: boolean): void;
  /** Ends the watch. The descriptor may be closed right after. */
  close(): void;
}

/**
 * Calls `ready` from the event loop as long as there is something to read. After an error the watch
 * ends and `ready` gets true.
 */
export function watchDescriptor(koffi: Koffi, fd: number, ready: (failed: boolean) => void): SocketWatch {
  // libuv waits on its own epoll, so timers, signals and other sockets go on. On EPOLLERR it
  // reports a negative status and ends.
  const onReady = (status: unknown): void => ready(typeof status === "number" && status < 0);
  const handle = koffi.node.poll(fd, onReady);
  return {
    start: (forRoom, forData = true) => handle.start({ readable: forData, writable: forRoom }, onReady),
    close: () => handle.close(),
  };
}
