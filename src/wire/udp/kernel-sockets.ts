// UDP sockets by system calls of Linux, many datagrams per call.
import { createMessageRow } from "./message-row.ts";
import { INET, INET6, readPort, writeAddress } from "../kernel/socket-address.ts";
import {
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  loadCalls,
  MSG_DONTWAIT,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  systemError,
  watchDescriptor,
  type Koffi,
  type SocketWatch,
} from "../kernel/system-calls.ts";

/** UDP sockets by system calls. */
export interface KernelSockets {
  /**
   * Returns the address of a block in the memory of the process. The caller keeps the block as long
   * as the kernel may use it.
   */
  readonly locate: (block: ArrayBuffer) => number;
  /**
   * Binds a socket to a literal address and returns its descriptor. Throws what `node:dgram`
   * rejects with: an Error with `code`.
   */
  bind(address: string, port: number): number;
  /** Returns the port that a socket is bound to. Throws an Error with `code`. */
  boundPort(fd: number): number;
  /**
   * Asks for `bytes` of receive buffer when there are fewer, and returns how many there are then.
   * Throws an Error with `code`.
   */
  growReceiveBuffer(fd: number, bytes: number): number;
  /**
   * Receives into `count` headers at address `headers`, recvmmsg(2). Never waits.
   * @returns messages received, or the negative error number
   */
  receive(fd: number, headers: number, count: number): number;
  /**
   * Sends `count` messages from address `headers`, sendmmsg(2). Never waits.
   * @returns messages sent, or the negative error number of the first message
   */
  send(fd: number, headers: number, count: number): number;
  /**
   * Calls `ready` from the event loop as long as there is something to read. After an error the
   * watch ends and `ready` gets true.
   */
  watch(fd: number, ready: (failed: boolean) => void): SocketWatch;
  close(fd: number): void;
}

// Numbers as in system-calls.ts.
const EBADF = 9;
const SOCK_DGRAM = 2;
const SO_RCVBUF = 8;

/** Bytes of an option's value. Its length stands after it. */
const OPTION = 4;

/**
 * Loads the system calls.
 * @returns a string that says why they are not available: another platform, koffi not installed, a
 * sandbox
 */
export function loadKernelSockets(): Promise<KernelSockets | string> {
  return loadCalls(bindCalls);
}

/** Binds the system calls. Throws when the C library or the kernel lacks one. */
function bindCalls(koffi: Koffi): KernelSockets {
  // Pointers are passed as plain numbers, so no call looks up or copies anything.
  const library = koffi.load(null);
  const call: {
    socket: (family: number, type: number, protocol: number) => number;
    bind: (fd: number, address: number, length: number) => number;
    getsockname: (fd: number, address: number, length: number) => number;
    setsockopt: (fd: number, level: number, option: number, value: number, length: number) => number;
    getsockopt: (fd: number, level: number, option: number, value: number, length: number) => number;
    recvmmsg: (fd: number, headers: number, count: number, flags: number, timeout: number) => number;
    sendmmsg: (fd: number, headers: number, count: number, flags: number) => number;
    close: (fd: number) => number;
  } = {
    socket: library.func("int socket(int, int, int)"),
    bind: library.func("int bind(int, intptr_t, uint32_t)"),
    getsockname: library.func("int getsockname(int, intptr_t, intptr_t)"),
    setsockopt: library.func("int setsockopt(int, int, int, intptr_t, uint32_t)"),
    getsockopt: library.func("int getsockopt(int, int, int, intptr_t, intptr_t)"),
    recvmmsg: library.func("int recvmmsg(int, intptr_t, uint32_t, int, intptr_t)"),
    sendmmsg: library.func("int sendmmsg(int, intptr_t, uint32_t, int)"),
    close: library.func("int close(int)"),
  };
  const locate = (block: ArrayBuffer): number => Number(koffi.address(block));
  // Memory for the calls made once per socket: one address, then one option with its length.
  const scratch = createMessageRow(locate, 1, 16);
  const address = scratch.headers + scratch.addresses;
  const option = scratch.headers + scratch.payload;
  const optionWord = scratch.payload >> 2;
  // A sandbox may refuse these calls, which `node:dgram` does not need.
  const refused = (result: number): boolean => result >= 0 || koffi.errno() !== EBADF;
  if (refused(call.recvmmsg(-1, scratch.headers, 1, MSG_DONTWAIT, 0)))
    throw new Error("the system refuses recvmmsg");
  if (refused(call.sendmmsg(-1, scratch.headers, 1, MSG_DONTWAIT)))
    throw new Error("the system refuses sendmmsg");

  function check(result: number, name: string, at = "", port = 0): number {
    if (result < 0) throw systemError(name, koffi.errno(), at, port);
    return result;
  }

  function setOption(fd: number, level: number, name: number, value: number): void {
    scratch.words[optionWord] = value;
    check(call.setsockopt(fd, level, name, option, 4), "setsockopt");
  }

  /**
   * Returns the receive buffer in bytes. The kernel doubles the size that is asked for, and reports
   * the double.
   */
  function receiveBuffer(fd: number): number {
    scratch.words[optionWord + 1] = OPTION;
    check(call.getsockopt(fd, SOL_SOCKET, SO_RCVBUF, option, option + OPTION), "getsockopt");
    return scratch.words[optionWord]! / 2;
  }

  return {
    locate,
    bind(at, port) {
      const family = at.includes(":") ? INET6 : INET;
      const fd = check(call.socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket", at, port);
      try {
        if (family === INET6) setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        const length = writeAddress(scratch, scratch.addresses, at, port, family);
        check(call.bind(fd, address, length), "bind", at, port);
        return fd;
      } catch (error) {
        call.close(fd);
        throw error;
      }
    },
    boundPort(fd) {
      scratch.words[optionWord] = scratch.payload - scratch.addresses;
      check(call.getsockname(fd, address, option), "getsockname");
      return readPort(scratch, scratch.addresses);
    },
    growReceiveBuffer(fd, bytes) {
      if (receiveBuffer(fd) < bytes) setOption(fd, SOL_SOCKET, SO_RCVBUF, bytes);
      return receiveBuffer(fd);
    },
    receive(fd, headers, count) {
      const received = call.recvmmsg(fd, headers, count, MSG_DONTWAIT, 0);
      return received < 0 ? -koffi.errno() : received;
    },
    send(fd, headers, count) {
      const sent = call.sendmmsg(fd, headers, count, MSG_DONTWAIT);
      return sent < 0 ? -koffi.errno() : sent;
    },
    watch: (fd, ready) => watchDescriptor(koffi, fd, ready),
    close: (fd) => void call.close(fd),
  };
}
