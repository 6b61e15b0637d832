// The connections of the admin address, at most so many: the oldest one without a whole request gives way.
import type { Socket } from "node:net";

/** The open connections. A TLS connection is known by its peer: its request comes on another socket than its bytes. */
export interface ConnectionRoom {
  /** Takes a new connection, and closes an older one when there are too many. */
  readonly take: (socket: Socket) => void;
  /** A whole request has come on the connection, and its answer is under way. */
  readonly began: (socket: Socket) => void;
  /** The answer is sent. */
  readonly ended: (socket: Socket) => void;
}

/** At most this many connections are open. */
const MOST_CONNECTIONS = 64;

export function createConnectionRoom(): ConnectionRoom {
  /** Connections that wait for a request, and those that wait for an answer; the oldest ones first. */
  const unfinished = new Map<string, Socket>();
  const answered = new Map<string, Socket>();

  function makeRoom(): void {
    if (unfinished.size + answered.size < MOST_CONNECTIONS) return;
    for (const connections of [unfinished, answered])
      for (const [key, oldest] of connections) {
        connections.delete(key);
        oldest.destroy();
        return;
      }
  }

  return {
    take(socket) {
      makeRoom();
      const key = keyOf(socket);
      unfinished.set(key, socket);
      socket.once("close", () => {
        for (const connections of [unfinished, answered])
          if (connections.get(key) === socket) connections.delete(key);
      });
    },
    began: (socket) => move(socket, unfinished, answered),
    ended: (socket) => move(socket, answered, unfinished),
  };
}

function move(socket: Socket, from: Map<string, Socket>, to: Map<string, Socket>): void {
  const key = keyOf(socket);
  const taken = from.get(key);
  if (taken === undefined) return;
  from.delete(key);
  to.set(key, taken);
}

/** Connections of a Unix socket have no peer address. They are known by themselves. */
const unnamed = new WeakMap<Socket, string>();
let lastUnnamed = 0;

function keyOf(socket: Socket): string {
  const { localAddress, localPort, remoteAddress, remotePort } = socket;
  if (localAddress === undefined) {
    const key = unnamed.get(socket) ?? `unnamed ${++lastUnnamed}`;
    unnamed.set(socket, key);
    return key;
  }
  return `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`;
}
