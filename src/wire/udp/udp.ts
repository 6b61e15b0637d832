// UDP ports on Node's own sockets, and the interface that every kind of UDP port has.
import type { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";

/** A UDP port: all that the engine knows of a UDP socket, so that another kind can replace it. */
export interface DatagramPort {
  readonly address: string;
  readonly port: number;
  /** Bytes of waiting datagrams, kernel overhead included, that the socket has room for. */
  readonly receiveBuffer: number;
  /**
   * Sends the first `length` bytes.
   * @returns false when the port keeps the buffer and the caller must not reuse it
   */
  send(bytes: Buffer, length: number, address: string, port: number): boolean;
  close(): Promise<void>;
}

/** What a UDP port calls. */
export interface DatagramHandlers {
  /** Takes a datagram. The bytes are valid only during the call. */
  readonly datagram: (bytes: Buffer, address: string, port: number) => void;
  /** Called for a datagram that could not be received, or was not sent because too many wait. */
  readonly dropped: (direction: "received" | "sent") => void;
  readonly error: (error: Error) => void;
}

/**
 * Binds a UDP socket to a literal address. Rejects when it can't.
 *
 * @param port 0 takes any free port
 * @param fd bound socket to take over instead
 */
export type OpenDatagramPort = (
  address: string,
  port: number,
  handlers: DatagramHandlers,
  fd?: number,
) => Promise<DatagramPort>;

/**
 * Bytes of receive buffer to ask for: room for bursts while the process does something else (a
 * reload, a scrape).
 */
export const RECEIVE_BUFFER = 4 * 1024 * 1024;

/**
 * At most this many datagrams wait in user space when the kernel takes no more. Others are lost.
 */
const MOST_QUEUED = 1024;

/** Opens a port on `node:dgram`: available everywhere, one datagram per call. */
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
    // Targets are literals. Without a synchronous answer, dgram asks the resolver for every
    // datagram and sends a turn later.
    lookup: (hostname, _options, callback) => callback(null, hostname, family),
  });
  let waiting = 0;
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(fd === undefined ? { address, port } : { fd }, () => {
      socket.off("error", reject);
      socket.on("error", handlers.error);
      try {
        // An inherited socket may have more than we could ask for. The kernel doubles the size that
        // is asked for, and reports the double.
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
          // A datagram from port 0 wants no answer (RFC 768); dgram would throw.
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
