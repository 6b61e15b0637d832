// SCTP sockets by system calls of Linux: bind, connect, send and receive one message at a time.
import type { Buffer } from "node:buffer";
import type { Endpoint } from "../../net/address.ts";
import { INET6 } from "../kernel/socket-address.ts";
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
import { familyOf, readEndpoint, writeAddresses } from "./address-list.ts";
import {
  ADDRESS,
  CONTROL,
  CONTROL_HEAD,
  CONTROL_ROOM,
  createCallBlock,
  INFO,
  INFO_LENGTH,
  OPTION_LENGTH,
  PAYLOAD,
  PAYLOAD_ROOM,
  VECTOR,
} from "./call-block.ts";
import { M3UA_PPID } from "./payload-protocol.ts";
import { createSocketOptions, IPPROTO_SCTP, type PeerAddress } from "./socket-options.ts";

/** What recvmsg(2) received. The same object is reused by every call. */
export interface ReceivedPart {
  /** End of the octets in the inbox; they begin where the caller asked. */
  end: number;
  /** SCTP stream and payload protocol identifier. */
  stream: number;
  payloadProtocol: number;
  /** Whether the message ends here. */
  isLast: boolean;
  /** Whether this is a notification of the kernel and no message (RFC 6458 section 6.1). */
  isNotification: boolean;
}

/**
 * One-to-one SCTP sockets (RFC 6458 section 4) by system calls. Methods that return no error number
 * throw an Error with `code`.
 */
export interface KernelSctp {
  /** Buffer that messages are received into. The next call of `receive` overwrites it. */
  readonly inbox: Buffer;
  readonly part: ReceivedPart;
  /** Makes a non-blocking socket bound to literal addresses, all with one port, and returns its descriptor. */
  bind(locals: readonly Endpoint[]): number;
  listen(fd: number): void;
  /**
   * Accepts an association.
   * @returns its descriptor, or the negative error number
   */
  accept(fd: number): number;
  /**
   * Begins to connect to a peer by any of its addresses, all with one port.
   * @returns 0 or the negative error number; -EINPROGRESS while connecting
   */
  connect(fd: number, remotes: readonly Endpoint[]): number;
  /** Returns the outcome of a connect: 0, or the error number. */
  pendingError(fd: number): number;
  /** Configures the socket of an association that has come up. */
  prepare(fd: number): void;
  near(fd: number): Endpoint;
  /** Returns the address of the primary path. */
  far(fd: number): Endpoint;
  /** Returns the addresses of the peer, as the association has them. At most 16. */
  peerAddresses(fd: number): readonly PeerAddress[];
  /** Sends a heartbeat by every path, at once. Never throws. */
  askForLife(fd: number): void;
  /**
   * Returns the packets that were received on the association. Never throws.
   * @returns -1 when the association is gone
   */
  heard(fd: number): number;
  /** Returns the number of outgoing streams. */
  outgoingStreams(fd: number): number;
  /**
   * Receives into the inbox from `start` on and describes it in `part`, recvmsg(2).
   * @returns octets, 0 at the end, or the negative error number
   */
  receive(fd: number, start: number): number;
  /** Returns the address in the notification of a path that the inbox begins with. */
  pathAddress(): string;
  /**
   * Sends one whole message, sendmsg(2).
   * @returns octets, or the negative error number
   */
  send(fd: number, stream: number, bytes: Buffer): number;
  /** Calls `ready` from the event loop; see {@link watchDescriptor}. */
  watch(fd: number, ready: (failed: boolean) => void): SocketWatch;
  close(fd: number): void;
  /** Ends the association by ABORT instead of SHUTDOWN, then closes the socket. */
  abort(fd: number): void;
}

/** Error numbers of Linux (<asm-generic/errno.h>). */
export const EINPROGRESS = 115;
const EPROTONOSUPPORT = 93;
const EINVAL = 22;

// Numbers as in system-calls.ts, and from <linux/sctp.h>.
const SOCK_STREAM = 1;
const SO_REUSEADDR = 2;
const SO_LINGER = 13;
const SCTP_BINDX_ADD = 100;
const SCTP_CONNECTX = 110;
/** Kind of control message: struct sctp_sndrcvinfo. */
const SCTP_SNDRCV = 1;
const MSG_NOSIGNAL = 0x4000;
const MSG_EOR = 0x80;
const MSG_NOTIFICATION = 0x8000;

/** Associations that may wait to be accepted. */
const BACKLOG = 16;

/**
 * Loads the system calls.
 * @returns a string that says why SCTP is not available and what would help
 */
export async function loadKernelSctp(): Promise<KernelSctp | string> {
  const loaded = await loadCalls(bindSctp);
  if (typeof loaded === "string") return `SCTP needs the optional package koffi: ${loaded}`;
  try {
    loaded.close(loaded.bind([{ address: "127.0.0.1", port: 0 }]));
    return loaded;
  } catch (error) {
    if (error instanceof Error && "errno" in error && error.errno === -EPROTONOSUPPORT)
      return "this kernel has no SCTP: load its module (modprobe sctp; Debian: in the package of the kernel), or use transport tcp";
    return `can't open an SCTP socket: ${String(error)}`;
  }
}

/** Binds the system calls. Throws when the C library or the kernel lacks one. */
function bindSctp(koffi: Koffi): KernelSctp {
  const library = koffi.load(null);
  const call = {
    socket: library.func("int socket(int, int, int)"),
    bind: library.func("int bind(int, intptr_t, uint32_t)"),
    listen: library.func("int listen(int, int)"),
    accept4: library.func("int accept4(int, intptr_t, intptr_t, int)"),
    getsockname: library.func("int getsockname(int, intptr_t, intptr_t)"),
    getpeername: library.func("int getpeername(int, intptr_t, intptr_t)"),
    setsockopt: library.func("int setsockopt(int, int, int, intptr_t, uint32_t)"),
    getsockopt: library.func("int getsockopt(int, int, int, intptr_t, intptr_t)"),
    recvmsg: library.func("intptr_t recvmsg(int, intptr_t, int)"),
    sendmsg: library.func("intptr_t sendmsg(int, intptr_t, int)"),
    close: library.func("int close(int)"),
  };
  const input = createCallBlock(koffi);
  const output = createCallBlock(koffi);
  const { view } = output;
  // Control message of every sent message.
  view.setBigUint64(CONTROL, BigInt(CONTROL_HEAD + INFO_LENGTH), true);
  view.setInt32(CONTROL + 8, IPPROTO_SCTP, true);
  view.setInt32(CONTROL + 12, SCTP_SNDRCV, true);
  view.setUint32(INFO + 8, M3UA_PPID, false);
  view.setBigUint64(40, BigInt(CONTROL_HEAD + INFO_LENGTH), true);

  const part: ReceivedPart = {
    end: 0,
    stream: 0,
    payloadProtocol: 0,
    isLast: false,
    isNotification: false,
  };

  function check(result: number, name: string, address = "", port = 0): number {
    if (result < 0) throw systemError(name, koffi.errno(), address, port);
    return result;
  }

  const options = createSocketOptions(
    output,
    (fd, level, name, at, length) => void check(call.setsockopt(fd, level, name, at, length), "setsockopt"),
    (fd, level, name, at, lengthAt) =>
      void check(call.getsockopt(fd, level, name, at, lengthAt), "getsockopt"),
  );

  function endOf(
    ask: (fd: number, address: number, length: number) => number,
    name: string,
    fd: number,
  ): Endpoint {
    view.setUint32(OPTION_LENGTH, 28, true);
    check(ask(fd, output.at + ADDRESS, output.at + OPTION_LENGTH), name);
    return readEndpoint(output, ADDRESS);
  }

  /** Binds one address. Further addresses of a socket are added (RFC 6458 section 9.1). */
  function bindOne(fd: number, endpoint: Endpoint, isFirst: boolean): void {
    const length = writeAddresses(output, ADDRESS, [endpoint]);
    const at = output.at + ADDRESS;
    const result = isFirst
      ? call.bind(fd, at, length)
      : call.setsockopt(fd, IPPROTO_SCTP, SCTP_BINDX_ADD, at, length);
    check(result, "bind", endpoint.address, endpoint.port);
  }

  return {
    inbox: input.bytes.subarray(PAYLOAD),
    part,
    bind(locals) {
      const [first] = locals;
      if (first === undefined) throw new RangeError("no local address");
      const families = new Set(locals.map(({ address }) => familyOf(address)));
      const family = families.has(INET6) ? INET6 : familyOf(first.address);
      const type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
      const fd = check(call.socket(family, type, IPPROTO_SCTP), "socket", first.address, first.port);
      try {
        if (family === INET6) options.setWord(fd, IPPROTO_IPV6, IPV6_V6ONLY, families.size === 1 ? 1 : 0);
        options.setWord(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        options.configure(fd, 1);
        for (const endpoint of locals) bindOne(fd, endpoint, endpoint === first);
        return fd;
      } catch (error) {
        call.close(fd);
        throw error;
      }
    },
    listen: (fd) => void check(call.listen(fd, BACKLOG), "listen"),
    accept(fd) {
      const accepted = call.accept4(fd, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
      return accepted < 0 ? -koffi.errno() : accepted;
    },
    connect(fd, remotes) {
      const length = writeAddresses(output, PAYLOAD, remotes);
      if (length === 0) return -EINVAL;
      // A success is the number of the association, or 0.
      return call.setsockopt(fd, IPPROTO_SCTP, SCTP_CONNECTX, output.at + PAYLOAD, length) < 0
        ? -koffi.errno()
        : 0;
    },
    pendingError: (fd) => options.pendingError(fd),
    prepare: (fd) => options.configure(fd, options.peerAddresses(fd).length),
    near: (fd) => endOf(call.getsockname, "getsockname", fd),
    far: (fd) => endOf(call.getpeername, "getpeername", fd),
    peerAddresses: (fd) => options.peerAddresses(fd),
    askForLife: (fd) => options.askForLife(fd),
    heard: (fd) => options.heard(fd),
    outgoingStreams: (fd) => options.outgoingStreams(fd),
    receive(fd, start) {
      const { view: header } = input;
      header.setBigUint64(VECTOR, BigInt(input.at + PAYLOAD + start), true);
      header.setBigUint64(VECTOR + 8, BigInt(PAYLOAD_ROOM - start), true);
      header.setBigUint64(40, BigInt(CONTROL_ROOM), true);
      header.setInt32(48, 0, true);
      const octets = call.recvmsg(fd, input.at, MSG_DONTWAIT);
      if (octets < 0) return -koffi.errno();
      const flags = header.getInt32(48, true);
      part.end = start + octets;
      part.isLast = (flags & MSG_EOR) !== 0;
      part.isNotification = (flags & MSG_NOTIFICATION) !== 0;
      const hasInfo =
        header.getBigUint64(40, true) >= BigInt(CONTROL_HEAD + INFO_LENGTH) &&
        header.getInt32(CONTROL + 12, true) === SCTP_SNDRCV;
      part.stream = hasInfo ? header.getUint16(INFO, true) : 0;
      part.payloadProtocol = hasInfo ? header.getUint32(INFO + 8, false) : 0;
      return octets;
    },
    // struct sctp_paddr_change: type, flags, length, address.
    pathAddress: () => readEndpoint(input, PAYLOAD + 8).address,
    send(fd, stream, bytes) {
      if (bytes.length > PAYLOAD_ROOM) return -EINVAL;
      bytes.copy(output.bytes, PAYLOAD);
      view.setUint32(VECTOR + 8, bytes.length, true);
      view.setUint16(INFO, stream, true);
      const octets = call.sendmsg(fd, output.at, MSG_DONTWAIT | MSG_NOSIGNAL);
      return octets < 0 ? -koffi.errno() : octets;
    },
    watch: (fd, ready) => watchDescriptor(koffi, fd, ready),
    close: (fd) => void call.close(fd),
    abort(fd) {
      // Lingering for 0 seconds aborts (RFC 6458 section 8.1.4).
      options.set(fd, SOL_SOCKET, SO_LINGER, 8, (at) => view.setInt32(at, 1, true));
      call.close(fd);
    },
  };
}
