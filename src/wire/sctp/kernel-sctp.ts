// SCTP sockets by system calls of Linux: bind, connect, send and receive one message at a time.
import { Buffer } from "node:buffer";
import { INET, INET6, readAddressText, readPort, writeAddress } from "../kernel/socket-address.ts";
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

/** Remote or local end of a socket. */
export interface SocketEnd {
  readonly address: string;
  readonly port: number;
}

/**
 * One-to-one SCTP sockets (RFC 6458 section 4) by system calls. Methods that return no error number
 * throw an Error with `code`.
 */
export interface KernelSctp {
  /** Buffer that messages are received into. The next call of `receive` overwrites it. */
  readonly inbox: Buffer;
  readonly part: ReceivedPart;
  /** Makes a non-blocking socket bound to a literal address and returns its descriptor. */
  bind(address: string, port: number): number;
  listen(fd: number): void;
  /**
   * Accepts an association.
   * @returns its descriptor, or the negative error number
   */
  accept(fd: number): number;
  /**
   * Begins to connect.
   * @returns 0 or the negative error number; -EINPROGRESS while connecting
   */
  connect(fd: number, address: string, port: number): number;
  /** Returns the outcome of a connect: 0, or the error number. */
  pendingError(fd: number): number;
  /** Configures the socket of an association that has come up. */
  prepare(fd: number): void;
  near(fd: number): SocketEnd;
  far(fd: number): SocketEnd;
  /** Returns the number of outgoing streams. */
  outgoingStreams(fd: number): number;
  /**
   * Receives into the inbox from `start` on and describes it in `part`, recvmsg(2).
   * @returns octets, 0 at the end, or the negative error number
   */
  receive(fd: number, start: number): number;
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
const SO_ERROR = 4;
const SO_LINGER = 13;
const IPPROTO_SCTP = 132;
const SCTP_RTOINFO = 0;
const SCTP_ASSOCINFO = 1;
const SCTP_INITMSG = 2;
const SCTP_NODELAY = 3;
const SCTP_PEER_ADDR_PARAMS = 9;
const SCTP_EVENTS = 11;
const SCTP_STATUS = 14;
/** Kind of control message: struct sctp_sndrcvinfo. */
const SCTP_SNDRCV = 1;
const MSG_NOSIGNAL = 0x4000;
const MSG_EOR = 0x80;
const MSG_NOTIFICATION = 0x8000;

/** Payload protocol identifier of M3UA (RFC 4666 section 7.1). */
const M3UA_PPID = 3;
/**
 * Streams requested in each direction: one for management, and two for each value of an ITU
 * signalling link selection.
 */
const STREAMS = 33;
/** Associations that may wait to be accepted. */
const BACKLOG = 16;

/**
 * Layout of a block before the payload: struct msghdr, iovec, control messages, an address, an
 * option and its length.
 */
const VECTOR = 64;
const CONTROL = 80;
const CONTROL_ROOM = 128;
const ADDRESS = 208;
const OPTION = 240;
const OPTION_ROOM = 256;
const OPTION_LENGTH = OPTION + OPTION_ROOM;
const PAYLOAD = 512;
/** struct cmsghdr: length, level, kind. struct sctp_sndrcvinfo follows, 32 octets. */
const CONTROL_HEAD = 16;
const INFO = CONTROL + CONTROL_HEAD;
const INFO_LENGTH = 32;
const PAYLOAD_ROOM = 65_536 + 64;

/**
 * Loads the system calls.
 * @returns a string that says why SCTP is not available and what would help
 */
export async function loadKernelSctp(): Promise<KernelSctp | string> {
  const loaded = await loadCalls(bindSctp);
  if (typeof loaded === "string") return `SCTP needs the optional package koffi: ${loaded}`;
  try {
    loaded.close(loaded.bind("127.0.0.1", 0));
    return loaded;
  } catch (error) {
    if (error instanceof Error && "errno" in error && error.errno === -EPROTONOSUPPORT)
      return "this kernel has no SCTP: load its module (modprobe sctp; Debian: in the package of the kernel), or use transport tcp";
    return `can't open an SCTP socket: ${String(error)}`;
  }
}

interface Block {
  readonly at: number;
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly halves: Uint16Array;
  readonly words: Uint32Array;
}

/** Lays out one block that holds everything a call needs. Invariant: it never moves in memory. */
function createBlock(koffi: Koffi): Block {
  const memory = new ArrayBuffer(PAYLOAD + PAYLOAD_ROOM);
  const at = Number(koffi.address(memory));
  const view = new DataView(memory);
  const point = (offset: number, target: number): void =>
    view.setBigUint64(offset, BigInt(at + target), true);
  point(16, VECTOR);
  view.setBigUint64(24, 1n, true);
  point(32, CONTROL);
  point(VECTOR, PAYLOAD);
  return {
    at,
    bytes: Buffer.from(memory),
    view,
    halves: new Uint16Array(memory),
    words: new Uint32Array(memory),
  };
}

/** Binds the system calls. Throws when the C library or the kernel lacks one. */
function bindSctp(koffi: Koffi): KernelSctp {
  const library = koffi.load(null);
  const call = {
    socket: library.func("int socket(int, int, int)"),
    bind: library.func("int bind(int, intptr_t, uint32_t)"),
    listen: library.func("int listen(int, int)"),
    accept4: library.func("int accept4(int, intptr_t, intptr_t, int)"),
    connect: library.func("int connect(int, intptr_t, uint32_t)"),
    getsockname: library.func("int getsockname(int, intptr_t, intptr_t)"),
    getpeername: library.func("int getpeername(int, intptr_t, intptr_t)"),
    setsockopt: library.func("int setsockopt(int, int, int, intptr_t, uint32_t)"),
    getsockopt: library.func("int getsockopt(int, int, int, intptr_t, intptr_t)"),
    recvmsg: library.func("intptr_t recvmsg(int, intptr_t, int)"),
    sendmsg: library.func("intptr_t sendmsg(int, intptr_t, int)"),
    close: library.func("int close(int)"),
  };
  const input = createBlock(koffi);
  const output = createBlock(koffi);
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

  function set(fd: number, level: number, name: number, length: number, fill: (at: number) => void): void {
    output.bytes.fill(0, OPTION, OPTION + OPTION_ROOM);
    fill(OPTION);
    check(call.setsockopt(fd, level, name, output.at + OPTION, length), "setsockopt");
  }

  function setWord(fd: number, level: number, name: number, value: number): void {
    set(fd, level, name, 4, (at) => view.setInt32(at, value, true));
  }

  function get(fd: number, level: number, name: number, length: number): void {
    view.setUint32(OPTION_LENGTH, length, true);
    check(call.getsockopt(fd, level, name, output.at + OPTION, output.at + OPTION_LENGTH), "getsockopt");
  }

  function endOf(
    ask: (fd: number, address: number, length: number) => number,
    name: string,
    fd: number,
  ): SocketEnd {
    view.setUint32(OPTION_LENGTH, 28, true);
    check(ask(fd, output.at + ADDRESS, output.at + OPTION_LENGTH), name);
    const length = view.getUint32(OPTION_LENGTH, true);
    const family = output.halves[ADDRESS >> 1] === INET ? INET : INET6;
    return {
      address: readAddressText(output, ADDRESS, length, family) ?? "",
      port: readPort(output, ADDRESS),
    };
  }

  /** Sets the options of a socket before its association comes up. */
  function configure(fd: number): void {
    // struct sctp_initmsg: streams out, streams in, attempts, longest time-out (ms).
    set(fd, IPPROTO_SCTP, SCTP_INITMSG, 8, (at) => {
      view.setUint16(at, STREAMS, true);
      view.setUint16(at + 2, STREAMS, true);
      view.setUint16(at + 4, 4, true);
      view.setUint16(at + 6, 2000, true);
    });
    setWord(fd, IPPROTO_SCTP, SCTP_NODELAY, 1);
    // struct sctp_event_subscribe: information with every message, and changes of the association.
    set(fd, IPPROTO_SCTP, SCTP_EVENTS, 8, (at) => {
      view.setUint8(at, 1);
      view.setUint8(at + 1, 1);
      view.setUint8(at + 5, 1);
    });
    // A lost peer is noticed in seconds, as SS7 requires. struct sctp_rtoinfo: association, first,
    // longest, shortest (ms).
    set(fd, IPPROTO_SCTP, SCTP_RTOINFO, 16, (at) => {
      view.setUint32(at + 4, 500, true);
      view.setUint32(at + 8, 2000, true);
      view.setUint32(at + 12, 200, true);
    });
    // struct sctp_assocparams: association, retransmissions before the association is given up.
    set(fd, IPPROTO_SCTP, SCTP_ASSOCINFO, 20, (at) => view.setUint16(at + 4, 5, true));
    // struct sctp_paddrparams, packed: association, address, heartbeat interval (ms) at 132, flags
    // at 146 (1: heartbeats on).
    set(fd, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, 156, (at) => {
      view.setUint32(at + 132, 5000, true);
      view.setUint16(at + 136, 5, true);
      view.setUint32(at + 146, 1, true);
    });
  }

  return {
    inbox: input.bytes.subarray(PAYLOAD),
    part,
    bind(address, port) {
      const family = familyOf(address);
      const type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
      const fd = check(call.socket(family, type, IPPROTO_SCTP), "socket", address, port);
      try {
        if (family === INET6) setWord(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        setWord(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        configure(fd);
        const length = writeAddress(output, ADDRESS, address, port, family);
        check(call.bind(fd, output.at + ADDRESS, length), "bind", address, port);
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
    connect(fd, address, port) {
      const length = writeAddress(output, ADDRESS, address, port, familyOf(address));
      if (length === 0) return -EINVAL;
      return call.connect(fd, output.at + ADDRESS, length) < 0 ? -koffi.errno() : 0;
    },
    pendingError(fd) {
      get(fd, SOL_SOCKET, SO_ERROR, 4);
      return view.getInt32(OPTION, true);
    },
    prepare: configure,
    near: (fd) => endOf(call.getsockname, "getsockname", fd),
    far: (fd) => endOf(call.getpeername, "getpeername", fd),
    outgoingStreams(fd) {
      get(fd, IPPROTO_SCTP, SCTP_STATUS, OPTION_ROOM);
      // struct sctp_status: association, state, window, unacknowledged, pending, streams in,
      // streams out.
      return view.getUint16(OPTION + 18, true);
    },
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
      set(fd, SOL_SOCKET, SO_LINGER, 8, (at) => view.setInt32(at, 1, true));
      call.close(fd);
    },
  };
}

function familyOf(address: string): typeof INET | typeof INET6 {
  return address.includes(":") ? INET6 : INET;
}
