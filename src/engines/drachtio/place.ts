// A drachtio server's address and TLS options, and how a connection to it is ended.
import type { Socket } from "node:net";

/** How the server's certificate is checked. */
export interface TlsOptions {
  /** Authorities, PEM; those of the system when left out. */
  readonly ca?: string;
  readonly servername?: string;
}

/** One drachtio server. */
export interface DrachtioServer {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  readonly tls?: TlsOptions;
}

/** How long the other end may take to close a connection that we have ended. Milliseconds. */
const PARTING = 2000;

/**
 * Ends a connection, and reads on until the server has closed it too. A server whose frames meet a closed port keeps
 * the dead client on its lists. Every call that it offers to that client gets 100 and nothing more.
 */
export function part(socket: Socket): void {
  socket.removeAllListeners("data");
  socket.resume();
  socket.end();
  const timer = setTimeout(() => socket.destroy(), PARTING);
  socket.once("close", () => clearTimeout(timer));
}
