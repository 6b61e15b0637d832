// One SCTP association on its socket: messages and notifications in, messages out.
import { Buffer } from "node:buffer";
import type { Endpoint } from "../../net/address.ts";
import { runTicks, throwLater } from "../kernel/native-callback.ts";
import { EAGAIN, EINTR, systemError, type SocketWatch } from "../kernel/system-calls.ts";
import {
  LONGEST_MESSAGE,
  MOST_WAITING,
  type Association,
  type AssociationEnds,
  type AssociationHandlers,
  type PendingAssociation,
} from "./association.ts";
import type { KernelSctp } from "./kernel-sctp.ts";
import { createLifeTest, type LifeTest } from "./life-test.ts";
import { payloadKind } from "./payload-protocol.ts";
import type { PeerAddress } from "./socket-options.ts";

/** At most this many messages of one association are taken before others have their turn. */
const MOST_IN_TURN = 32;
/**
 * Notifications and their states (RFC 6458 section 6.1): SCTP_ASSOC_CHANGE with COMM_UP and RESTART,
 * SCTP_PEER_ADDR_CHANGE with AVAILABLE, UNREACHABLE and CONFIRMED, SCTP_SHUTDOWN_EVENT.
 */
const ASSOC_CHANGE = 0x8001;
const COMM_UP = 0;
const RESTART = 2;
const PEER_ADDR_CHANGE = 0x8002;
const AVAILABLE = 0;
const UNREACHABLE = 1;
const CONFIRMED = 5;
const SHUTDOWN_EVENT = 0x8005;

interface Waiting {
  readonly stream: number;
  readonly bytes: Buffer;
}

/** The socket of an association that has come up, and who is expected at its far end. */
interface Opened {
  readonly sctp: KernelSctp;
  readonly fd: number;
  readonly remotes: readonly Endpoint[];
  readonly ends: AssociationEnds;
}

/** Runs a callback of the kernel; an error is thrown again where Node sees it. */
export function fromKernel(step: () => void): void {
  try {
    step();
  } catch (error) {
    throwLater(error);
  }
  runTicks();
}

/** The first proved address of a peer that is expected; undefined when there is none. */
export function expectedAddress(
  addresses: readonly PeerAddress[],
  remotes: readonly Endpoint[],
): string | undefined {
  return remotes.find((remote) =>
    addresses.some(({ address, isProved }) => isProved && address === remote.address),
  )?.address;
}

/**
 * Takes an association that has come up, before it is opened.
 * @param remotes the addresses of the peer that is expected
 */
export function pendingOf(sctp: KernelSctp, fd: number, remotes: readonly Endpoint[]): PendingAssociation {
  sctp.prepare(fd);
  const { address, port } = sctp.far(fd);
  let before = 0;
  const life = createLifeTest(
    () => {
      before = sctp.heard(fd);
      sctp.askForLife(fd);
    },
    () => sctp.heard(fd) > before,
  );
  const addresses = sctp.peerAddresses(fd);
  const ends = {
    address: expectedAddress(addresses, remotes) ?? address,
    port,
    localPort: sctp.near(fd).port,
    testLife: life.begin,
  };
  return {
    ...ends,
    open(handlers) {
      for (const remote of remotes)
        if (!addresses.some((known) => known.address === remote.address))
          handlers.noted?.({ kind: "missing", address: remote.address });
      return openAssociation({ sctp, fd, remotes, ends }, handlers, life);
    },
    refuse() {
      life.end();
      sctp.abort(fd);
    },
  };
}

/** Opens an association that has come up. */
function openAssociation(
  { sctp, fd, remotes, ends }: Opened,
  handlers: AssociationHandlers,
  life: LifeTest,
): Association {
  const streams = sctp.outgoingStreams(fd);
  const downPaths = new Set<string>();
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
    for (const path of downPaths) handlers.noted?.({ kind: "path", address: path, state: "gone" });
    downPaths.clear();
    life.end();
  }

  function end(why: string): void {
    if (isOver) return;
    finish();
    sctp.abort(fd);
    handlers.closed(why);
  }

  function fail(call: string, result: number): void {
    end(systemError(call, -result, ends.address, ends.port).message);
  }

  /** The peer has begun anew on the same association. The socket goes on for its new self. */
  function restart(): void {
    if (isOver) return;
    finish();
    let renewed: PendingAssociation;
    try {
      renewed = pendingOf(sctp, fd, remotes);
    } catch {
      sctp.abort(fd);
      handlers.closed("the peer restarted and has gone");
      return;
    }
    handlers.restarted(renewed);
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
    if (isNotification) {
      notice(bytes);
      return;
    }
    if (!isLast || bytes.length > LONGEST_MESSAGE) {
      end(`the peer sent a message of more than ${LONGEST_MESSAGE} octets`);
      return;
    }
    const kind = payloadKind(payloadProtocol);
    if (kind === "host-order") handlers.noted?.({ kind });
    if (kind === "foreign") handlers.noted?.({ kind, identifier: payloadProtocol });
    else handlers.message(stream, bytes);
  }

  function notice(bytes: Buffer): void {
    if (bytes.length < 10) return;
    const type = bytes.readUInt16LE(0);
    if (type === PEER_ADDR_CHANGE && bytes.length >= 140) noticePath(bytes.readInt32LE(136));
    if (type === SHUTDOWN_EVENT) end("the peer shuts the association down");
    if (type !== ASSOC_CHANGE) return;
    const state = bytes.readUInt16LE(8);
    if (state === RESTART) restart();
    else if (state !== COMM_UP) end("the association is lost");
  }

  function noticePath(state: number): void {
    const path = sctp.pathAddress();
    const isUp = state === AVAILABLE || state === CONFIRMED;
    if (state === UNREACHABLE && !downPaths.has(path)) {
      downPaths.add(path);
      handlers.noted?.({ kind: "path", address: path, state: "down" });
    } else if (isUp && downPaths.delete(path)) {
      handlers.noted?.({ kind: "path", address: path, state: "up" });
    }
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
