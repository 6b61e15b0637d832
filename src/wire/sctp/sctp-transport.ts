// M3UA over SCTP: associations on sockets of the kernel, watched by the event loop.
import { Buffer } from "node:buffer";
import {
  LONGEST_MESSAGE,
  MOST_WAITING,
  type Association,
  type AssociationHandlers,
  type AssociationServer,
  type PendingAssociation,
  type SignallingTransport,
} from "./association.ts";
import { EINPROGRESS, type KernelSctp, type SocketEnd } from "./kernel-sctp.ts";
import { runTicks, throwLater } from "../kernel/native-callback.ts";
import { EAGAIN, EINTR, systemError, type SocketWatch } from "../kernel/system-calls.ts";

/** At most this many messages of one association are taken before others have their turn. */
const MOST_IN_TURN = 32;
/** Milliseconds that a listening socket rests after an error of its own. */
const REST = 100;
/**
 * Payload protocol identifiers that are accepted: M3UA, and 0 for unspecified (RFC 9260 section
 * 3.3.1).
 */
const M3UA_PPID = 3;
/**
 * Notifications and their states (RFC 6458 section 6.1.1): SCTP_ASSOC_CHANGE with COMM_UP and
 * RESTART; SCTP_SHUTDOWN_EVENT.
 */
const ASSOC_CHANGE = 0x8001;
const COMM_UP = 0;
const RESTART = 2;
const SHUTDOWN_EVENT = 0x8005;

interface Waiting {
  readonly stream: number;
  readonly bytes: Buffer;
}

/** Runs a callback of the kernel; an error is thrown again where Node sees it. */
function fromKernel(step: () => void): void {
  try {
    step();
  } catch (error) {
    throwLater(error);
  }
  runTicks();
}

/** Opens an association that has come up. */
function openAssociation(sctp: KernelSctp, fd: number, handlers: AssociationHandlers): Association {
  const { address, port } = sctp.far(fd);
  const ends = { address, port, localPort: sctp.near(fd).port };
  const streams = sctp.outgoingStreams(fd);
  let waiting: Waiting[] = [];
  let octets = 0;
  let isOver = false;
  let isReading = false;
  let watch: SocketWatch | undefined;

  function finish(): void {
    isOver = true;
    watch?.close();
    watch = undefined;
    waiting = [];
  }

  function end(why: string): void {
    if (isOver) return;
    finish();
    sctp.abort(fd);
    handlers.closed(why);
  }

  function fail(call: string, result: number): void {
    end(systemError(call, -result, address, port).message);
  }

  /**
   * Returns the stream that carries messages of `stream`. When the peer agreed to fewer streams,
   * higher ones share the others, always the same one. Stream 0 stays for management.
   */
  function outgoing(stream: number): number {
    if (stream < streams) return stream;
    return streams <= 1 ? 0 : 1 + ((stream - 1) % (streams - 1));
  }

  function attend(): void {
    if (isOver) return;
    if (isReading || waiting.length > 0) {
      watch ??= sctp.watch(fd, (failed) => fromKernel(() => onReady(failed)));
      watch.start(waiting.length > 0, isReading);
    } else {
      watch?.close();
      watch = undefined;
    }
  }

  function onReady(failed: boolean): void {
    if (waiting.length > 0) flush();
    if (isReading) receive();
    if (failed) end("the socket failed");
  }

  function receive(): void {
    for (let left = MOST_IN_TURN; left > 0; left--) {
      if (!isReading || isOver) return;
      const received = sctp.receive(fd, 0);
      if (received === -EAGAIN || received === -EINTR) return;
      if (received < 0) fail("recvmsg", received);
      else if (received === 0) end("the peer ended the association");
      else take(sctp.inbox.subarray(0, received));
    }
  }

  function take(bytes: Buffer): void {
    const { isLast, isNotification, stream, payloadProtocol } = sctp.part;
    if (isNotification) notice(bytes);
    else if (!isLast || bytes.length > LONGEST_MESSAGE)
      end(`the peer sent a message of more than ${LONGEST_MESSAGE} octets`);
    else if (payloadProtocol === M3UA_PPID || payloadProtocol === 0) handlers.message(stream, bytes);
  }

  function notice(bytes: Buffer): void {
    if (bytes.length < 10) return;
    const type = bytes.readUInt16LE(0);
    const state = bytes.readUInt16LE(8);
    if (type === SHUTDOWN_EVENT) end("the peer shuts the association down");
    else if (type === ASSOC_CHANGE && state === RESTART) end("the peer restarted");
    else if (type === ASSOC_CHANGE && state !== COMM_UP) end("the association is lost");
  }

  function flush(): void {
    let sent = 0;
    for (const { stream, bytes } of waiting) {
      const result = sctp.send(fd, stream, bytes);
      if (result === -EAGAIN || result === -EINTR) break;
      if (result < 0) {
        fail("sendmsg", result);
        return;
      }
      octets -= bytes.length;
      sent++;
    }
    waiting.splice(0, sent);
    attend();
    if (waiting.length === 0) handlers.drained();
  }

  return {
    ...ends,
    send(wanted, bytes) {
      if (isOver) return;
      const stream = outgoing(wanted);
      const result = waiting.length > 0 ? -EAGAIN : sctp.send(fd, stream, bytes);
      if (result >= 0) return;
      if (result !== -EAGAIN && result !== -EINTR) {
        setImmediate(fail, "sendmsg", result);
        return;
      }
      waiting.push({ stream, bytes: Buffer.from(bytes) });
      octets += bytes.length;
      if (octets > MOST_WAITING) setImmediate(end, "the peer reads nothing");
      attend();
    },
    get isCongested() {
      return waiting.length > 0;
    },
    read(wanted) {
      if (isReading === wanted || isOver) return;
      isReading = wanted;
      attend();
    },
    close() {
      if (isOver) return;
      finish();
      sctp.close(fd);
    },
  };
}

function pendingOf(sctp: KernelSctp, fd: number): PendingAssociation {
  const { address, port } = sctp.far(fd);
  return {
    address,
    port,
    localPort: sctp.near(fd).port,
    open: (handlers) => openAssociation(sctp, fd, handlers),
    refuse: () => sctp.abort(fd),
  };
}

/** Makes the transport on a kernel that has SCTP. */
export function createSctpTransport(sctp: KernelSctp): SignallingTransport {
  return {
    listen: (address, port, accepted, failed) =>
      new Promise((resolve) => {
        resolve(listen(sctp, address, port, accepted, failed));
      }),
    connect: (local, remote, done) => connect(sctp, local, remote, done),
  };
}

function listen(
  sctp: KernelSctp,
  address: string,
  port: number,
  accepted: (pending: PendingAssociation) => void,
  failed: (error: Error) => void,
): AssociationServer {
  const fd = sctp.bind(address, port);
  let rest: NodeJS.Timeout | undefined;
  let watch: SocketWatch | undefined;

  function begin(): void {
    watch = sctp.watch(fd, () => fromKernel(acceptAll));
    watch.start(false);
  }

  function acceptAll(): void {
    for (;;) {
      const taken = sctp.accept(fd);
      if (taken === -EAGAIN || watch === undefined) return;
      if (taken >= 0) welcome(taken);
      else if (taken !== -EINTR) {
        watch.close();
        watch = undefined;
        rest = setTimeout(begin, REST);
        failed(systemError("accept", -taken, address, port));
        return;
      }
    }
  }

  function welcome(taken: number): void {
    try {
      sctp.prepare(taken);
      accepted(pendingOf(sctp, taken));
    } catch (error) {
      // The peer has gone already.
      sctp.close(taken);
      failed(error instanceof Error ? error : new Error(String(error)));
    }
  }

  try {
    sctp.listen(fd);
    begin();
  } catch (error) {
    sctp.close(fd);
    throw error;
  }
  return {
    port: sctp.near(fd).port,
    close() {
      clearTimeout(rest);
      watch?.close();
      watch = undefined;
      sctp.close(fd);
      return Promise.resolve();
    },
  };
}

function connect(
  sctp: KernelSctp,
  local: SocketEnd,
  remote: SocketEnd,
  done: (outcome: PendingAssociation | Error) => void,
): () => void {
  let fd = -1;
  let watch: SocketWatch | undefined;
  let isOver = false;

  function settle(outcome: PendingAssociation | Error): void {
    if (isOver) return;
    isOver = true;
    watch?.close();
    if (outcome instanceof Error && fd >= 0) sctp.close(fd);
    done(outcome);
  }

  function finish(): void {
    const errno = sctp.pendingError(fd);
    settle(errno === 0 ? pendingOf(sctp, fd) : systemError("connect", errno, remote.address, remote.port));
  }

  function begin(): void {
    fd = sctp.bind(local.address, local.port);
    const result = sctp.connect(fd, remote.address, remote.port);
    if (result < 0 && result !== -EINPROGRESS)
      throw systemError("connect", -result, remote.address, remote.port);
    watch = sctp.watch(fd, () => fromKernel(() => attempt(finish)));
    watch.start(true, false);
  }

  function attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      settle(error instanceof Error ? error : new Error(String(error)));
    }
  }

  // The result comes in a later turn, as with every other transport.
  setImmediate(() => {
    if (!isOver) attempt(begin);
  });
  return () => {
    if (isOver) return;
    isOver = true;
    watch?.close();
    if (fd >= 0) sctp.abort(fd);
  };
}
