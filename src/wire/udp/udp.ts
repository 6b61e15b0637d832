import type { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";

/** Datagrams in, datagrams out: all that the engine knows of a UDP socket, so that another kind can take its place. */
export interface DatagramPort {
  readonly address: string;
  readonly port: number;
  /** Bytes of waiting datagrams, with the kernel's own overhead, that the socket has room for. */
  readonly receiveBuffer: number;
  /** Sends the first `length` bytes; false when the buffer must not be reused yet. */
  send(bytes: Buffer, length: number, address: string, port: number): boolean;
  close(): Promise<void>;
}

export interface DatagramHandlers {
  /** `bytes` may be overwritten as soon as this returns. */
  readonly datagram: (bytes: Buffer, address: string, port: number) => void;
  /** A datagram that could not be taken, or was not sent since too many wait. */
  readonly dropped: (direction: "received" | "sent") => void;
  readonly error: (error: Error) => void;
}

/**
 * Binds a UDP socket to a literal address; port 0 takes any free one. `fd`: a bound socket that is taken over instead. Rejects when it
 * can't.
 */
export type OpenDatagramPort = (
  address: string,
  port: number,
  handlers: DatagramHandlers,
  fd?: number,
) => Promise<DatagramPort>;

/** Room for bursts while the process does something else (a reload, a scrape). */
export const RECEIVE_BUFFER = 4 * 1024 * 1024;

/** Datagrams that may wait in user space when the kernel takes no more; those beyond are lost, as on any full wire. */
const MOST_QUEUED = 1024;

/** A port on `node:dgram`: everywhere, one datagram a call. */
export function openDatagramPort(
  address: string,
  port: number,
  handlers: DatagramHandlers,
  fd?: number,
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
    socket.bind(fd === undefined ? { address, port } : { fd }, () => {
      socket.off("error", reject);
      socket.on("error", handlers.error);
      try {
        // An inherited socket may have more than we could ask for. The kernel doubles what it is asked for, and says the double.
        if (socket.getRecvBufferSize() < 2 * RECEIVE_BUFFER) socket.setRecvBufferSize(RECEIVE_BUFFER);
      } catch (error) {
        handlers.error(error instanceof Error ? error : new Error(String(error)));
      }
      socket.on("message", (bytes, remote) => handlers.datagram(bytes, remote.address, remote.port));
      resolve({
        address,
        port: socket.address().port,
        receiveBuffer: socket.getRecvBufferSize() / 2,
        send(bytes, length, to, toPort) {
          if (waiting >= MOST_QUEUED) waiting = socket.getSendQueueCount();
          // A datagram may say that it comes from port 0 (RFC 768), and wants no answer then; dgram would throw.
          if (waiting >= MOST_QUEUED || toPort === 0) {
            handlers.dropped("sent");
            return true;
          }
          socket.send(bytes, 0, length, toPort, to);
          waiting = socket.getSendQueueCount();
          return waiting === 0;
        },
        close: () => new Promise((closed) => socket.close(() => closed())),
      });
    });
  });
}
