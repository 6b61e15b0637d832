// M3UA over SCTP: listening and connecting by sockets of the kernel, watched by the event loop.
import type {
  AssociationServer,
  EndpointList,
  ListeningPlace,
  PendingAssociation,
  SignallingTransport,
} from "./association.ts";
import { EINPROGRESS, type KernelSctp } from "./kernel-sctp.ts";
import { createPeerProof } from "./peer-proof.ts";
import { fromKernel, pendingOf } from "./sctp-association.ts";
import { EAGAIN, EINTR, systemError, type SocketWatch } from "../kernel/system-calls.ts";

/** Milliseconds that a listening socket rests after an error of its own. */
const REST = 100;

/** Makes the transport on a kernel that has SCTP. */
export function createSctpTransport(sctp: KernelSctp): SignallingTransport {
  return {
    listen: (place, accepted, failed) =>
      new Promise((resolve) => {
        resolve(listen(sctp, place, accepted, failed));
      }),
    connect: (locals, remotes, done) => connect(sctp, locals, remotes, done),
  };
}

function listen(
  sctp: KernelSctp,
  { locals, remotes }: ListeningPlace,
  accepted: (pending: PendingAssociation) => void,
  failed: (error: Error) => void,
): AssociationServer {
  const [{ address, port }] = locals;
  const fd = sctp.bind(locals);
  const proof = createPeerProof(sctp, remotes, (taken) => attempt(taken, hand));
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
    attempt(taken, (own) => {
      if (!proof.awaits(own)) hand(own);
    });
  }

  function hand(taken: number): void {
    accepted(pendingOf(sctp, taken, remotes));
  }

  function attempt(taken: number, step: (taken: number) => void): void {
    try {
      step(taken);
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
      proof.stop();
      sctp.close(fd);
      return Promise.resolve();
    },
  };
}

function connect(
  sctp: KernelSctp,
  locals: EndpointList,
  remotes: EndpointList,
  done: (outcome: PendingAssociation | Error) => void,
): () => void {
  const [{ address, port }] = remotes;
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
    settle(errno === 0 ? pendingOf(sctp, fd, remotes) : systemError("connect", errno, address, port));
  }

  function begin(): void {
    fd = sctp.bind(locals);
    const result = sctp.connect(fd, remotes);
    if (result < 0 && result !== -EINPROGRESS) throw systemError("connect", -result, address, port);
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
