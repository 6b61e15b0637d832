import type { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";

/** Datagrams in, datagrams out: all that the engine knows of a UDP socket, so that another kind can take its place. */
export interface DatagramPort {
  readonly address: string;
  readonly port: number;
  /** Sends the first `length` bytes; false when the buffer must not be reused yet. */
  send(bytes: Buffer, length: number, address: string, port: number): boolean;
  close(): Promise<void>;
}

export interface DatagramHandlers {
  readonly datagram: (bytes: Buffer, address: string, port: number) => void;
  readonly error: (error: Error) => void;
}

/** Room for bursts while the process does something else (a reload, a scrape). */
const RECEIVE_BUFFER = 4 * 1024 * 1024;

/** Datagrams that may wait in user space when the kernel takes no more; those beyond are lost, as on any full wire. */
const MOST_QUEUED = 1024;

/** Binds a UDP socket to a literal address; port 0 takes any free one. Rejects when it can't. */
export function openDatagramPort(
  address: string,
  port: number,
  handlers: DatagramHandlers,
): Promise<DatagramPort> {
  const family = address.includes(":") ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? "udp6" : "udp4",
    ipv6Only: family === 6,
    // Targets are literals. Without a synchronous answer, dgram asks the resolver for every datagram and sends a turn later.
    lookup: (hostname, _options, callback) => callback(null, hostname, family),
  });
  let waiting = 0;
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address, port }, () => {
      socket.off("error", reject);
      socket.on("error", handlers.error);
      try {
        socket.setRecvBufferSize(RECEIVE_BUFFER);
      } catch (error) {
        handlers.error(error instanceof Error ? error : new Error(String(error)));
      }
      socket.on("message", (bytes, remote) => handlers.datagram(bytes, remote.address, remote.port));
      resolve({
        address,
        port: socket.address().port,
        send(bytes, length, to, toPort) {
          if (waiting >= MOST_QUEUED) waiting = socket.getSendQueueCount();
          if (waiting >= MOST_QUEUED) return true;
          socket.send(bytes, 0, length, toPort, to);
          waiting = socket.getSendQueueCount();
          return waiting === 0;
        },
        close: () => new Promise((closed) => socket.close(() => closed())),
      });
    });
  });
}
